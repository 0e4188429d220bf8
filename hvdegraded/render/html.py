"""Triage → HTML: a fragment for notebooks, and one self-contained page to share.

Everything that comes from logs is hostile here and escaped. The page loads nothing: style and script stand in
it, and its Content-Security-Policy allows no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from hvdegraded.verdict import Label

if TYPE_CHECKING:
    from hvdegraded.triage import Finding, Triage

__all__ = ["as_fragment", "as_page"]

_MOST_PARTS = 20
_MOST_REMARKS = 100

_STYLE = """
.hvd{--fg:#1a1a1a;--bg:#fff;--line:#c9ced6;--soft:#f2f4f7;--act:#a11212;--ign:#1c5f2e;color:var(--fg);
background:var(--bg);font:14px/1.45 system-ui,sans-serif;padding:.5rem}
@media(prefers-color-scheme:dark){.hvd{--fg:#e8e8e8;--bg:#16181c;--line:#444a54;--soft:#22262d;
--act:#ff8f8f;--ign:#8fd6a1}}
.hvd table{border-collapse:collapse;width:100%;margin:.5rem 0 1.25rem;color:inherit}
.hvd th,.hvd td{border:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top;
overflow-wrap:anywhere;background:var(--bg);color:inherit;white-space:normal}
.hvd thead th{background:var(--soft);white-space:nowrap}.hvd td{min-width:5.5em}.hvd td.num{min-width:0}
.hvd th button{all:unset;cursor:pointer;font-weight:bold}
.hvd th button:focus-visible{outline:2px solid}
.hvd .act{color:var(--act);font-weight:bold}.hvd .ign{color:var(--ign);font-weight:bold}
.hvd .num{text-align:right;white-space:nowrap}.hvd .when{white-space:nowrap}
.hvd ul{margin:.3rem 0;padding-left:1.2rem}
.hvd input{font:inherit;padding:.3rem;width:100%;max-width:24rem;box-sizing:border-box;color:inherit;
background:var(--soft);border:1px solid var(--line)}
@media(max-width:600px){.hvd thead{display:none}.hvd tr{display:block;margin-bottom:.75rem}
.hvd td{display:block;border-top:0}.hvd td:first-child{border-top:1px solid var(--line)}
.hvd .num{text-align:left}
.hvd td::before{content:attr(data-name) ": ";font-weight:bold}}
@media print{.hvd input{display:none}.hvd tr{break-inside:avoid}}
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead button").forEach((button, at) => {
    let up = true;
    button.addEventListener("click", () => {
      const key = row => row.cells[at].dataset.key || row.cells[at].textContent;
      const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), undefined, {numeric: true}));
      body.append(...(up ? rows : rows.reverse()));
      up = !up;
    });
  });
}
const search = document.querySelector("input");
search.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  for (const row of document.querySelectorAll("tbody tr"))
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
});
"""


def as_page(triage: Triage, title: str = "Hyper-V triage") -> str:
    """A whole page: the same content, with tables to sort and search; printable, without any request."""
    script_hash = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script_hash}'"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{_text(title)}</title><style>body{{margin:0}}</style></head><body>"
        f"{as_fragment(triage, title=title, interactive=True)}<script>{_SCRIPT}</script></body></html>\n"
    )


def as_fragment(triage: Triage, *, title: str | None = None, interactive: bool = False) -> str:
    """The triage as HTML to stand in a notebook: headline, findings, noise, assumptions, losses."""
    labels = triage.by_label()
    parts = [f"<div class='hvd'><style>{_STYLE}</style>"]
    if title:
        parts.append(f"<h1>{_text(title)}</h1>")
    parts.append(
        f"<p>{triage.count} events: <span class='act'>{labels[Label.ACTIONABLE]} actionable</span>, "
        f"<span class='ign'>{labels[Label.IGNORABLE]} ignorable</span></p>"
    )
    if interactive:
        parts.append("<p><input type='search' placeholder='search' aria-label='search the tables'></p>")
    findings = triage.findings
    acting = [finding for finding in findings if not finding.verdict.ignorable]
    noise = [finding for finding in findings if finding.verdict.ignorable]
    if acting:
        rows = "".join(_finding_row(finding) for finding in acting)
        names = ("last", "first", "count", "host", "VM", "what happened", "what to do")
        parts.append(f"<h2>Actionable</h2>{_table(names, rows, interactive)}")
    if noise:
        rows = "".join(_noise_rows(finding) for finding in noise)
        columns = ("VM", "host", "component", "guest, host version", "count", "why")
        parts.append(f"<h2>Ignorable</h2>{_table(columns, rows, interactive)}")
    assumed = sorted({finding.vm or "unnamed" for finding in findings if finding.verdict.assumed})
    if assumed:
        parts.append(
            f"<p>Assumed: the system of {len(assumed)} VMs is not known "
            f"({_text(', '.join(assumed[:50]))}).</p>"
        )
    parts += [f"<p>{count} events {_text(why)} were left out.</p>" for why, count in triage.left_out.items()]
    report = triage.report
    if report.records_seen:
        parts.append(f"<p>{_text(str(report).splitlines()[0])}</p>")
    remarks = report.items()
    if remarks:
        listed = "".join(
            f"<li>{_text(path or 'input')}: {_text(what)}</li>" for path, what in remarks[:_MOST_REMARKS]
        )
        parts.append(
            f"<details><summary>{len(remarks)} remarks on the reading</summary><ul>{listed}</ul></details>"
        )
    parts.append("</div>")
    return "".join(parts)


def _table(names: Sequence[str], rows: str, interactive: bool) -> str:
    heads = "".join(
        f"<th scope='col'><button type='button'>{name}</button></th>" if interactive else f"<th>{name}</th>"
        for name in names
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _finding_row(finding: Finding) -> str:
    items = [
        f"<li>{_text(part.verdict.summary)} "
        f"<small>[{_text(part.provider)} {part.event_id}, {part.count}×]</small></li>"
        for part in finding.parts[:_MOST_PARTS]
    ]
    if len(finding.parts) > _MOST_PARTS:
        items.append(f"<li>and {len(finding.parts) - _MOST_PARTS} more</li>")
    return (
        f"<tr>{_cell('last', _when(finding.last), 'when')}{_cell('first', _when(finding.first), 'when')}"
        f"{_cell('count', str(finding.count), 'num')}{_cell('host', finding.host or '')}"
        f"{_cell('VM', finding.vm or '')}<td data-name='what happened'><ul>{''.join(items)}</ul></td>"
        f"{_cell('what to do', finding.verdict.remedy or '')}</tr>"
    )


def _noise_rows(finding: Finding) -> str:
    counts: dict[tuple[str, str], int] = {}
    for part in finding.parts:
        verdict = part.verdict
        versions = f"{verdict.client_version or '?'}, {verdict.server_version or '?'}"
        if verdict.client_version is None and verdict.server_version is None:
            versions = ""
        key = str(verdict.component or ""), versions
        counts[key] = counts.get(key, 0) + part.count
    why = f"{finding.verdict.reason}{' (assumed)' if finding.verdict.assumed else ''}"
    return "".join(
        f"<tr>{_cell('VM', finding.vm or '')}{_cell('host', finding.host or '')}"
        f"{_cell('component', component)}"
        f"{_cell('versions', versions)}{_cell('count', str(count), 'num')}{_cell('why', why)}</tr>"
        for (component, versions), count in counts.items()
    )


def _cell(name: str, text: str, kind: str = "") -> str:
    return f"<td data-name='{name}'{f' class={kind!r}' if kind else ''}>{_text(text)}</td>"


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _text(text: str) -> str:
    """Escaped, with control characters spelled out."""
    shown = "".join(
        character if character.isprintable() or character in "\n\t" else f"\\x{ord(character):02x}"
        for character in text
    )
    return escape(shown)
