"""The one loop over what readers yield: records go on, all else is counted, reported, or raised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from typing import TypeVar

from hvdegraded.errors import LossError, SourceError, UnknownFormatError
from hvdegraded.reading.log_files import is_readme
from hvdegraded.records.cleared import clearing_of
from hvdegraded.records.coverage import Coverage
from hvdegraded.records.items import (
    Chunks,
    Item,
    Loss,
    LossReason,
    Member,
    Note,
    NoteKind,
    Opened,
    SetBack,
    Skipped,
)
from hvdegraded.records.local_times import in_zone
from hvdegraded.records.misplaced import MISPLACED, may_be_wanted
from hvdegraded.records.record import TIME_CAVEATS, Anomaly, EventRecord, Origin, ProviderFilter
from hvdegraded.records.recurrence import Recurrence, Recurrences, in_order, joined
from hvdegraded.records.report import ReadReport

__all__ = ["delivered", "delivered_in_order", "delivered_in_runs", "note_unread", "pass_over_other_file"]

R = TypeVar("R")


def delivered(
    items: Iterable[Item],
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    zone: tzinfo | None = None,
) -> Iterator[EventRecord]:
    """Give the wanted records, and keep the report: seen = delivered + filtered + lost, at every moment.

    `zone` is that of times that name none. Raises LossError at the first loss where the report is strict.
    """
    return _given(items, report, wanted, zone, _whole)


def delivered_in_order(
    items: Iterable[Item],
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    zone: tzinfo | None = None,
) -> Iterator[EventRecord | Recurrence]:
    """Give what `delivered` gives, but recurrences as such."""
    return _given(items, report, wanted, zone, _one_by_one)


def delivered_in_runs(
    items: Iterable[Item],
    report: ReadReport,
    wanted: ProviderFilter | None = None,
    zone: tzinfo | None = None,
) -> Iterator[EventRecord | Recurrences]:
    """Give what `delivered` gives, but recurrences as such, in runs that are alike.

    Records of one stretch of a log are thus not in the order of the log; what comes of them must not depend
    on that.
    """
    return _given(items, report, wanted, zone, _in_runs)


def _given(
    items: Iterable[Item],
    report: ReadReport,
    wanted: ProviderFilter | None,
    zone: tzinfo | None,
    usual: Callable[[list[Recurrences], ReadReport], Iterator[R]],
) -> Iterator[EventRecord | R]:
    """Give the wanted records, recurrences as `usual` makes them."""
    matches = None if wanted is None else wanted.remembering()
    times: Counter[str] = Counter()
    for item in items:
        if type(item) is list:
            yield from usual(item, report)
        elif isinstance(item, EventRecord):
            if zone is not None and item.origin.caveats:
                item = in_zone(item, zone)
            _take_time(item, report)
            clearing = clearing_of(item)
            if clearing is not None:
                report.note(NoteKind.CLEARED, clearing)
            if matches is None or matches(item.provider or item.channel):
                _count(item.origin, report)
                if item.origin.caveats:
                    times.update(TIME_CAVEATS.intersection(item.origin.caveats))
                yield item
            elif wanted is not None and item.provider_guid in wanted.guids:
                origin = item.origin.with_anomalies(Anomaly.OTHER_PROVIDER)
                _count(origin, report)
                yield item._replace(origin=origin)
            elif wanted is not None and may_be_wanted(item, wanted):
                report.lose(_of_unsure_provider(item))
            else:
                report.filtered += 1
        elif isinstance(item, Member):
            yield from _member(item, report, wanted, zone, usual)
        else:
            _take(item, report)
    for caveat, count in sorted(times.items()):
        report.note(NoteKind.TIMES, f"{caveat} ({count} {'record' if count == 1 else 'records'})")


def _of_unsure_provider(record: EventRecord) -> Loss:
    """The loss of a record whose provider is damaged or not there, so that it may be one that is wanted."""
    origin = record.origin
    misplaced = (one for one in origin.anomalies if one in MISPLACED)
    plain = "its name is damaged" if record.provider else "it names none"
    reason = next(misplaced, next(iter(origin.anomalies), plain))
    detail = f"{reason}, so that its provider is not known"
    return Loss(LossReason.MALFORMED, detail, origin.path, origin.offset, origin.line, record.record_id)


def _in_runs(found: list[Recurrences], report: ReadReport) -> Iterator[Recurrences]:
    """Give records that are wanted, of which there is nothing to report but their number and times."""
    for alike in joined(found):
        report.delivered += len(alike)
        yield alike
    _take_times(found, report)


def _whole(found: list[Recurrences], report: ReadReport) -> Iterator[EventRecord]:
    """Give the same records whole."""
    return map(Recurrence.record, _one_by_one(found, report))


def _one_by_one(found: list[Recurrences], report: ReadReport) -> Iterator[Recurrence]:
    """Give the same records in their order."""
    for record in in_order(found):
        report.delivered += 1
        yield record
    _take_times(found, report)


def _take_times(found: Iterable[Recurrences], report: ReadReport) -> None:
    times: defaultdict[tuple[str, str], list[int | None]] = defaultdict(list)
    for alike in found:
        times[alike.like.computer, alike.like.channel] += alike.changing.time_ticks
    for (computer, channel), found_there in times.items():
        known = [ticks for ticks in found_there if ticks is not None]
        if known:
            report.times.add(computer, channel, min(known), max(known))


def _take_time(record: EventRecord, report: ReadReport) -> None:
    """Note for the coverage when a record was; of an .evtx log the gaps are found by its record numbers."""
    ticks = record.time_ticks
    if ticks is None:
        return
    if record.origin.reader == "evtx":
        report.times.add(record.computer, record.channel, ticks, ticks)
    else:
        report.times.follow(record.computer, record.channel, record.record_id, ticks)


def _count(origin: Origin, report: ReadReport) -> None:
    report.delivered += 1
    report.with_anomalies += bool(origin.anomalies)
    report.with_caveats += bool(origin.caveats)
    report.recovered += origin.recovered


def _take(item: Item, report: ReadReport) -> None:
    """Report what is not a record."""
    if isinstance(item, Skipped):
        report.filtered += item.records
        if item.chunks:
            report.chunks_seen += item.chunks
            report.chunks_skipped += item.chunks
            if item.records:
                report.times.add(None, None, item.first, item.last)
    elif isinstance(item, Chunks):
        report.chunks_seen += item.seen
        report.chunks_damaged += item.damaged
    elif isinstance(item, Coverage):
        report.times.take(item)
    elif isinstance(item, Loss):
        report.lose(item)
    elif isinstance(item, Note):
        report.note(item.kind, item.text, incomplete=item.incomplete)
    elif isinstance(item, SetBack):
        report.take_set_back(item)
    elif isinstance(item, Opened):
        report.reader = item.reader
        report.size = report.size if item.size is None else item.size


def _member(
    member: Member,
    report: ReadReport,
    wanted: ProviderFilter | None,
    zone: tzinfo | None,
    usual: Callable[[list[Recurrences], ReadReport], Iterator[R]],
) -> Iterator[EventRecord | R]:
    """The wanted records of a file in an archive, which has a report of its own."""
    part = ReadReport(path=member.path, strict=report.strict)
    part.times.modified = report.times.modified
    part.times.folder = member.path.rpartition("/")[0]
    report.is_archive = True
    try:
        yield from _given(member.items, part, wanted, member.zone or zone, usual)
    except LossError:
        raise
    except UnknownFormatError as error:
        part.note(NoteKind.UNREADABLE if member.is_log else NoteKind.PASSED_OVER, error.text)
    except SourceError as error:
        part.note(NoteKind.PASSED_OVER if is_readme(member.path) else NoteKind.UNREADABLE, error.text)
    finally:
        note_unread(part)
        pass_over_other_file(part)
        report.add(part)


def note_unread(report: ReadReport) -> None:
    """Note that none of an input's records could be read, where that is so."""
    if report.lost and not (report.delivered or report.filtered):
        report.note(NoteKind.UNREADABLE, "none of its records could be read")


def pass_over_other_file(part: ReadReport) -> None:
    """Turn the losses of a file among others that holds no event at all into one remark."""
    if (
        part.delivered
        or part.filtered
        or not part.losses
        or any(loss.reason is not LossReason.NOT_AN_EVENT for loss in part.losses)
    ):
        return
    part.lost, part.losses = 0, []
    part.notes = [note for note in part.notes if note.kind is not NoteKind.UNREADABLE]
    part.note(NoteKind.PASSED_OVER, "it is not a log: none of what it holds is a Windows event")
