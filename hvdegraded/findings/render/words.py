"""Words that text and page share: titles, counts, times, caveats, and where a result comes from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from hvdegraded.findings.assumed import AssumedVms
from hvdegraded.findings.document import Document
from hvdegraded.findings.entries import GroupEntry
from hvdegraded.findings.groups import Section
from hvdegraded.findings.provenance import InventorySource, Provenance
from hvdegraded.records.items import NoteKind
from hvdegraded.records.record import Level
from hvdegraded.verdicts.phrases import sentence
from hvdegraded.verdicts.verdict import Reason

__all__ = [
    "TITLES",
    "WHY",
    "caveats",
    "caveats_of_given",
    "counts",
    "event_of",
    "headline",
    "inventory_line",
    "level_name",
    "numbers",
    "occurrences_of",
    "origin_lines",
    "plural",
    "stamp",
    "unseen",
    "when",
]

TITLES = {
    Section.ACT: "To act on",
    Section.CHECK: "To check",
    Section.ASSUMED: "Assumed",
    Section.ACKNOWLEDGED: "Acknowledged",
    Section.PROVEN: "Proven noise",
    Section.NO_ACTION: "No action needed",
}
"""The sections' titles."""

WHY = {
    Reason.LOADED_NON_WINDOWS: "The device works. Guests other than Windows are meant to speak older "
    "versions; Microsoft "
    "says that the warning can be ignored there.",
    Reason.LOADED_WINDOWS: "The device works, but a Windows guest is meant to have the version of its host.",
    Reason.LOADED_UNKNOWN: "The device works. The warning can be ignored unless the guest is Windows, and "
    "what it runs "
    "is not known for certain.",
    Reason.REFUSED_WITH_FALLBACK: "Every known guest that offers this version also offers one that this "
    "host takes, and "
    "no failure of the VM is known to have followed.",
    Reason.REFUSED_UNPROVEN: "The host refused the version, and no rule proves that this guest offers "
    "another.",
    Reason.REFUSED_THEN_FAILURE: "A failure of the same VM followed within ten minutes of the refusal.",
    Reason.REFUSED_AGAIN: "The same version was refused again when the VM was started anew.",
    Reason.NO_COMMON_VERSION: "Host and guest have no version in common, so the device does not work.",
    Reason.INVENTORY_CONTRADICTED: "The event shows a version that no system speaks which the inventory "
    "names.",
    Reason.INCOMPLETE_EVIDENCE: "The event lacks what a verdict needs: versions, VM, or undamaged values.",
    Reason.KNOWN_PROBLEM: "The sources describe this event as a problem.",
    Reason.WATCH: "The sources describe this event as worth a look when it repeats.",
    Reason.NOT_A_PROBLEM_REPORT: "The sources describe this event as information.",
    Reason.UNKNOWN_EVENT: "No source describes this event, so its level decides.",
    Reason.NOT_HYPER_V: "The event is not of Hyper-V.",
    Reason.CONSOLE_STATE: "This is what the console shows.",
}
"""What each reason says, for readers who do not know the project."""

_PREFIX = "Microsoft-Windows-"
_MOST_HOSTS = 6
_MOST_UNREADABLE = 10
_MOST_SILENT = 5


def plural(count: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def numbers(events: int, findings: int, noun: str = "finding") -> str:
    """`12 events in 3 findings`."""
    return f"{plural(events, 'event')} in {plural(findings, noun)}"


def when(moment: datetime | None) -> str:
    """A time to the second; nothing for None."""
    return moment.isoformat(" ", "seconds")[:19] if moment else ""


def stamp(moment: datetime | None, zone: tzinfo | None = UTC) -> str:
    """A time to the second with its zone; None is the local one. Nothing for no time."""
    if moment is None:
        return ""
    return f"{when(moment)} UTC" if zone is UTC else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %z}"


def level_name(level: int | None) -> str:
    """`critical`, `error`, `warning`, …; nothing where a level has no name."""
    return Level(level).name.lower() if level in set(Level) else ""


def event_of(group: GroupEntry) -> str:
    """Name the provider and id of events, and the record of the last."""
    event = f"{group.provider.removeprefix(_PREFIX)} {group.event_id}"
    if group.last_record_id is not None:
        event += f", {'record' if group.count == 1 else 'last record'} {group.last_record_id}"
    return event


def occurrences_of(group: GroupEntry) -> str:
    """Name how often an event occurred, if more than once."""
    return f" ×{group.count}" if group.count > 1 else ""


def origin_lines(document: Document, zone: tzinfo | None = UTC) -> Iterator[str]:
    """Hosts, period, inputs and inventory."""
    if document.hosts:
        hosts = ", ".join(document.hosts[:_MOST_HOSTS])
        more = len(document.hosts) - _MOST_HOSTS
        hosts += f" and {plural(more, 'more host')}" if more > 0 else ""
        span = f"; {stamp(document.first, zone)} to {stamp(document.last, zone)}" if document.first else ""
        yield f"{hosts}{span}"
    yield inventory_line(document.provenance)


def inventory_line(provenance: Provenance) -> str:
    """The inventory that was used, and when it was taken."""
    source = provenance.inventory
    if source is None:
        return "Inventory: not given"
    line = f"Inventory: {plural(source.guests, 'VM')}"
    line += f" of {source.source}" if source.source else ""
    line += f", {plural(source.problems, 'problem')}" if source.problems else ""
    if source.taken is None:
        return line
    if source.dated_by_file:
        return f"{line}, file dated {stamp(source.taken)} (it contains no date)"
    return f"{line}, taken {stamp(source.taken)}"


def headline(document: Document) -> str:
    """The counts in one line, or why there are none."""
    if document.emptiness is not None:
        why = str(document.emptiness)
        return f"{numbers(0, 0)}: {'; '.join([why, *_silence(document)])}"
    tallies = [
        f"{tally.findings} {TITLES[section].lower()}"
        for section, tally in document.sections.items()
        if tally.findings or section in (Section.ACT, Section.CHECK)
    ]
    line = f"{numbers(document.events, len(document.findings))}: {', '.join(tallies)}"
    return f"{line}; {plural(document.report.lost, 'record')} LOST" if document.report.lost else line


def counts(document: Document) -> Iterator[str]:
    """The counts in a line, with what speaks against a clear result; what a selection hides is another."""
    silence = _silence(document) if document.emptiness is None else ()
    yield "; ".join([headline(document), *document.happened_again[:1], *silence])
    for text in _left_out(document):
        yield sentence(text)


def unseen(document: Document) -> Iterator[str]:
    """Why findings may be missing: nothing was found, hosts are silent, or a selection hides some."""
    if document.emptiness is not None:
        yield headline(document)
    for text in (*_left_out(document), *(() if document.emptiness else _silence(document))):
        yield sentence(text)


def _left_out(document: Document) -> Iterator[str]:
    """What a selection leaves out, if that asks for something."""
    selection = document.selection
    if selection is None or not (selection.act or selection.check):
        return
    asked = f"{selection.act} to act on, {selection.check} to check"
    yield f"not shown, as not of {', '.join(selection.of)}: {asked}"


def _silence(document: Document) -> Iterator[str]:
    """Which hosts were not heard of within the times asked for."""
    hosts = document.silent_hosts
    for one in hosts[:_MOST_SILENT]:
        end = "newest" if one.ended else "oldest"
        yield f"the {end} record of {one.host or 'these logs'} is of {stamp(one.nearest)}"
    if len(hosts) > _MOST_SILENT:
        yield f"and {len(hosts) - _MOST_SILENT} more hosts have none of these times"


def caveats(document: Document) -> Iterator[str]:
    """What a reader must know before trusting the counts."""
    report = document.report
    if report.interrupted:
        yield "Reading was interrupted: this is what had been read by then."
    unreadable = report.unreadable
    for note in unreadable[:_MOST_UNREADABLE]:
        yield f"{note.path or 'input'}: {note.text}"
    if len(unreadable) > _MOST_UNREADABLE:
        yield f"{len(unreadable) - _MOST_UNREADABLE} more inputs could not be read."
    for note in report.notes:
        if note.kind is NoteKind.INVENTORY:
            yield f"{note.path}: {note.text}."
    yield from caveats_of_given(document)
    if document.emptiness is None:
        yield from unseen(document)
    if report.lost:
        yield f"{plural(report.lost, 'record')} LOST: what they report is not counted here."


def caveats_of_given(document: Document) -> Iterator[str]:
    """What is odd about the inventory and the policy that were given."""
    if document.provenance.inventory:
        yield from document.provenance.inventory.remarks
        yield from _caveat_of_date(document.provenance.inventory, document.assumed)
    yield from document.void_acknowledgements


def _caveat_of_date(source: InventorySource, assumed: AssumedVms) -> Iterator[str]:
    """What an inventory of another time leaves open."""
    vms = assumed.of_date
    if vms:
        date = f"{'file dated' if source.dated_by_file else 'taken'} {stamp(source.taken)}"
        open_for = f"{plural(len(vms), 'VM')} ({plural(vms.events, 'event')})"
        yield (f"The inventory ({date}) is too old or too new for {open_for}: what they ran then is assumed.")
