"""Triage → HTML: a fragment for notebooks, and one self-contained page to share.

Everything that comes from logs is hostile here and escaped. The page loads nothing: style, script and
pictures stand in it, and its Content-Security-Policy allows no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from hvdegraded.errors import MissingExtraError
from hvdegraded.findings.render.plots import draw
from hvdegraded.findings.render.text import event_of
from hvdegraded.printable import printable
from hvdegraded.verdicts.phrases import versions_of
from hvdegraded.verdicts.verdict import Label

if TYPE_CHECKING:
    from hvdegraded.findings.groups import EventGroup, Finding, GroupedEvents

__all__ = ["as_fragment", "as_page"]

_MOST_ROWS = 100  # of a table in a notebook
_MOST_PARTS = 20
_MOST_NAMES = 50
_MOST_REMARKS = 100

# `.hvd.hvd` outweighs what Jupyter says of tables.
_STYLE = """
.hvd{color-scheme:light dark;--fg:light-dark(#1a1a1a,#e8e8e8);--bg:light-dark(#fff,#16181c);
--line:light-dark(#c9ced6,#444a54);--soft:light-dark(#f2f4f7,#22262d);--act:light-dark(#a11212,#ff8f8f);
--ign:light-dark(#1c5f2e,#8fd6a1);--dot:light-dark(#2c6fa6,#7db8ea);color:var(--fg);
background:var(--bg);font:14px/1.45 system-ui,sans-serif;padding:.5rem;text-align:left}
[data-jp-theme-light="true"] .hvd,.vscode-light .hvd{color-scheme:light}
[data-jp-theme-light="false"] .hvd,.vscode-dark .hvd{color-scheme:dark}
.hvd h2{font-size:1.15rem;margin:1.25rem 0 .25rem}
.hvd.hvd table{border-collapse:collapse;width:100%;margin:.5rem 0 1.25rem;color:inherit;font-size:inherit;
table-layout:auto}
.hvd.hvd th,.hvd.hvd td{border:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top;
overflow-wrap:anywhere;background:var(--bg);color:inherit;white-space:normal;max-width:none}
.hvd.hvd tr{padding:0;border:0;background:none}
.hvd.hvd thead th{background:var(--soft);white-space:nowrap}
.hvd.hvd td{min-width:5.5em}.hvd.hvd td.num{min-width:0;text-align:right;white-space:nowrap}
.hvd.hvd td.when{overflow-wrap:normal;min-width:6em}
@media(min-width:1100px){.hvd.hvd td{min-width:6.5em}.hvd.hvd td.wide{min-width:15em}}
@media(min-width:1500px){.hvd.hvd td.when{white-space:nowrap}}
.hvd small{display:block;opacity:.8}
.hvd th button{all:unset;cursor:pointer;font-weight:bold}
.hvd th button:focus-visible{outline:2px solid}
.hvd [aria-sort] button::after{content:" ▲"}.hvd [aria-sort=descending] button::after{content:" ▼"}
.hvd .act{color:var(--act);font-weight:bold}.hvd .ign{color:var(--ign);font-weight:bold}
.hvd ul{margin:0;padding-left:1.1rem}.hvd summary{cursor:pointer}
.hvd input{font:inherit;padding:.3rem;width:100%;max-width:24rem;box-sizing:border-box;color:inherit;
background:var(--soft);border:1px solid var(--line)}
.hvd figure{margin:.5rem 0 1.25rem;overflow-x:auto}.hvd svg{display:block;max-width:none}
@media(max-width:700px){.hvd.hvd table,.hvd tbody,.hvd thead,.hvd tr,.hvd.hvd td{display:block}
.hvd thead tr{display:flex;flex-wrap:wrap;gap:.25rem;margin-bottom:.5rem}.hvd thead.plain{display:none}
.hvd thead tr::before{content:"sort by";align-self:center}
.hvd.hvd tbody tr{margin-bottom:.75rem;border:1px solid var(--line)}.hvd.hvd td{border:0;padding:.15rem .5rem}
.hvd.hvd td:empty{display:none}.hvd.hvd td.num{text-align:left}.hvd tr[hidden]{display:none}
.hvd td::before{content:attr(data-name) ": ";font-weight:bold}}
@media print{.hvd{color-scheme:light;padding:0}.hvd input,.hvd output{display:none}.hvd tr{break-inside:avoid}
.hvd figure{overflow:visible}.hvd svg{max-width:100%;height:auto}}
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = table.querySelectorAll("thead th");
  heads.forEach((head, at) => head.firstChild.addEventListener("click", () => {
    const down = head.ariaSort === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.ariaSort = down ? "descending" : "ascending";
    const text = row => row.cells[at].textContent;
    const order = (a, b) => text(a).localeCompare(text(b), undefined, {numeric: true});
    body.append(...[...body.rows].sort(down ? (a, b) => order(b, a) : order));
  }));
}
const search = document.querySelector("input");
const rows = [...document.querySelectorAll("tbody tr")];
search.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  const shown = rows.filter(row => !row.hidden).length;
  document.querySelector("output").value = wanted ? `${shown} of ${rows.length} rows` : "";
});
"""


def as_page(triage: GroupedEvents, title: str = "Hyper-V triage") -> str:
    """A whole page: every row, with tables to sort and search, and pictures; printable, without any request.

    Without matplotlib (extra `notebook`) the page says that it has no pictures.
    """
    script_hash = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )
    search = (
        "<p><input type='search' placeholder='search the tables' aria-label='search the tables'> "
        "<output></output></p>"
    )
    body = [
        f"<h1>{_text(title)}</h1>",
        *_headline(triage),
        search,
        *_tables(triage, interactive=True),
        *_pictures(triage),
        *_account(triage),
    ]
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{_text(title)}</title><style>body{{margin:0}}{_STYLE}</style></head>"
        f"<body class='hvd'>{''.join(body)}<script>{_SCRIPT}</script></body></html>\n"
    )


def as_fragment(triage: GroupedEvents) -> str:
    """The triage as HTML to stand in a notebook; of long tables the first rows."""
    parts = [*_headline(triage), *_tables(triage, interactive=False), *_account(triage)]
    return f"<div class='hvd'><style>{_STYLE}</style>{''.join(parts)}</div>"


def _headline(triage: GroupedEvents) -> Iterable[str]:
    labels = triage.by_label()
    first, last = triage.first, triage.last
    span = f", from {_when(first)} to {_when(last)} UTC" if first and last else ""
    yield (
        f"<p>{triage.count} events: <span class='act'>{labels[Label.ACTIONABLE]} actionable</span>, "
        f"<span class='ign'>{labels[Label.IGNORABLE]} ignorable</span>{span}</p>"
    )
    if triage.report.interrupted:
        yield "<p class='act'>Reading was interrupted: this is what had been read by then.</p>"
    for note in triage.report.unreadable[:_MOST_REMARKS]:
        yield f"<p class='act'>{_text(note.path or 'input')}: {_text(note.text)}</p>"


def _tables(triage: GroupedEvents, *, interactive: bool) -> Iterable[str]:
    findings = triage.findings
    acting = [_finding_row(finding) for finding in findings if finding.verdict.actionable]
    if acting:
        columns: tuple[str, ...] = ("VM", "host", "what happened", "what to do", "count", "first", "last")
        yield f"<h2>Actionable</h2>{_table(columns, acting, interactive)}"
    noise: dict[tuple[str, str, str], list[EventGroup]] = {}
    for finding in findings:
        if finding.verdict.ignorable:
            for part in finding.parts:
                key = finding.vm or "", finding.host or "", str(part.verdict.component or "")
                noise.setdefault(key, []).append(part)
    if noise:
        columns = ("VM", "host", "component", "guest | host version", "why", "count")
        rows = [_noise_row(key, parts) for key, parts in noise.items()]
        yield f"<h2>Ignorable</h2>{_table(columns, rows, interactive)}"


def _pictures(triage: GroupedEvents) -> Iterable[str]:
    if not triage.count:
        return
    titles = {"timeline": "Timeline", "versions": "Versions that differ"}
    for kind, title in titles.items():
        try:
            svg = draw(triage, kind).inline_svg()
        except MissingExtraError as error:
            yield f"<p>No pictures: {_text(str(error))}.</p>"
            return
        yield f"<h2>{title}</h2><figure>{svg}</figure>"


def _account(triage: GroupedEvents) -> Iterable[str]:
    """What was assumed, left out, and lost."""
    assumed = sorted({finding.vm or "unnamed" for finding in triage.findings if finding.verdict.assumed})
    if assumed:
        names = ", ".join(assumed[:_MOST_NAMES]) + ", …" * (len(assumed) > _MOST_NAMES)
        yield f"<p>Assumed: the system of {len(assumed)} VMs is not known ({_text(names)}).</p>"
    for why, count in triage.excluded.items():
        yield f"<p>{count} events {_text(why)} were left out.</p>"
    report = triage.report
    if report.records_seen:
        yield f"<p>{_text(str(report).split(chr(10))[0])}</p>"
    remarks = report.items()
    if remarks:
        listed = "".join(
            f"<li>{_text(path or 'input')}: {_text(what)}</li>" for path, what in remarks[:_MOST_REMARKS]
        )
        if len(remarks) > _MOST_REMARKS:
            listed += f"<li>and {len(remarks) - _MOST_REMARKS} more</li>"
        yield f"<details><summary>{len(remarks)} remarks on the reading</summary><ul>{listed}</ul></details>"


def _table(names: Sequence[str], rows: Sequence[str], interactive: bool) -> str:
    button = "<button type='button'>{}</button>" if interactive else "{}"
    heads = "".join(f"<th scope='col'>{button.format(name)}</th>" for name in names)
    shown = rows if interactive else rows[:_MOST_ROWS]
    kind = "" if interactive else " class='plain'"
    table = f"<table><thead{kind}><tr>{heads}</tr></thead><tbody>{''.join(shown)}</tbody></table>"
    if len(rows) > len(shown):
        table += f"<p>and {len(rows) - len(shown)} more rows; <code>to_html()</code> has all.</p>"
    return table


def _finding_row(finding: Finding) -> str:
    items = [
        f"{_text(part.verdict.summary)}{f' ×{part.count}' * (part.count > 1)} "
        f"<small>{_text(event_of(part))}</small>"
        for part in finding.parts[:_MOST_PARTS]
    ]
    if len(finding.parts) > _MOST_PARTS:
        items.append(f"and {len(finding.parts) - _MOST_PARTS} more kinds of events")
    told = "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>" if len(items) > 1 else items[0]
    cells = (
        _cell("VM", finding.vm or ""),
        _cell("host", finding.host or ""),
        f"<td data-name='what happened' class='wide'>{told}</td>",
        _cell("what to do", finding.verdict.remedy or "", "wide"),
        _cell("count", str(finding.count), "num"),
        _cell("first", _when(finding.first), "when"),
        _cell("last", _when(finding.last), "when"),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _noise_row(key: tuple[str, str, str], parts: Sequence[EventGroup]) -> str:
    vm, host, component = key
    pairs = dict.fromkeys(versions_of(part.example) for part in parts)
    versions = [f"{guest or '?'} | {server or '?'}" for guest, server in pairs if guest or server]
    why = dict.fromkeys(
        part.verdict.reason.replace("_", " ") + " (assumed)" * part.verdict.assumed for part in parts
    )
    cells = (
        _cell("VM", vm),
        _cell("host", host, "wide"),
        _cell("component", component),
        _cell("guest | host version", ", ".join(versions)),
        _cell("why", ", ".join(why)),
        _cell("count", str(sum(part.count for part in parts)), "num"),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _cell(name: str, text: str, kind: str = "") -> str:
    shown = _text(text).replace(".", ".<wbr>") if name == "host" else _text(text)
    return f"<td data-name='{name}'{f' class={kind!r}' if kind else ''}>{shown}</td>"


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _text(text: str) -> str:
    """Escaped, with what does not show spelled out."""
    return escape(printable(text))
