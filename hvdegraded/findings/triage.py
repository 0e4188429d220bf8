"""The result of a triage: findings, filters over them, and views as text, page, pictures, frames and JSON.

Events that get the same verdict for the same reason are one `EventGroup`, which keeps one example, folded,
and, of each event, its time and record id: 16 bytes. Findings are such groups that are one matter of one VM;
so a mismatch that five components report is one finding with five groups. `builder` makes a Triage of events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hvdegraded.errors import UnknownNameError, WrongTypeError, WrongValueError
from hvdegraded.findings.acknowledged import (
    idle_acknowledgements,
    void_acknowledgements,
    with_acknowledgements,
)
from hvdegraded.findings.event_groups import EventGroup, GroupedEvents
from hvdegraded.findings.exclusion import Exclusion, Selection
from hvdegraded.findings.groups import Finding, Section, finding_id, findings_of, in_order
from hvdegraded.findings.mentions import VmSelection
from hvdegraded.findings.provenance import Provenance
from hvdegraded.findings.silence import SilentHost
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.records.report import ReadReport
from hvdegraded.timestamps import ticks_from_datetime
from hvdegraded.verdicts.acknowledgement import Acknowledgement
from hvdegraded.verdicts.history import same_name
from hvdegraded.verdicts.verdict import Label, Reason

if TYPE_CHECKING:
    from hvdegraded.findings.document import Document
    from hvdegraded.findings.render.plots import Picture

__all__ = ["Triage"]

_MOST_SUGGESTED = 3
_PARTIAL = frozenset({Exclusion.TOO_EARLY, Exclusion.TOO_LATE, Exclusion.KNOWN, Exclusion.KNOWN_AGAIN})


@dataclass(frozen=True, repr=False)
class Triage(GroupedEvents):
    """Findings in the order of reading, with counts, and what was excluded: a container of Finding.

    `groups` holds the events, `excluded` counts those below the level or outside of the times asked for, by
    why; `report` is the account of the reading, `provenance` names version, inputs and inventory;
    `other_vms` contains the names and ids (`same_name`) of VMs of which every event is excluded,
    `names_by_id` the names of VMs that some events name by id alone;
    `happened_again` names what is excluded as known, and happened again; `silent_hosts` are those of which
    nothing was read within the times asked for. `selected` names the VM, host or component to which this is
    narrowed, `left_out` holds the other events, and `mentions` the VM by the ids of findings that are
    not of that VM, but mention it.

    >>> import hvdegraded as hv
    >>> found = hv.triage("sample_logs/hv2012r2/System.evtx", guests="sample_logs/guests.json")
    >>> found
    <Triage, 248 events in 8 findings: 1 to act on, 1 to check, 4 assumed, 2 proven noise>
    >>> len(found.vm("appliance"))
    1
    """

    groups: tuple[EventGroup, ...]
    report: ReadReport = field(default_factory=ReadReport)
    excluded: Counter[str] = field(default_factory=Counter)
    provenance: Provenance = field(default_factory=Provenance)
    acknowledgements: tuple[Acknowledgement, ...] = ()
    other_vms: frozenset[str] = frozenset()
    names_by_id: dict[str, str] = field(default_factory=dict)
    happened_again: tuple[str, ...] = ()
    silent_hosts: tuple[SilentHost, ...] = ()
    selected: tuple[str, ...] = ()
    left_out: tuple[EventGroup, ...] = ()
    mentions: dict[str, str] = field(default_factory=dict)
    _whole: tuple[EventGroup, ...] | None = field(default=None, compare=False)  # of which this is a selection

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings: to act on, to check, assumed, proven; within, worst level and newest first."""
        return in_order(with_acknowledgements(findings_of(self.groups), self.acknowledgements, _today()))

    def __len__(self) -> int:
        return len(self.findings)

    def __bool__(self) -> bool:
        return bool(self.groups)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __repr__(self) -> str:
        return f"<Triage, {self.headline()}>"

    # ------------------------------------------------------------ selections

    @property
    def to_act_on(self) -> Triage:
        """Only what needs action."""
        return self._of_section(Section.ACT)

    @property
    def to_check(self) -> Triage:
        """Only what is worth a look."""
        return self._of_section(Section.CHECK)

    @property
    def assumed(self) -> Triage:
        """Only what is ignorable under an assumption."""
        return self._of_section(Section.ASSUMED)

    @property
    def acknowledged(self) -> Triage:
        """Only what the policy acknowledges."""
        return self._of_section(Section.ACKNOWLEDGED)

    @property
    def proven(self) -> Triage:
        """Only what is proven to be ignorable."""
        return self._of_section(Section.PROVEN)

    @property
    def actionable(self) -> Triage:
        """Only events with the label actionable, whether they ask for something or not."""
        return self._where(lambda group: group.ruling.label is Label.ACTIONABLE)

    @property
    def ignorable(self) -> Triage:
        """Only events with the label ignorable, proven or assumed."""
        return self._where(lambda group: group.ruling.label is Label.IGNORABLE)

    def vm(self, name_or_id: str) -> Triage:
        """Only what concerns a VM, by name or id in any letter case, or mentions it in a field or message.

        Empty if all of its events are excluded. Raises UnknownNameError, with names that are alike, if no
        event names it.
        """
        wanted = _given("VM", name_or_id).strip("{}").lower()
        whole = self._whole or self.groups
        selection = VmSelection(wanted, whole, self.other_vms, self.names_by_id)
        if same_name(wanted) not in self.other_vms and not any(
            selection.is_own(group) or selection.is_mention(group) for group in whole
        ):
            named = [event.vm_name or event.vm_id for event in (group.example for group in whole)]
            raise _unknown("VM", name_or_id, [*self.other_vms, *named])
        found = [group for group in self.groups if selection.is_mention(group)]
        mentions = {finding_id(*group.judged): name_or_id for group in found}
        kept = {id(group) for group in found}
        narrowed = self._narrowed(
            f"VM {name_or_id}", lambda group: id(group) in kept or selection.is_own(group)
        )
        return replace(narrowed, mentions=mentions)

    def host(self, name: str) -> Triage:
        """Only what a host logged; `hv1` also finds `hv1.example.org`.

        Empty if all of its events are excluded. Raises UnknownNameError, with names that are alike, if
        nothing of it was read.
        """
        wanted = _given("host", name).lower()

        def is_host(group: EventGroup) -> bool:
            host = (group.verdict.host or "").lower()
            return host == wanted or host.split(".")[0] == wanted

        whole = self._whole or self.groups
        if not any(map(is_host, whole)) and not self._was_read(wanted):
            hosts = {group.verdict.host or "" for group in whole}
            raise _unknown("host", name, hosts | {host.split(".")[0] for host in hosts})
        narrowed = self._narrowed(f"host {name}", is_host)
        silent = (one for one in self.silent_hosts if one.host.lower().split(".")[0] == wanted.split(".")[0])
        return replace(narrowed, silent_hosts=tuple(silent))

    def _was_read(self, host: str) -> bool:
        read = {(one.host or "").lower() for one in self.report.coverage}
        return host in read or host in {one.split(".")[0] for one in read}

    def component(self, name: str) -> Triage:
        """Only version events of a component, in any letter case: `storage`, `network`, `data exchange`, ….

        Raises UnknownNameError for a name that is not a component.
        """
        wanted = _given("component", name).lower()
        known = [component for component in Component if component.lower() == wanted]
        if not known:
            raise UnknownNameError(f"there is no component {name!r}", hint=f"one of {', '.join(Component)}")
        return self._narrowed(f"component {known[0]}", lambda group: group.verdict.component is known[0])

    def between(self, start: datetime | None, end: datetime | None) -> Triage:
        """Only what happened from `start` until before `end`, and what has no time; naive times are UTC."""
        low = ticks_from_datetime(start) if start else 0
        high = ticks_from_datetime(end) if end else None
        parts = (group.between(low, high) for group in self.groups)
        return self._selection(part for part in parts if part is not None)

    def _narrowed(self, to: str, test: Callable[[EventGroup], bool]) -> Triage:
        others = tuple(group for group in self.groups if not test(group))
        return replace(self._where(test), selected=(*self.selected, to), left_out=(*self.left_out, *others))

    def _where(self, test: Callable[[EventGroup], bool]) -> Triage:
        return self._selection(group for group in self.groups if test(group))

    def _of_section(self, section: Section) -> Triage:
        found = (finding for finding in self.findings if finding.section is section)
        return self._selection(group for finding in found for group in finding.groups)

    def _selection(self, groups: Iterable[EventGroup]) -> Triage:
        return replace(self, groups=tuple(groups), _whole=self._whole or self.groups)

    # ------------------------------------------------------------ counts

    def by_section(self) -> Counter[Section]:
        """Findings by section."""
        return Counter(finding.section for finding in self.findings)

    def by_label(self) -> Counter[Label]:
        """Events by label."""
        return self._counted(lambda group: group.ruling.label)

    def by_reason(self) -> Counter[Reason]:
        """Events by reason."""
        return self._counted(lambda group: group.ruling.reason)

    def _counted(self, key: Callable[[EventGroup], Any]) -> Counter[Any]:
        counts: Counter[Any] = Counter()
        for group in self.groups:
            counts[key(group)] += group.count
        return counts

    # ------------------------------------------------------------ views

    @cached_property
    def document(self) -> Document:
        """Everything that text, page and JSON show."""
        from hvdegraded.findings.document import document_of
        from hvdegraded.findings.entries import Names

        return document_of(
            self.findings,
            report=self.report,
            excluded=self.excluded,
            provenance=self.provenance,
            void=self._remarks_on_acknowledgements(),
            happened_again=self.happened_again,
            silent_hosts=self.silent_hosts,
            selection=self._selected(),
            names=Names(self.mentions, self.names_by_id),
        )

    def _remarks_on_acknowledgements(self) -> Iterator[str]:
        yield from void_acknowledgements(self.findings, self.acknowledgements, _today())
        if self._whole is None and _PARTIAL.isdisjoint(self.excluded):
            yield from idle_acknowledgements(self.findings, self.acknowledgements, _today())

    def _selected(self) -> Selection | None:
        if not self.selected:
            return None
        others = with_acknowledgements(findings_of(self.left_out), self.acknowledgements, _today())
        sections = Counter(finding.section for finding in others)
        return Selection(self.selected, sections[Section.ACT], sections[Section.CHECK])

    def headline(self) -> str:
        """The counts in one line."""
        from hvdegraded.findings.render.words import headline

        return headline(self.document)

    def __str__(self) -> str:
        from hvdegraded.findings.render.text import as_text

        return as_text(self.document)

    def _repr_html_(self) -> str:
        from hvdegraded.findings.render.html import as_fragment

        return as_fragment(self.document)

    def to_html(self, *, title: str = "Hyper-V triage") -> str:
        """One self-contained page to share, as text to write to a file; with tables to sort and search."""
        return "".join(self.html_parts(title=title))

    def html_parts(self, *, title: str = "Hyper-V triage") -> Iterator[str]:
        """The page of `to_html` in pieces, so that one of very many findings is never whole in memory."""
        from hvdegraded.findings.render.html import page_parts
        from hvdegraded.findings.render.plots import page_pictures

        return page_parts(self.document, title, page_pictures(self.groups))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, as `hvdegraded.findings.document.json_schema` describes them."""
        return self.document.to_dict()

    def plot(self, kind: str = "timeline") -> Picture:
        """A picture for Jupyter or to `save`: each VM's `timeline`, or the `versions` that differ.

        Needs matplotlib (extra `notebook`), else raises MissingExtraError.
        """
        from hvdegraded.findings.render.plots import draw

        return draw(self.groups, kind)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """A pyarrow.Table, one row for each event; columns in `hvdegraded.findings.frames.SCHEMA`."""
        from hvdegraded.findings.frames import to_arrow

        return to_arrow(self.groups)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame of the same columns."""
        from hvdegraded.findings.frames import to_pandas

        return to_pandas(self.groups)

    def to_polars(self) -> Any:
        """A polars.DataFrame of the same columns."""
        from hvdegraded.findings.frames import to_polars

        return to_polars(self.groups)


def _today() -> date:
    return datetime.now(UTC).date()


def _given(what: str, name: str) -> str:
    """The name to look for. Raises HvdegradedError if it is not a text, or empty."""
    if not isinstance(name, str):
        raise WrongTypeError(f"the name of the {what} must be a text, not {type(name).__name__}")
    if not name.strip("{} "):
        raise WrongValueError(f"the name of the {what} is empty")
    return name


def _unknown(what: str, name: str, known: Iterable[str | None]) -> UnknownNameError:
    """The error for a name that no event has, with names that are alike."""
    by_folded = {one.lower(): one for one in known if one}
    import difflib

    alike = difflib.get_close_matches(name.lower(), sorted(by_folded), _MOST_SUGGESTED)
    suggested = f"did you mean {' or '.join(by_folded[one] for one in alike)}?" if alike else None
    return UnknownNameError(f"no event of this triage names the {what} {name!r}", hint=suggested)
