"""Events one by one → Triage: those that will get the same verdict are counted together.

A verdict may depend on what happened later to the same VM, so it is given when all events are seen.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, Unpack

from hvdegraded.bounded import BoundedCache
from hvdegraded.events import Event
from hvdegraded.events.folded import EventFolder, age_of
from hvdegraded.events.spool import EventSpool
from hvdegraded.events.stream import EventStream
from hvdegraded.findings.bounds import Bounds
from hvdegraded.findings.companions import Companions, companions_of
from hvdegraded.findings.event_groups import EventGroup
from hvdegraded.findings.exclusion import Exclusion
from hvdegraded.findings.folded_groups import Group, GroupKey, column
from hvdegraded.findings.grouping import Alike, Run
from hvdegraded.findings.judging import Judge
from hvdegraded.findings.mentions import HostTexts, names_by_id
from hvdegraded.findings.provenance import Provenance
from hvdegraded.findings.readings import contradicted
from hvdegraded.findings.repeats import InputSpan, Repeats, count_once, input_spans
from hvdegraded.findings.silence import silent_hosts
from hvdegraded.findings.sources import is_events, paths_or_events
from hvdegraded.findings.triage import Triage
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.reading.inputs import Source
from hvdegraded.reading.reader import map_records, read_records
from hvdegraded.records.coverage import ChannelCoverage
from hvdegraded.records.items import Note, NoteKind
from hvdegraded.records.options import ReadKeywords, ReadOptions
from hvdegraded.records.record import EventRecord, Level
from hvdegraded.records.recurrence import Recurrences
from hvdegraded.records.report import ReadReport
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.history import History, short_host
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Verdict

__all__ = ["RecordMapper", "TriageBuilder", "TriagePart", "triage"]

_MOST_ALIKE = 8192  # kinds of records that are alike; then they are looked up anew


class TriagePart(NamedTuple):
    """What a builder took, apart from how it judges."""

    groups: dict[GroupKey, Group]
    context: History
    excluded: Counter[str]


class TriageBuilder:
    """Takes events one by one, and makes a Triage of them."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        min_level: int | str = Level.WARNING,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self.classifier = classifier
        self._bounds = bounds or Bounds.of(min_level, since, until)
        self._context = History()
        self._groups: dict[GroupKey, Group] = {}
        self._kinds: dict[tuple[object, ...], tuple[object, ...]] = {}
        self._texts = HostTexts()
        self._folder = EventFolder()
        self._excluded: Counter[str] = Counter()
        self._alike: BoundedCache[Hashable, Alike] = BoundedCache(_MOST_ALIKE)
        self._names_repeats = False
        self.repeats = Repeats()

    def exclusion_reason(self, event: Event) -> Exclusion | None:
        """Why an event is left out; None where it is not."""
        return self._bounds.time_excluded(event.time_ticks) or self._bounds.kind_excluded(event)

    def add(self, event: Event) -> None:
        """Take an event."""
        self.classifier.observe(event, self._context)
        exclusion_reason = self.exclusion_reason(event)
        if exclusion_reason is not None:
            self._excluded[exclusion_reason] += 1
            return
        self._take_alike([event], column((event.time_ticks,)), column((event.record_id,)))

    def add_records(self, records: Iterable[EventRecord | Recurrences]) -> Iterator[None]:
        """Take records as they are read, each kind of those that are alike once; yields nothing."""
        for found in records:
            self._add_run(Run(found))
        yield from ()

    def _add_run(self, run: Run) -> None:
        """Take records that are alike.

        They are equal but for what changes, of which times and record ids alone count: normalising, observing
        and grouping the first of a kind does the same for all others.
        """
        alike, first = self._alike.get(run.kind), None
        if alike is None:
            first = self.classifier.normalise.briefly(run[0])
            timelines = self.classifier.observe(first, self._context)
            alike = Alike(run.like, timelines, self._bounds.kind_excluded(first))
            if run.is_short:
                self._alike[run.kind] = alike
        ticks = column(run.times)
        for timeline in alike.timelines:
            timeline.extend(ticks)
        if not self._bounds.timeless:
            reasons = [self._bounds.time_excluded(ticks) for ticks in run.times]
            self._excluded.update(reason for reason in reasons if reason is not None)
            run.keep([at for at, reason in enumerate(reasons) if reason is None])
            first = None
        if alike.excluded is not None and run:
            self._excluded[alike.excluded] += len(run)
            return
        if run:
            self._count(run, alike, first)

    def _count(self, run: Run, alike: Alike, first: Event | None) -> None:
        """Count records in their group; `first` is the event of the first one, if made."""
        ticks, record_ids = column(run.times), column(run.ids)
        group = alike.group
        if group is not None and (
            min(ticks) > group.age[0] or min(zip(ticks, record_ids, strict=True)) > group.age
        ):
            group.extend(ticks, record_ids)
            return
        oldest = min(zip(ticks, record_ids, strict=True))
        places = [at for at, age in enumerate(zip(ticks, record_ids, strict=True)) if age == oldest]
        events = [
            first if first is not None and at == 0 else self.classifier.normalise.briefly(run[at])
            for at in places
        ]
        alike.group = self._take_alike(events, ticks, record_ids)

    def _take_alike(self, oldest: list[Event], ticks: array[int], record_ids: array[int]) -> Group:
        """Take events of a group at these times; `oldest` are those of which one may be its example."""
        key = self._key(oldest[0])
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self._folder.fold(oldest.pop()), ticks, record_ids)
            self._texts.count(key)
        else:
            group.extend(ticks, record_ids)
        for event in oldest:
            group.show(event, self._folder)
        return group

    def _key(self, event: Event) -> GroupKey:
        """What events of a group share: what they say, remedy, if fields decide that, texts, and VM."""
        fact = event.fact
        remedy = self.verdict(event).remedy if fact is not None and fact.cases else None
        says = event.ruling_key, event.host, event.level, event.channel, remedy
        kind, name, vm_id = self._texts.key(says, event, self._groups)
        return self._kinds.setdefault(kind, kind), name, vm_id  # one object for many VMs

    def merge(self, part: TriagePart) -> None:
        """Take what another builder took; which comes first does not matter."""
        self._context.merge(part.context)
        self._excluded.update(part.excluded)
        for key, group in part.groups.items():
            known = self._groups.setdefault(key, group)
            if known is not group:
                known.extend(*group.columns)
                if group.age <= known.age:
                    known.show(group.example, self._folder)

    @property
    def part(self) -> TriagePart:
        """What was taken, for another builder to merge."""
        return TriagePart(self._groups, self._context, self._excluded)

    def verdict(self, event: Event) -> Verdict:
        """The verdict on an event in the context of all that were taken."""
        return self.classifier.classify(event, self._context)

    def read(
        self,
        source: Source | Iterable[str | os.PathLike[str]],
        options: ReadOptions,
        kept: EventSpool | None = None,
        notes: Sequence[Note] = (),
    ) -> ReadReport:
        """Take all events of a source, and put aside those that are not excluded, if asked.

        Several processes read where that can pay off, and nothing is put aside. `notes` are on files that lie
        beside the logs; with them, a source may be empty.
        """
        is_empty = bool(notes) and not source
        report = ReadReport(path=notes[0].path) if is_empty else self._read(source, options, kept)
        is_given = not self.classifier.guests.empty
        report.notes.extend(note for note in notes if not (is_given and note.kind is NoteKind.INVENTORY))
        return report

    def _read(self, source: Any, options: ReadOptions, kept: EventSpool | None) -> ReadReport:
        wanted = self.classifier.knowledge.provider_filter()
        self._names_repeats = kept is not None
        if options.workers.count > 1 and kept is None:
            mapper = RecordMapper(self.classifier, self._bounds)
            parts, report = map_records(source, mapper, wanted=wanted, options=options)
            with self._interruptible(report, parts):
                for part in parts:
                    self.merge(part)
            return report
        if kept is None:
            nothing, report = map_records(source, self.add_records, wanted=wanted, options=options)
            with self._interruptible(report, nothing):
                for _ in nothing:
                    pass
            return report
        stream = EventStream(read_records(source, wanted=wanted, options=options), self.classifier.normalise)
        self.take(stream, stream.report, kept)
        return stream.report

    def take(
        self,
        events: Iterable[Event | EventRecord],
        report: ReadReport,
        kept: EventSpool | None = None,
    ) -> None:
        """Take all of these events; an interruption (Ctrl-C) ends that, and is noted in the report."""
        with self._interruptible(report, events):
            for item in events:
                if not isinstance(item, Event):
                    item = self.classifier.event_of(item)
                self.add(item)
                if kept is not None and self.exclusion_reason(item) is None:
                    kept.add(item)

    @contextmanager
    def _interruptible(self, report: ReadReport, events: Iterable[Any]) -> Iterator[None]:
        """Take events in such a block: an interruption (Ctrl-C) ends it, what was taken stays whole, and
        the report says so.
        """
        try:
            yield
        except KeyboardInterrupt:
            close = getattr(events, "close", None)
            if close is not None:
                close()  # now the report counts what was read
            self._context.incomplete = True
            for group in self._groups.values():
                group.mend()
            report.interrupt()

    def finish(self, report: ReadReport) -> Triage:
        """What the events amount to, where the report knows of what else there was."""
        vms = {(vm_id, name) for _, name, vm_id in self._groups if name or vm_id}
        provenance = Provenance.with_inventory(self.classifier.guests, vms)
        by_id = names_by_id(vms, self.classifier.guests)
        others = self._context.names_beside(vms) if self._excluded else frozenset()
        del vms  # before the verdicts, for which all else that is known is needed
        groups = self.judge(report.coverage, input_spans(report))
        for note in self.repeats.notes():
            report.note(*note)
        rows = self.classifier.policy.acknowledgements
        silent = silent_hosts(report, self._bounds.since, self._bounds.until)
        return Triage(groups, report, self._excluded, provenance, rows, others, by_id, silent_hosts=silent)

    def judge(
        self, coverage: ChannelCoverage, spans: Iterable[InputSpan], elsewhere: Iterable[History] = ()
    ) -> tuple[EventGroup, ...]:
        """Give the verdicts; events that were read twice count once.

        `coverage` and `spans` say what was read, `elsewhere` what happened on other hosts.
        """
        for history in elsewhere:
            self._context.merge(history)
        self._context.coverage = coverage
        self._texts.join(self._groups, self._folder)
        self.repeats = count_once(self._groups, spans, names=self._names_repeats)
        if self.repeats.dropped:
            self._excluded[Exclusion.READ_AGAIN] += self.repeats.dropped
        for example in self.repeats.examples:
            self._context.distrust(example)
        self._alike.clear()
        # Keys take half of what a VM with one event takes, columns of many events nearly all there is.
        groups, self._groups = deque(self._groups.values()), {}
        judge = Judge(self.classifier, self._context)
        judged: list[EventGroup] = []
        while groups:
            judged += judge.judged(groups.popleft())
        return tuple(judged)

    def settled(self, event: Event) -> Event | None:
        """An event that was put aside, as it counts; None where another reading of it counts."""
        if not (self.repeats.gone or self.repeats.marked):
            return event
        name = self._key(event), *age_of(event.time_ticks, event.record_id)
        if name in self.repeats.marked:
            return contradicted(event, self.repeats.marked[name])
        if self.repeats.gone[name]:
            self.repeats.gone[name] -= 1
            return None
        return event


@dataclass(frozen=True)
class RecordMapper:
    """Makes of records what a builder takes of them, in whichever process reads them."""

    classifier: Classifier
    bounds: Bounds

    def __call__(self, records: Iterator[EventRecord | Recurrences]) -> Iterator[TriagePart]:
        """One part of all the records."""
        builder = self.builder()
        for _ in builder.add_records(records):
            pass
        yield builder.part

    def by_host(self, records: Iterator[EventRecord | Recurrences]) -> dict[str, TriagePart]:
        """A part of the records of each host, by the name that `short_host` gives it."""
        builders: dict[str, TriageBuilder] = defaultdict(self.builder)
        for host, run in groupby(records, _host):
            for _ in builders[host].add_records(run):
                pass
        return {host: builder.part for host, builder in builders.items()}

    def builder(self) -> TriageBuilder:
        """A builder with the same classifier and bounds."""
        return TriageBuilder(self.classifier, bounds=self.bounds)


def _host(found: EventRecord | Recurrences) -> str:
    return short_host(found.computer if isinstance(found, EventRecord) else found.like.computer)


def triage(
    source: Source | Iterable[str | os.PathLike[str]] | EventStream | Iterable[Event | EventRecord],
    *,
    guests: object = None,
    policy: Policy | None = None,
    min_level: int | str = Level.WARNING,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    **keywords: Unpack[ReadKeywords],
) -> Triage:
    """What matters in logs: paths, folders, patterns, bytes, a stream, a data frame, or events already read.

    `guests` is a GuestInventory or what `GuestInventory.load` takes: a path, a mapping, rows, a data frame.
    Looks at events of `min_level` (`"error"`) and worse; the others serve as context, and are counted.
    `since` and `until` (`"24h"`, `"yesterday"`, ISO 8601 or a datetime; UTC if naive) bound the times. The
    other keywords are the fields of ReadOptions, or `options`:
    `workers` is how many processes read paths and judge what is in them; the result is the same. `progress`
    (on unless it is False) shows how far a long reading is, in Jupyter and on terminals.

    The inventory in a zip of the collection script, and the systems that exported console states name, count
    beside `guests`. An interruption (Ctrl-C) ends the reading: the triage is of what was read by then, and
    its report says so. Raises as `read` does.

    >>> import hvdegraded as hv
    >>> found = hv.triage("sample_logs/hv2022", guests="sample_logs/guests.json")
    >>> [finding.vm for finding in found.to_act_on][:2]
    ['win-erp', 'ubu-api']
    """
    if keywords.get("options") is None:
        keywords.setdefault("progress", True)
    options = ReadOptions.of(**keywords)
    if guests is not None and not isinstance(guests, GuestInventory):
        guests = GuestInventory.load(guests)
    if isinstance(source, Iterator) and not (isinstance(source, EventStream) or hasattr(source, "read")):
        source = paths_or_events(source)
    reads = not (isinstance(source, EventStream) or is_events(source))
    found = companions_of(source) if reads else Companions(source)
    classifier = Classifier(found.beside(guests), policy)
    builder = TriageBuilder(classifier, min_level=min_level, since=since, until=until)
    if isinstance(source, EventStream):
        report = source.report
    elif not reads:
        report = ReadReport()
        if source in ([], ()):
            report.note(NoteKind.UNREADABLE, "nothing was given: no path, no event")
    else:
        return builder.finish(builder.read(found.source, options, notes=found.notes))
    builder.take(source, report)  # type: ignore[arg-type]
    return builder.finish(report)
