"""The result document → HTML: a fragment for notebooks, and one self-contained page to share.

Everything that comes from logs is hostile here, and escaped by construction (`markup`). The page loads
nothing: style, script, rows and pictures are in it, and its Content-Security-Policy allows nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING

from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import FindingEntry, Problem
from hvdegraded.findings.groups import Section
from hvdegraded.findings.render.markup import Html, joined
from hvdegraded.findings.render.rows import MOST_SOURCES, cells_of, count_of, level_of, rows_json
from hvdegraded.findings.render.words import (
    TITLES,
    WHY,
    caveats,
    inventory_line,
    numbers,
    origin_lines,
    plural,
    when,
)

if TYPE_CHECKING:
    from hvdegraded.findings.render.plots import PagePicture

__all__ = ["as_fragment", "page_parts"]

_STATIC_ROWS = 500
_NOTEBOOK_ROWS = 100
_FEWEST_ROWS = 20  # of a section, wherever it stands
_MOST_ITEMS = 100
_WORST = 5
_COLUMNS = ("#", "VM", "host", "what happened", "events", "first, UTC", "last, UTC")
_ASKING = (Section.ACT, Section.CHECK)
_COLLAPSED = frozenset({Section.PROVEN, Section.NO_ACTION})


@cache
def _file(name: str) -> str:
    """A file beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def page_parts(document: Document, title: str, pictures: Sequence[PagePicture] | str = ()) -> Iterator[str]:
    """A page in pieces: tables to sort and search, and pictures, or a text that says why there are none.

    The first rows are in it as HTML, so that print and viewers without script have them; all are in it as
    data.
    """
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    body = joined(
        [
            Html("<header><h1>{}</h1>{}</header><main>").format(title, _origin(document)),
            _cards(document),
            _caveats(document),
            _worst(document),
            _SEARCH if document.findings else Html(""),
            *_parts(document, _STATIC_ROWS, interactive=True),
            *_figures(pictures),
            *_account(document),
            Html("</main>"),
        ]
    )
    head = Html(
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        '<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        "<title>{title}</title><style>body{{margin:0}}{style}</style></head>"
        "<body class='hvd'>{body}<script type='application/json' id='rows'>"
    )
    yield str(head.format(policy=Html(policy), title=title, style=Html(_file("page.css")), body=body))
    yield from rows_json(document)
    yield f"</script><script>{script}</script></body></html>\n"


_SEARCH = Html(
    "<p class='search'><input type='search' placeholder='search all rows' aria-label='search all rows'> "
    "<output></output></p>"
)


def as_fragment(document: Document) -> str:
    """The document as HTML to stand in a notebook; of long tables the first rows."""
    parts = [
        Html("<p class='origin'>{}</p>").format(inventory_line(document.provenance)),
        _cards(document),
        _caveats(document),
        *_parts(document, _NOTEBOOK_ROWS, interactive=False),
        *_account(document),
    ]
    return str(
        Html("<div class='hvd'><style>{}</style>{}</div>").format(Html(_file("page.css")), joined(parts))
    )


# ------------------------------------------------------------ first screen


def _origin(document: Document) -> Html:
    lines = [*origin_lines(document), f"Made by hvdegraded {document.provenance.version}"]
    inputs = document.provenance.inputs
    if not inputs:
        return Html("<p class='origin'>{}</p>").format(Html("<br>").join(lines))
    items = [Html("<li>{}</li>").format(path) for path in inputs[:_MOST_ITEMS]]
    if len(inputs) > _MOST_ITEMS:
        items.append(Html("<li>and {} more</li>").format(len(inputs) - _MOST_ITEMS))
    listed = Html("<details><summary>{}</summary><ul>{}</ul></details>")
    return Html("<div class='origin'>{}{}</div>").format(
        Html("<br>").join(lines), listed.format(plural(len(inputs), "input"), joined(items))
    )


def _cards(document: Document) -> Html:
    cards = []
    for section in (Section.ACT, Section.CHECK, Section.ASSUMED, Section.PROVEN):
        tally = document.sections[section]
        cards.append(_card(section, tally.findings, TITLES[section], plural(tally.events, "event")))
    cards.append(_card("lost", document.report.lost, "Lost", "records not read"))
    return Html("<ul class='cards'>{}</ul>").format(joined(cards))


def _card(tone: str, number: int, name: str, note: str) -> Html:
    card = Html("<li class='{}'><b>{}</b><span>{}</span><small>{}</small></li>")
    return card.format(tone if number else f"{tone} zero", number, name, note)


def _caveats(document: Document) -> Html:
    lines = [Html("<p>{}</p>").format(line) for line in (*caveats(document), *document.happened_again)]
    if not lines:
        return Html("")
    return Html("<div class='caveats'>{}</div>").format(joined(lines))


def _worst(document: Document) -> Html:
    """The first problems that ask for something, with what to do."""
    asking = (problem for section in _ASKING for problem in document.problems(section))
    total = sum(1 for section in _ASKING for _ in document.problems(section))
    items = [
        Html("<li class='{}'><b>{}</b> <span class='tag'>{}</span> <small>{}</small>{}</li>").format(
            problem.section,
            problem.title,
            TITLES[problem.section].lower(),
            _whose(problem),
            _paragraph(problem.remedy),
        )
        for problem in islice(asking, _WORST)
    ]
    if not items:
        return Html("<p><b>{}</b></p>").format(_nothing(document))
    more = Html("")
    if total > len(items):
        more = Html("<p class='muted'>and {} below</p>").format(plural(total - len(items), "more problem"))
    return Html("<section><h2>Start here</h2><ol class='worst'>{}</ol>{}</section>").format(
        joined(items), more
    )


def _nothing(document: Document) -> str:
    """Words for a result that asks for nothing: good news only where something was read."""
    if document.emptiness is not None:
        return f"N{document.emptiness[1:]}"
    if document.report.unreadable or document.report.interrupted:
        return "Nothing to act on or to check in what was read; not all was."
    return "Nothing to act on, nothing to check."


def _whose(problem: Problem) -> str:
    names = problem.subjects
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}: {plural(problem.events, 'event')}"


def _paragraph(text: str | None) -> Html:
    return Html("<p>{}</p>").format(text) if text else Html("")


# ------------------------------------------------------------ tables


def _parts(document: Document, most: int, *, interactive: bool) -> Iterator[Html]:
    """A table for each section: of all sections the first `most` rows, and a few of each."""
    for section in Section:
        problems = list(document.problems(section))
        total = sum(len(problem.findings) for problem in problems)
        if not total:
            continue
        shown = min(total, max(most, _FEWEST_ROWS))
        most -= shown
        note = f"The first {shown} of {total} rows." if shown < total else ""
        if note and not interactive:
            note += " to_html() gives a page with all."
        tally = document.sections[section]
        title = Html("{} <small>{}</small>").format(TITLES[section], numbers(tally.events, tally.findings))
        table = Html("{}<p class='note'>{}</p>").format(
            _table(problems, shown, interactive, document.links), note
        )
        if section is Section.ASSUMED:
            table = Html("{}{}").format(table, _missing_logs(document))
        if section in _COLLAPSED:
            wrapped = Html("<details class='part {}' id='{}'><summary>{}</summary>{}</details>")
        else:
            wrapped = Html("<section class='part {}' id='{}'><h2>{}</h2>{}</section>")
        yield wrapped.format(section, section, title, table)


def _missing_logs(document: Document) -> Html:
    """The logs that would show what followed refusals, each with the command that exports it."""
    logs = document.missing_logs[:_MOST_ITEMS]
    if not logs:
        return Html("")
    items = joined(
        Html("<li>{} of {}: {}{}</li>").format(
            log.channel,
            log.host,
            log.why,
            Html("<br><code>{}</code>").format(log.command) if log.command else "; an older copy is needed",
        )
        for log in logs
    )
    return Html("<h3>Missing logs that would settle it</h3><ul class='logs'>{}</ul>").format(items)


def _table(problems: Sequence[Problem], most: int, interactive: bool, links: Mapping[str, str]) -> Html:
    button = Html("<button type='button'>{}</button>" if interactive else "{}")
    heads = joined(Html("<th scope='col'>{}</th>").format(button.format(name)) for name in _COLUMNS)
    columns = joined(Html("<col class='c-{}'>").format(_class_of(name)) for name in _COLUMNS)
    bodies = []
    for problem in problems:
        rows = [_row(finding) for finding in problem.findings[:most]]
        most -= len(rows)
        if rows:
            bodies.append(Html("<tbody>{}{}</tbody>").format(_head(problem, links), joined(rows)))
    table = Html("<table><colgroup>{}</colgroup><thead{}><tr>{}</tr></thead>{}</table>")
    return table.format(columns, Html("" if interactive else " class='plain'"), heads, joined(bodies))


def _class_of(column: str) -> str:
    return {"#": "number", "what happened": "what"}.get(column, column.lower().removesuffix(", utc"))


def _head(problem: Problem, links: Mapping[str, str]) -> Html:
    level = level_of(problem)
    head = Html(
        "<tr><th class='head' colspan='{}' scope='rowgroup'><b>{}</b> {} <small>{}</small>{}{}</th></tr>"
    )
    tag = Html("<span class='tag'>{}</span>").format(level) if level else ""
    return head.format(
        len(_COLUMNS), problem.title, tag, count_of(problem), _paragraph(problem.remedy), _why(problem, links)
    )


def _why(problem: Problem, links: Mapping[str, str]) -> Html:
    """Why the findings of a problem are where they are, and by which sources."""
    sources = Html(", ").join(
        Html("<a href='{}' rel='noreferrer'>{}</a>").format(links[title], title) if title in links else title
        for title in problem.references[:MOST_SOURCES]
    )
    named = Html(" Sources: {}.").format(sources) if sources else ""
    return Html("<p class='why'>{}{}</p>").format(WHY[problem.reason], named)


def _row(finding: FindingEntry) -> Html:
    shown = cells_of(finding)
    cells = [
        Html("<td data-name='{}' class='{}'>{}</td>").format(name, _class_of(name), value)
        for name, value in zip(
            _COLUMNS, (*shown[:2], _breaking(shown[2]), _what(shown[3]), *shown[4:]), strict=True
        )
    ]
    return Html("<tr>{}</tr>").format(joined(cells))


def _breaking(host: str) -> Html:
    """A name that breaks behind its dots."""
    return Html(".<wbr>").join(host.split("."))


def _what(groups: Sequence[tuple[str, str]]) -> Html:
    lines = [Html("{} <small>{}</small>").format(detail, event) for detail, event in groups]
    if len(lines) == 1:
        return lines[0]
    return Html("<ul>{}</ul>").format(joined(Html("<li>{}</li>").format(line) for line in lines))


# ------------------------------------------------------------ pictures and account


def _figures(pictures: Sequence[PagePicture] | str) -> Iterator[Html]:
    if isinstance(pictures, str):
        yield Html("<p class='muted'>No pictures: {}.</p>").format(pictures)
        return
    for picture in pictures:
        figure = Html(
            "<section><h2>{}</h2><figure tabindex='0'>{}<figcaption>{}</figcaption></figure></section>"
        )
        yield figure.format(picture.title, Html(picture.svg), picture.caption)


def _account(document: Document) -> Iterable[Html]:
    """What was excluded, and what a reading noticed."""
    for why, count in document.excluded.items():
        verb = "was" if count == 1 else "were"
        yield Html("<p class='muted'>{} {} {} excluded.</p>").format(plural(count, "event"), why, verb)
    report = document.report
    if report.records_seen:
        yield Html("<p class='muted'>{}</p>").format(str(report).split("\n")[0])
    if document.coverage:
        rows = [
            Html("<li>{}, {}: {} to {}</li>").format(
                one.host, one.channel, when(one.first) or "the beginning", when(one.last)
            )
            for one in document.coverage[:_MOST_ITEMS]
        ]
        if len(document.coverage) > _MOST_ITEMS:
            rows.append(Html("<li>and {} more</li>").format(len(document.coverage) - _MOST_ITEMS))
        folded = Html("<details><summary>Times for which channels were read whole, UTC</summary>{}</details>")
        yield folded.format(Html("<ul>{}</ul>").format(joined(rows)))
    items = report.items()
    if not items:
        return
    listed = [Html("<li>{}: {}</li>").format(path or "input", what) for path, what in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        listed.append(Html("<li>and {} more</li>").format(len(items) - _MOST_ITEMS))
    yield Html("<details><summary>{}</summary><ul>{}</ul></details>").format(
        f"{plural(len(items), 'remark')} on the reading", joined(listed)
    )
