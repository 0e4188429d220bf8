"""Which templates are of a usual form, and which of their slots fills which field of a record.

How it works. Nearly every record is an instance of a template whose `<System>` is plain and whose payload
is one value, itself an instance of a template with plain elements in it. Such a template gets a *plan*, of
which `layout` makes a layout for each combination of sizes and types of values. Layouts are remembered by
the bytes that list these, since records of one shape repeat.

What is not usual gets no plan or no layout, and `tree` decodes it; both ways give the same record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from hvdegraded.bounded import BoundedCache
from hvdegraded.formats.evtx.binxml.layout import Entry, PayloadLayout, PayloadPlan, SystemLayout, SystemPlan
from hvdegraded.formats.evtx.binxml.templates import Element, Part, Slot, Template
from hvdegraded.formats.evtx.format import EVENT_NAMESPACE

__all__ = ["Made", "PlannedTemplate"]

_MAX_LAYOUTS = 4096  # per template


class PlannedTemplate(Template):
    """A template with its layouts, by the bytes that list sizes and types of an instance's values.

    Instances that are not of a usual form have None in place of a layout. `made` counts the layouts of all
    templates. `provider` and `provider_guid` are the provider's name and GUID, or the slots that hold them;
    None where the template has another form.
    """

    __slots__ = ("event_data", "provider", "provider_guid", "system", "user_data")

    def __init__(self, key: int, content: tuple[Part, ...], made: Made | None = None) -> None:
        super().__init__(key, content)
        made = made or Made()
        system = _system_plan(content)
        self.provider = None if system is None else system.filling("provider")
        self.provider_guid = None if system is None else system.filling("provider_guid")
        self.system: dict[bytes, SystemLayout | None] = _Layouts(system, made)
        self.event_data: dict[bytes, PayloadLayout | None] = _Layouts(_event_data_plan(content), made)
        self.user_data: dict[bytes, PayloadLayout | None] = _Layouts(_user_data_plan(content), made)


class Made:
    """How many layouts were made: each takes a kilobyte or two, and hostile logs need one for each record."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


L_co = TypeVar("L_co", covariant=True)
L = TypeVar("L")


class _Plan(Protocol[L_co]):
    def layout(self, descriptors: bytes) -> L_co | None: ...


class _Layouts(BoundedCache[bytes, L | None], Generic[L]):
    def __init__(self, plan: _Plan[L] | None, made: Made) -> None:
        super().__init__(_MAX_LAYOUTS)
        self._plan = plan
        self._made = made

    def __missing__(self, descriptors: bytes) -> L | None:
        self._made.count += 1
        return self.remember(descriptors, None if self._plan is None else self._plan.layout(descriptors))


class _UnusualError(Exception):
    """A template has a form that has no plan."""


def _root(content: Sequence[Part]) -> Element:
    if len(content) != 1 or not isinstance(content[0], Element):
        raise _UnusualError
    return content[0]


def _literals(element: Element) -> dict[str, str]:
    """An element's attributes where all are literals."""
    found: dict[str, str] = {}
    for name, parts in element.attributes:
        if len(parts) > 1 or (parts and not isinstance(parts[0], str)) or name in found:
            raise _UnusualError
        found[name] = _sound(str(parts[0])) if parts else ""
    return found


def _is_namespace(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _attribute_entries(attributes: dict[str, str]) -> list[Entry]:
    return [
        Entry("@" + _plain_name(name), text) for name, text in attributes.items() if not _is_namespace(name)
    ]


def _plain_name(name: str) -> str:
    if ":" in name or "}" in name:
        raise _UnusualError
    return name


def _filling(parts: Sequence[Part]) -> str | Slot:
    if not parts:
        return ""
    if len(parts) > 1 or not isinstance(parts[0], (str, Slot)):
        raise _UnusualError
    return _sound(parts[0]) if isinstance(parts[0], str) else parts[0]


def _sound(literal: str) -> str:
    try:
        literal.encode()
    except UnicodeEncodeError:
        raise _UnusualError from None
    return literal


def _each_slot_once(entries: Sequence[Entry]) -> None:
    slots = [entry.filling.place for entry in entries if isinstance(entry.filling, Slot)]
    if len(set(slots)) != len(slots):
        raise _UnusualError


def _elements(parts: Sequence[Part]) -> list[Element]:
    elements = [part for part in parts if isinstance(part, Element)]
    if len(elements) != len(parts):
        raise _UnusualError
    return elements


def _system_plan(content: Sequence[Part]) -> SystemPlan | None:
    try:
        event = _root(content)
        if event.name != "Event" or _literals(event) != {"xmlns": EVENT_NAMESPACE}:
            return None
        system, *rest = event.content or ("",)
        if not isinstance(system, Element) or system.name != "System" or system.attributes:
            return None
        entries: list[Entry] = []
        for element in _elements(system.content):
            path = _plain_name(element.name)
            for name, parts in element.attributes:
                entries.append(Entry(f"{path}/@{_plain_name(name)}", _filling(parts)))
            if element.content:
                entries.append(Entry(path, _filling(element.content)))
        _each_slot_once(entries)
        if len({entry.name for entry in entries}) != len(entries):
            return None
        if not rest:
            return SystemPlan(entries, None, event_data=True)
        payload = rest[0]
        if len(rest) > 1:
            return None
        if isinstance(payload, Slot):
            return SystemPlan(entries, payload, event_data=True)
        if isinstance(payload, Element) and payload.name == "UserData" and not payload.attributes:
            slot = _filling(payload.content)
            if isinstance(slot, Slot):
                return SystemPlan(entries, slot, event_data=False)
    except _UnusualError:
        pass
    return None


def _event_data_plan(content: Sequence[Part]) -> PayloadPlan | None:
    try:
        root = _root(content)
        if root.name != "EventData":
            return None
        entries = _attribute_entries(_literals(root))
        for element in _elements(root.content):
            label: str | None = _plain_name(element.name)
            attributes = _literals(element)
            if label == "Data":
                label = attributes.pop("Name", None) or None
            if attributes:
                return None
            entries.append(Entry(label, _filling(element.content)))
        _each_slot_once(entries)
        return PayloadPlan(entries, "EventData", None)
    except _UnusualError:
        return None


def _user_data_plan(content: Sequence[Part]) -> PayloadPlan | None:
    try:
        root = _root(content)
        attributes = _literals(root)
        namespace = attributes.get("xmlns")
        entries = _attribute_entries(attributes)
        for element in _elements(root.content):
            if not all(_is_namespace(name) for name in _literals(element)):
                return None
            entries.append(Entry(_plain_name(element.name), _filling(element.content)))
        _each_slot_once(entries)
        if namespace == EVENT_NAMESPACE:
            namespace = None
        return PayloadPlan(entries, f"UserData/{_plain_name(root.name)}", namespace or None)
    except _UnusualError:
        return None
