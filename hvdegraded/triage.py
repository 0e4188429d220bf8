"""Many events → what matters: findings with counts, and an account of all that was left out.

Events are taken one by one. Those that get the same verdict for the same reason are one `Occurrences`, which
keeps one example and, of each event, its time and record id: 16 bytes. Findings gather the occurrences that
are one problem of one VM; so a mismatch that five components report is one finding with five parts.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from hvdegraded.classify import Classifier
from hvdegraded.context import Context
from hvdegraded.events import HyperVEvent, UnrelatedEvent, VersionEvent
from hvdegraded.guests import GuestInventory
from hvdegraded.knowledge import Outcome
from hvdegraded.policy import Policy
from hvdegraded.reading import EventStream, Source, gather, read
from hvdegraded.record import EventRecord, Level, ReadReport
from hvdegraded.times import datetime_from_ticks, ticks_from_datetime
from hvdegraded.verdict import Label, Reason, Verdict

if TYPE_CHECKING:
    from hvdegraded.render.pictures import Picture

__all__ = ["Finding", "Occurrences", "Triage", "triage"]

_NO_TICKS = -1
_NO_ID = -1


@dataclass(frozen=True)
class Occurrences:
    """Events with the same verdict: one of them as example, and when each happened.

    `ticks` (100 ns since 1601) and `record_ids` are in the order of reading, -1 where unknown.
    """

    verdict: Verdict
    example: HyperVEvent
    ticks: array[int]
    record_ids: array[int]

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self.ticks)

    @property
    def first_ticks(self) -> int | None:
        """When the first happened."""
        return min((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def last_ticks(self) -> int | None:
        """When the last happened."""
        return max((ticks for ticks in self.ticks if ticks >= 0), default=None)

    @property
    def provider(self) -> str:
        """Provider of the events."""
        return self.example.provider

    @property
    def event_id(self) -> int:
        """Id of the events."""
        return self.example.event_id


@dataclass(frozen=True)
class Finding:
    """One problem, or one kind of noise, of one VM (or host): its parts, most frequent first."""

    parts: tuple[Occurrences, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the most frequent part."""
        return self.parts[0].verdict

    @property
    def label(self) -> Label:
        """The label, which all parts share."""
        return self.verdict.label

    @property
    def host(self) -> str | None:
        """The host that logged the events."""
        return self.verdict.host

    @property
    def vm(self) -> str | None:
        """The VM's name, else its id; None for what concerns the host."""
        return self.verdict.vm_name or self.verdict.vm_id

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(part.count for part in self.parts)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return _moment(min, (part.first_ticks for part in self.parts))

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return _moment(max, (part.last_ticks for part in self.parts))

    @property
    def last_ticks(self) -> int:
        """Time of the last event in ticks, for sorting; -1 where unknown."""
        return max((part.last_ticks or _NO_TICKS for part in self.parts), default=_NO_TICKS)


def _moment(pick: Callable[[list[int]], int], ticks: Iterable[int | None]) -> datetime | None:
    known = [one for one in ticks if one is not None]
    return datetime_from_ticks(pick(known)) if known else None


@dataclass(frozen=True)
class Triage:
    """What a reading amounts to: findings, actionable and newest first, and what was left out.

    `left_out` counts events below the level or outside of the times asked for, by why; `report` is the
    account of the reading.
    """

    occurrences: tuple[Occurrences, ...]
    report: ReadReport = field(default_factory=ReadReport)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings: actionable ones first, then newest first."""
        groups: dict[tuple[object, ...], list[Occurrences]] = {}
        for part in self.occurrences:
            verdict = part.verdict
            vm = verdict.vm_id or (verdict.vm_name or "").lower()
            key = (verdict.host or "").lower(), vm, verdict.label, verdict.problem, verdict.assumed
            groups.setdefault(key, []).append(part)
        found = [
            Finding(tuple(sorted(parts, key=lambda part: (-part.count, part.verdict.summary))))
            for parts in groups.values()
        ]
        found.sort(
            key=lambda finding: (finding.verdict.ignorable, -finding.last_ticks, finding.verdict.summary)
        )
        return tuple(found)

    @property
    def actionable(self) -> Triage:
        """Only what is actionable."""
        return self._where(lambda part: part.verdict.actionable)

    @property
    def ignorable(self) -> Triage:
        """Only what is ignorable."""
        return self._where(lambda part: part.verdict.ignorable)

    @property
    def assumed(self) -> Triage:
        """Only what rests on an assumption about the guest."""
        return self._where(lambda part: part.verdict.assumed)

    def vm(self, name_or_id: str) -> Triage:
        """Only what concerns a VM, by name or id in any letter case."""
        wanted = name_or_id.strip("{}").lower()
        return self._where(
            lambda part: wanted in ((part.verdict.vm_name or "").lower(), (part.verdict.vm_id or "").lower())
        )

    def host(self, name: str) -> Triage:
        """Only what a host logged; `hv1` also finds `hv1.example.org`."""
        wanted = name.lower()

        def is_host(part: Occurrences) -> bool:
            host = (part.verdict.host or "").lower()
            return host == wanted or host.split(".")[0] == wanted

        return self._where(is_host)

    def component(self, name: str) -> Triage:
        """Only what concerns a component: `storage`, `network`, `data exchange`, …."""
        return self._where(lambda part: part.verdict.component == name)

    def between(self, start: datetime | None, end: datetime | None) -> Triage:
        """Only what happened from `start` until before `end`; naive times are UTC."""
        low = ticks_from_datetime(start) if start else _NO_TICKS
        high = ticks_from_datetime(end) if end else None
        kept = []
        for part in self.occurrences:
            rows = [
                row
                for row in zip(part.ticks, part.record_ids, strict=True)
                if row[0] >= low and (high is None or row[0] < high)
            ]
            if rows:
                ticks, ids = zip(*rows, strict=True)
                kept.append(Occurrences(part.verdict, part.example, array("q", ticks), array("q", ids)))
        return Triage(tuple(kept), self.report, self.left_out)

    def _where(self, test: Callable[[Occurrences], bool]) -> Triage:
        return Triage(tuple(part for part in self.occurrences if test(part)), self.report, self.left_out)

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(part.count for part in self.occurrences)

    @property
    def first(self) -> datetime | None:
        """UTC time of the first event."""
        return _moment(min, (part.first_ticks for part in self.occurrences))

    @property
    def last(self) -> datetime | None:
        """UTC time of the last event."""
        return _moment(max, (part.last_ticks for part in self.occurrences))

    def by_label(self) -> Counter[Label]:
        """Events by label."""
        return self._counted(lambda verdict: verdict.label)

    def by_reason(self) -> Counter[Reason]:
        """Events by reason."""
        return self._counted(lambda verdict: verdict.reason)

    def _counted(self, key: Callable[[Verdict], Any]) -> Counter[Any]:
        counts: Counter[Any] = Counter()
        for part in self.occurrences:
            counts[key(part.verdict)] += part.count
        return counts

    def __str__(self) -> str:
        from hvdegraded.render.text import as_text

        return as_text(self)

    __repr__ = __str__

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        for label, count in self.by_label().items():
            yield label.name.lower(), count
        yield "findings", len(self.findings)

    def _repr_html_(self) -> str:
        from hvdegraded.render.html import as_fragment

        return as_fragment(self)

    def to_html(self, title: str = "Hyper-V triage") -> str:
        """One self-contained page to share, with tables to sort and search."""
        from hvdegraded.render.html import as_page

        return as_page(self, title)

    def plot(self, kind: str = "timeline") -> Picture:
        """A picture for Jupyter or to `save`: each VM's `timeline`, or the `versions` that differ.

        Needs matplotlib (extra `notebook`), else raises MissingExtraError.
        """
        from hvdegraded.render.pictures import draw

        return draw(self, kind)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        from hvdegraded.frames import to_arrow

        return to_arrow(self).__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow.Table, one row for each event; columns in `hvdegraded.frames.SCHEMA`."""
        from hvdegraded.frames import to_arrow

        return to_arrow(self)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame of the same columns."""
        from hvdegraded.frames import to_pandas

        return to_pandas(self)

    def to_polars(self) -> Any:
        """A polars.DataFrame of the same columns."""
        from hvdegraded.frames import to_polars

        return to_polars(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: counts, findings with their parts, and the account of the reading."""
        return {
            "events": self.count,
            "by_label": {str(key): count for key, count in self.by_label().items()},
            "by_reason": {str(key): count for key, count in self.by_reason().items()},
            "left_out": dict(self.left_out),
            "findings": [
                {
                    "count": finding.count,
                    "first": finding.first.isoformat() if finding.first else None,
                    "last": finding.last.isoformat() if finding.last else None,
                    "parts": [
                        part.verdict.model_dump(mode="json")
                        | {"provider": part.provider, "event_id": part.event_id, "count": part.count}
                        for part in finding.parts
                    ],
                }
                for finding in self.findings
            ],
            "report": self.report.to_dict(),
        }


class _Group:
    """Events that will get the same verdict, but for their context."""

    __slots__ = ("example", "record_ids", "ticks")

    def __init__(self, example: HyperVEvent) -> None:
        self.example = example
        self.ticks: array[int] = array("q")
        self.record_ids: array[int] = array("q")


class TriagePart(NamedTuple):
    """What a builder took, apart from how it judges."""

    groups: dict[tuple[object, ...], _Group]
    context: Context
    left_out: Counter[str]


class TriageBuilder:
    """Takes events one by one, and makes a Triage of them."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        min_level: int = Level.WARNING,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self._classifier = classifier
        self._min_level = min_level
        self._since = ticks_from_datetime(since) if since else None
        self._until = ticks_from_datetime(until) if until else None
        self._context = Context()
        self._groups: dict[tuple[object, ...], _Group] = {}
        self._left_out: Counter[str] = Counter()

    def why_not(self, event: HyperVEvent) -> str | None:
        """Why an event is left out; None where it is not."""
        level, ticks = event.level, event.time_ticks
        if isinstance(event, UnrelatedEvent):
            return "of other providers"
        if level is not None and level > self._min_level:
            return f"below the level {Level(self._min_level).name.lower()}"
        if ticks is not None and self._since is not None and ticks < self._since:
            return "before the time asked for"
        if ticks is not None and self._until is not None and ticks >= self._until:
            return "after the time asked for"
        return None

    def add(self, event: HyperVEvent) -> None:
        """Take an event."""
        self._classifier.observe(event, self._context)
        why_not = self.why_not(event)
        if why_not is not None:
            self._left_out[why_not] += 1
            return
        key = self._classifier.group_key(event)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(event)
        group.ticks.append(_NO_TICKS if event.time_ticks is None else min(event.time_ticks, _MOST))
        group.record_ids.append(_NO_ID if event.record_id is None else min(event.record_id, _MOST))

    def merge(self, part: TriagePart) -> None:
        """Take what another builder took, as if its events came next here."""
        self._context.merge(part.context)
        self._left_out.update(part.left_out)
        for key, group in part.groups.items():
            known = self._groups.setdefault(key, group)
            if known is not group:
                known.ticks.extend(group.ticks)
                known.record_ids.extend(group.record_ids)

    @property
    def part(self) -> TriagePart:
        """What was taken, for another builder to merge."""
        return TriagePart(self._groups, self._context, self._left_out)

    def verdict(self, event: HyperVEvent) -> Verdict:
        """The verdict on an event in the context of all that were taken."""
        return self._classifier.classify(event, self._context)

    def finish(self, report: ReadReport) -> Triage:
        """What the events amount to."""
        found: list[Occurrences] = []
        for group in self._groups.values():
            example = group.example
            if isinstance(example, VersionEvent) and example.outcome is Outcome.REFUSED:
                found += self._refusals(group)
            else:
                found.append(Occurrences(self.verdict(example), example, group.ticks, group.record_ids))
        return Triage(tuple(found), report, self._left_out)

    def _refusals(self, group: _Group) -> Iterator[Occurrences]:
        """A failure may have followed some of them."""
        parts: dict[Verdict, _Group] = {}
        for ticks, record_id in zip(group.ticks, group.record_ids, strict=True):
            verdict = self._classifier.classify(group.example, self._context, ticks=ticks)
            part = parts.get(verdict)
            if part is None:
                part = parts[verdict] = _Group(group.example)
            part.ticks.append(ticks)
            part.record_ids.append(record_id)
        for verdict, part in parts.items():
            yield Occurrences(verdict, part.example, part.ticks, part.record_ids)


_MOST = (1 << 63) - 1


@dataclass
class TriageGather:
    """Makes of records what a builder takes of them, in whichever process reads them."""

    guests: GuestInventory | None
    policy: Policy | None
    min_level: int
    since: datetime | None
    until: datetime | None
    _classifier: Classifier | None = None

    def __call__(self, records: Iterator[EventRecord]) -> Iterator[TriagePart]:
        classifier = self._classifier = self._classifier or Classifier(self.guests, self.policy)
        builder = TriageBuilder(classifier, min_level=self.min_level, since=self.since, until=self.until)
        for record in records:
            builder.add(classifier.normalise(record))
        yield builder.part


def triage(
    source: Source | Iterable[str] | EventStream | Iterable[HyperVEvent | EventRecord],
    *,
    guests: GuestInventory | None = None,
    policy: Policy | None = None,
    min_level: int = Level.WARNING,
    since: datetime | None = None,
    until: datetime | None = None,
    strict: bool = False,
    engine: str = "hvdegraded",
    workers: int = 1,
) -> Triage:
    """What matters in logs: a path, folder, pattern, bytes, stream, several paths, or events already read.

    Looks at events of `min_level` and worse; the others serve as context, and are counted. `since` and
    `until` (UTC where naive) bound the times. `workers` is how many processes read paths and judge what is
    in them; the result is the same. Raises as `read` does.
    """
    classifier = Classifier(guests, policy)
    builder = TriageBuilder(classifier, min_level=min_level, since=since, until=until)
    events: Iterable[Any] = ()
    report = ReadReport()
    if isinstance(source, EventStream):
        events, report = source, source.report
    elif _is_events(source):
        events = source  # type: ignore[assignment]
    elif workers != 1:
        parts, report = gather(
            source,  # type: ignore[arg-type]
            TriageGather(guests, policy, min_level, since, until),
            wanted=classifier.knowledge.provider_filter(),
            strict=strict,
            engine=engine,
            workers=workers,
        )
        for part in parts:
            builder.merge(part)
    else:
        stream = read(source, knowledge=classifier.knowledge, strict=strict, engine=engine)  # type: ignore[arg-type]
        events, report = stream, stream.report
    for event in events:
        builder.add(classifier.normalise(event) if isinstance(event, EventRecord) else event)
    return builder.finish(report)


def _is_events(source: object) -> bool:
    if isinstance(source, (str, bytes)) or hasattr(source, "read") or hasattr(source, "__fspath__"):
        return False
    if isinstance(source, (list, tuple)):
        return all(isinstance(item, (HyperVEvent, EventRecord)) for item in source)
    return True
