"""The result document: everything that text, page, notebook and JSON show of a triage, computed once.

The same dataclasses are the schema of the findings' JSON (`json_schema`), which ships in the package as
`findings.schema.json`; `schema_version` counts up when a field changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PlainSerializer, TypeAdapter

from hvdegraded.findings.assumed import AssumedVm, MissingLog, assumed_vms, missing_logs
from hvdegraded.findings.exclusion import Emptiness, Exclusion, Selection
from hvdegraded.findings.groups import EventGroup, Finding, Section, moment_of
from hvdegraded.findings.provenance import Provenance
from hvdegraded.findings.silence import SilentHost
from hvdegraded.findings.titles import detail_of, title_of
from hvdegraded.knowledge.loader import link_of
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.records.report import ReadReport
from hvdegraded.schemas import schema_of
from hvdegraded.timestamps import datetime_from_ticks
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.verdict import Assumption, Basis, Label, Reason, Severity

__all__ = [
    "CoverageEntry",
    "Document",
    "FindingEntry",
    "GroupEntry",
    "Problem",
    "Tally",
    "document_of",
    "json_schema",
]

if TYPE_CHECKING:
    _Report = ReadReport
else:
    _Report = Annotated[Any, PlainSerializer(lambda report: report.to_dict(), return_type=dict[str, Any])]


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of findings and of their events."""

    findings: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """Events of a finding with one verdict. `detail` is the summary without what the finding shows anyway."""

    provider: str
    event_id: int
    channel: str
    level: int | None
    component: Component | None
    guest_version: str | None
    host_version: str | None
    summary: str
    detail: str
    basis: Basis
    count: int
    first: datetime | None
    last: datetime | None
    last_record_id: int | None


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding as it is shown. `number` counts from 1 in the order of reading.

    `mentions` is the VM to which the result is narrowed, if the finding is not of that, but mentions it.
    """

    number: int
    id: str
    section: Section
    severity: Severity
    label: Label
    reason: Reason
    assumptions: tuple[Assumption, ...]
    acknowledged: str | None
    level: int | None
    host: str | None
    vm_name: str | None
    vm_id: str | None
    guest: str | None
    problem: str
    remedy: str | None
    references: tuple[str, ...]
    count: int
    first: datetime | None
    last: datetime | None
    groups: tuple[GroupEntry, ...]
    mentions: str | None = None

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id."""
        return self.vm_name or self.vm_id


@dataclass(frozen=True, slots=True)
class CoverageEntry:
    """A time for which a channel was read whole; an open end is None."""

    host: str
    channel: str
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Findings of a section with the same problem and remedy."""

    section: Section
    title: str
    remedy: str | None
    findings: tuple[FindingEntry, ...]

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(finding.count for finding in self.findings)

    @property
    def reason(self) -> Reason:
        """Why the findings are where they are."""
        return self.findings[0].reason

    @property
    def references(self) -> tuple[str, ...]:
        """The titles of the sources, each once."""
        return tuple(dict.fromkeys(title for finding in self.findings for title in finding.references))


@dataclass(frozen=True)
class Document:
    """Findings in the order of reading, with counts, coverage, provenance, and what was excluded or lost.

    `links` says where the references of findings can be opened.
    """

    schema: Literal["hvdegraded.findings"]
    schema_version: Literal[1]
    provenance: Provenance
    hosts: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    events: int
    sections: dict[Section, Tally]
    findings: tuple[FindingEntry, ...]
    assumed: tuple[AssumedVm, ...]
    missing_logs: tuple[MissingLog, ...] = ()
    void_acknowledgements: tuple[str, ...] = ()
    happened_again: tuple[str, ...] = ()
    silent_hosts: tuple[SilentHost, ...] = ()
    selection: Selection | None = None
    links: dict[str, str] = field(default_factory=dict)
    coverage: tuple[CoverageEntry, ...] = ()
    excluded: dict[str, int] = field(default_factory=dict)
    report: _Report = field(default_factory=ReadReport)

    @property
    def emptiness(self) -> Emptiness | None:
        """Why nothing was found although nothing is known to be well; None where events were judged."""
        if self.events or not (self.report.path or self.report.records_seen):
            return None
        if not self.report.delivered:
            return Emptiness.NO_EVENT
        outside = sum(self.excluded.get(why, 0) for why in (Exclusion.TOO_EARLY, Exclusion.TOO_LATE))
        return Emptiness.OUTSIDE_TIMES if self.silent_hosts and outside == self.report.delivered else None

    def problems(self, section: Section) -> Iterator[Problem]:
        """The problems of a section in the order of reading."""
        found = (finding for finding in self.findings if finding.section is section)
        for (title, remedy), findings in groupby(found, key=lambda one: (one.problem, one.remedy)):
            yield Problem(section, title, remedy, tuple(findings))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Document]:
    return TypeAdapter(Document)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `Document.to_dict`."""
    return schema_of(_adapter())


def document_of(
    findings: Sequence[Finding],
    *,
    report: ReadReport | None = None,
    excluded: dict[str, int] | None = None,
    provenance: Provenance | None = None,
    void: Iterable[str] = (),
    happened_again: tuple[str, ...] = (),
    silent_hosts: tuple[SilentHost, ...] = (),
    selection: Selection | None = None,
    mentions: Mapping[str, str] | None = None,
) -> Document:
    """The document of findings, whose problems keep their order."""
    report = report or ReadReport()
    entries = [replace(one, mentions=(mentions or {}).get(one.id)) for one in _entries(findings)]
    groups = [group for finding in findings for group in finding.groups]
    return Document(
        schema="hvdegraded.findings",
        schema_version=1,
        provenance=(provenance or Provenance()).with_inputs(report),
        hosts=tuple(sorted(sorted({group.host for group in groups if group.host}), key=str.lower)),
        first=moment_of(min, (group.first_ticks for group in groups)),
        last=moment_of(max, (group.last_ticks for group in groups)),
        events=sum(group.count for group in groups),
        sections=_tallies(findings),
        findings=tuple(entries),
        missing_logs=tuple(missing_logs(findings)),
        assumed=tuple(assumed_vms(findings)),
        void_acknowledgements=tuple(void),
        happened_again=happened_again,
        silent_hosts=silent_hosts,
        selection=selection,
        links=_links(entries),
        coverage=tuple(_coverage(report)),
        excluded={str(why): count for why, count in (excluded or {}).items()},
        report=report,
    )


def _links(entries: Iterable[FindingEntry]) -> dict[str, str]:
    titles = sorted({title for entry in entries for title in entry.references})
    return {title: link for title in titles if (link := link_of(title)) is not None}


def _coverage(report: ReadReport) -> Iterator[CoverageEntry]:
    for host, channel, first, last in report.coverage:
        start, end = datetime_from_ticks(first) if first else None, datetime_from_ticks(last)
        yield CoverageEntry(host or "", channel or "", start, end)


def _tallies(findings: Iterable[Finding]) -> dict[Section, Tally]:
    tallies = {section: Tally() for section in Section}
    for finding in findings:
        known = tallies[finding.section]
        tallies[finding.section] = Tally(known.findings + 1, known.events + finding.count)
    return tallies


def _entries(findings: Iterable[Finding]) -> list[FindingEntry]:
    """The findings, those with the same problem and remedy of a section together."""
    problems: dict[tuple[Section, str, str | None], list[Finding]] = {}
    for finding in findings:
        title = title_of(*finding.groups[0].judged)
        problems.setdefault((finding.section, title, finding.groups[0].ruling.remedy), []).append(finding)
    order = list(Section)
    entries: list[FindingEntry] = []
    for (_, title, _), found in sorted(problems.items(), key=lambda item: order.index(item[0][0])):
        for finding in found:
            entries.append(_entry(finding, title, len(entries) + 1))
    return entries


def _entry(finding: Finding, title: str, number: int) -> FindingEntry:
    verdict = finding.verdict
    return FindingEntry(
        number=number,
        id=finding.id,
        section=finding.section,
        severity=finding.severity,
        label=finding.label,
        reason=verdict.reason,
        assumptions=verdict.assumptions,
        acknowledged=_acknowledged(finding.acknowledged),
        level=finding.level,
        host=verdict.host,
        vm_name=verdict.vm_name,
        vm_id=verdict.vm_id,
        guest=verdict.guest,
        problem=title,
        remedy=verdict.remedy,
        references=verdict.references,
        count=finding.count,
        first=finding.first,
        last=finding.last,
        groups=tuple(_group_entries(finding.groups, title)),
    )


def _acknowledged(row: Acknowledgement | None) -> str | None:
    if row is None:
        return None
    return f"{row.why} (until {row.until})" if row.until else row.why


def _group_entries(groups: Iterable[EventGroup], title: str) -> Iterable[GroupEntry]:
    """The entries of groups; groups that read alike are one, their verdicts differ in what was not seen."""
    entries: dict[tuple[object, ...], GroupEntry] = {}
    for group in groups:
        entry = _group_entry(group, title)
        key = entry.provider, entry.event_id, entry.channel, entry.level, entry.basis, entry.detail
        known = entries.get(key)
        entries[key] = entry if known is None else _together(known, entry)
    return entries.values()


def _together(one: GroupEntry, other: GroupEntry) -> GroupEntry:
    moments = [entry.first for entry in (one, other) if entry.first]
    later = max(one, other, key=lambda entry: (entry.last is not None, entry.last))
    return replace(
        one,
        count=one.count + other.count,
        first=min(moments, default=None),
        last=later.last,
        last_record_id=later.last_record_id,
    )


def _group_entry(group: EventGroup, title: str) -> GroupEntry:
    verdict, example = group.judged
    guest, host = verdict.versions.guest, verdict.versions.host
    return GroupEntry(
        provider=example.provider,
        event_id=example.event_id,
        channel=example.channel,
        level=example.level,
        component=verdict.component,
        guest_version=str(guest) if guest else None,
        host_version=str(host) if host else None,
        summary=verdict.summary,
        detail=detail_of(verdict, example, title),
        basis=verdict.basis,
        count=group.count,
        first=moment_of(min, [group.first_ticks]),
        last=moment_of(max, [group.last_ticks]),
        last_record_id=group.last_record_id,
    )
