"""The result document: everything that text, page, notebook and JSON show of a triage, computed once.

The same dataclasses are the schema of the findings' JSON (`json_schema`), which ships in the package as
`findings.schema.json`; `schema_version` counts up when a field changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PlainSerializer, TypeAdapter, WrapSerializer

from hvdegraded.findings.assumed import AssumedVm, AssumedVms, MissingLog, assumed_vms, missing_logs
from hvdegraded.findings.entries import NO_NAMES, FindingEntries, FindingEntry, Names, Problem, problems_of
from hvdegraded.findings.event_groups import span_of
from hvdegraded.findings.exclusion import Emptiness, Exclusion, Selection
from hvdegraded.findings.groups import Finding, Section
from hvdegraded.findings.provenance import Provenance
from hvdegraded.findings.silence import SilentHost
from hvdegraded.knowledge.loader import link_of
from hvdegraded.records.report import ReadReport
from hvdegraded.schemas import schema_of
from hvdegraded.timestamps import datetime_from_ticks

__all__ = [
    "CoverageEntry",
    "Document",
    "Tally",
    "document_of",
    "json_schema",
]

if TYPE_CHECKING:
    _Report = ReadReport
    _Findings = FindingEntries
    _Assumed = AssumedVms
else:
    _plain = WrapSerializer(lambda items, serialized: serialized(tuple(items)))
    _Findings = Annotated[tuple[FindingEntry, ...], _plain]
    _Assumed = Annotated[tuple[AssumedVm, ...], _plain]
    _Report = Annotated[Any, PlainSerializer(lambda report: report.to_dict(), return_type=dict[str, Any])]


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of findings and of their events."""

    findings: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class CoverageEntry:
    """A time for which a channel was read whole; an open end is None."""

    host: str
    channel: str
    first: datetime | None
    last: datetime | None


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
    findings: _Findings
    assumed: _Assumed
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
        return (problem for problem in self.findings.problems if problem.section is section)

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
    names: Names = NO_NAMES,
) -> Document:
    """The document of findings, whose problems keep their order."""
    report = report or ReadReport()
    problems = tuple(problems_of(findings, names))
    first, last = span_of(finding.span for finding in findings)
    hosts = {group.host for finding in findings for group in finding.groups if group.host}
    return Document(
        schema="hvdegraded.findings",
        schema_version=1,
        provenance=(provenance or Provenance()).with_inputs(report),
        hosts=tuple(sorted(sorted(hosts), key=str.lower)),
        first=datetime_from_ticks(first),
        last=datetime_from_ticks(last),
        events=sum(finding.count for finding in findings),
        sections=_tallies(findings),
        findings=FindingEntries(problems),
        missing_logs=tuple(missing_logs(findings)),
        assumed=assumed_vms(findings),
        void_acknowledgements=tuple(void),
        happened_again=happened_again,
        silent_hosts=silent_hosts,
        selection=selection,
        links=_links(problems),
        coverage=tuple(_coverage(report)),
        excluded={str(why): count for why, count in (excluded or {}).items()},
        report=report,
    )


def _links(problems: Iterable[Problem]) -> dict[str, str]:
    titles = sorted({title for problem in problems for title in problem.references})
    return {title: link for title in titles if (link := link_of(title)) is not None}


def _coverage(report: ReadReport) -> Iterator[CoverageEntry]:
    for host, channel, first, last in report.coverage:
        start, end = datetime_from_ticks(first) if first else None, datetime_from_ticks(last)
        yield CoverageEntry(host or "", channel or "", start, end)


def _tallies(findings: Iterable[Finding]) -> dict[Section, Tally]:
    events: dict[Section, list[int]] = {section: [] for section in Section}
    for finding in findings:
        events[finding.section].append(finding.count)
    return {section: Tally(len(counts), sum(counts)) for section, counts in events.items()}
