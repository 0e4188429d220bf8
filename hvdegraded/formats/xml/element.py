"""One `<Event>` element → one EventRecord, whatever its namespaces and whoever wrote it.

Real exports differ in namespaces, braces of GUIDs, empty attributes, white space in empty elements, and in
how they write numbers and times. All that is evened out here; texts of values stay as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hvdegraded.records.items import LossReason
from hvdegraded.records.record import EventRecord, Field, Origin
from hvdegraded.timestamps import ticks_from_text

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["UnreadableEventError", "record_from_element"]

_MAX_PATHS = 1 << 22  # characters of all names of an event's values: nested names multiply
_LONGEST_NUMBER = 64  # characters, white space around it included
_SPACE = " \t\r\n"
_ONCE = frozenset(
    {"Provider/@Name", "EventID", "EventID/@Qualifiers", "Level"}
)  # they tell which event it is
_PAYLOADS = frozenset({"EventData", "UserData"})
_NUMBER = re.compile(r"\s*(-?)(?:0[xX]([0-9A-Fa-f]{1,16})|([0-9]{1,20}))\s*", re.ASCII)
# Digits alone are hexadecimal where they are as many as 64 bits have, or round in hexadecimal only.
_BARE_HEX = re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{1,7}0{8}|[0-9]*[A-Fa-f][0-9A-Fa-f]{0,15}", re.ASCII)


class UnreadableEventError(Exception):
    """An event that gives no record: why, and in which line of its text, counted from 1."""

    def __init__(self, reason: LossReason, detail: str, line: int = 1) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.line = line


_ORIGIN = Origin("xml")


def record_from_element(
    element: etree._Element, origin: Origin = _ORIGIN, *, exact: bool = False
) -> EventRecord:
    """The record of an `<Event>` element, whatever its namespaces.

    An event id that is missing or no number gives 0 and a doubt; other numbers of `<System>` that are none
    give None, and their text stays in `extra`. With `exact`, white space that fills an element is its text,
    no pretty printer's. Raises UnreadableEventError where nested names add up to more
    than any event has.
    """
    fields = _Fields(element, exact=exact)
    system = fields.system
    event_id, qualifiers = _take_event_id(system)
    if event_id is None:
        doubt = "its event id is no number" if "EventID" in system else "it has no event id"
        origin = origin._replace(anomalies=(*origin.anomalies, doubt))
    if fields.twice:
        doubts = (f"it has {name} twice" for name in fields.twice)
        origin = origin._replace(anomalies=(*origin.anomalies, *doubts))
    take = system.pop
    return EventRecord(
        provider=take("Provider/@Name", ""),
        event_id=event_id or 0,
        time_ticks=_take_time(system),
        level=_take_number(system, "Level"),
        record_id=_take_number(system, "EventRecordID"),
        channel=take("Channel", ""),
        computer=take("Computer", ""),
        provider_guid=_guid(take("Provider/@Guid", "")),
        event_source=take("Provider/@EventSourceName", None),
        qualifiers=qualifiers,
        version=_take_number(system, "Version"),
        task=_take_number(system, "Task"),
        opcode=_take_number(system, "Opcode"),
        keywords=_take_keywords(system),
        process_id=_take_number(system, "Execution/@ProcessID"),
        thread_id=_take_number(system, "Execution/@ThreadID"),
        activity_id=_guid(take("Correlation/@ActivityID", "")),
        related_activity_id=_guid(take("Correlation/@RelatedActivityID", "")),
        user_id=take("Security/@UserID", None),
        payload=fields.payload,
        payload_namespace=fields.namespace,
        data=tuple(fields.data),
        extra=(*system.items(), *fields.more),
        rendering=tuple(fields.rendering),
        origin=origin,
    )


class _Fields:
    """What an `<Event>` element holds, in document order, by path.

    `system` has the texts and attributes of `<System>` that are not empty, `more` what comes there twice or
    is nested, `twice` the names of what an event has once.
    """

    def __init__(self, event: etree._Element, *, exact: bool = False) -> None:
        self._text = _whole_text if exact else _text
        self.system: dict[str, str] = {}
        self.more: list[Field] = []
        self.data: list[Field] = []
        self.rendering: list[Field] = []
        self.twice: list[str] = []
        self.payload = ""
        self.namespace: str | None = None
        self._room = _MAX_PATHS
        self._add_attributes(event, "Event/", self.more)
        for child in event:
            name = _local(child.tag)
            if name == "System":
                self._read_system(child)
            elif name == "RenderingInfo":
                self.rendering += [(_local(key), str(value)) for key, value in child.items()]
                self._add_children(child, "", self.rendering)
            elif self.payload:
                self._add(child, name, self.data)
                if name in _PAYLOADS:
                    self.twice.append("a payload")
            elif name == "EventData":
                self.payload = name
                self._read_event_data(child)
            elif name == "UserData":
                self._read_user_data(child, event)
            elif name:
                self.payload = name
                self._read_payload_root(child)

    def _read_system(self, element: etree._Element) -> None:
        system = self.system
        for child in element:
            name = _local(child.tag)
            if not name:
                continue
            for key, value in child.items():
                path = f"{name}/@{_local(key)}"
                if value and path not in system:
                    system[path] = str(value)
                elif value:
                    self._add_again(path, str(value))
            if len(child):
                self._add_children(child, name + "/", self.more)
            text = child.text
            if text is None or text[0] in _SPACE or len(child):
                text = self._text(child)
            if text and name not in system:
                system[name] = text
            elif text:
                self._add_again(name, text)

    def _add_again(self, path: str, text: str) -> None:
        self.more.append((path, text))
        if path in _ONCE:
            self.twice.append(path)

    def _read_event_data(self, event_data: etree._Element) -> None:
        data = self.data
        self._read_own(event_data)
        for child in event_data:
            name: str | None
            tag = name = _local(child.tag)
            attributes = child.items()
            if tag == "Data":
                name = child.get("Name") or None if attributes else None
                if name and len(attributes) == 1:
                    attributes = []
            if attributes or len(child):
                self._add_odd_value(child, name, tag)
            elif tag:
                text = child.text
                if text is None or text[0] in _SPACE:
                    text = self._text(child)
                data.append((name, _hex(text) if tag == "Binary" else text))

    def _add_odd_value(self, element: etree._Element, name: str | None, tag: str) -> None:
        """A value with attributes or children of its own, under its name."""
        label = name or tag
        fields: list[Field] = []
        self._add(element, label, fields)
        for path, text in fields:
            if tag != "Data" or path != f"{label}/@Name":
                self.data.append((name if path == label else path, text))

    def _read_user_data(self, user_data: etree._Element, event: etree._Element) -> None:
        roots = list(user_data.iterchildren("*"))
        if not roots:
            self.payload = "UserData"
            self._read_payload_root(user_data)
            return
        self.payload = f"UserData/{_local(roots[0].tag)}"
        namespace = _namespace(roots[0])
        self.namespace = namespace if namespace != _namespace(event) else None
        self._read_payload_root(roots[0])
        for root in roots[1:]:
            self._add(root, _local(root.tag), self.data)

    def _read_payload_root(self, root: etree._Element) -> None:
        self._read_own(root)
        self._add_children(root, "", self.data)

    def _read_own(self, root: etree._Element) -> None:
        self._add_attributes(root, "", self.data)
        own = self._text(root)
        if own:
            self.data.append((None, own))

    def _add_attributes(self, element: etree._Element, prefix: str, fields: list[Field]) -> None:
        attributes = element.items()
        if not attributes:
            return
        self._spend(len(prefix) * len(attributes))
        for key, value in attributes:
            fields.append((f"{prefix}@{_local(key)}", str(value)))

    def _add_children(self, element: etree._Element, prefix: str, fields: list[Field]) -> None:
        self._spend(len(prefix) * len(element))
        for child in element:
            name = _local(child.tag)
            if child.keys() or len(child):
                self._add(child, prefix + name, fields)
            elif name:
                text = child.text
                if text is None or text[0] in _SPACE:
                    text = self._text(child)
                fields.append((prefix + name, text))

    def _add(self, element: etree._Element, path: str, fields: list[Field]) -> None:
        """Append an element's attributes, its text and its children, each under its path."""
        if not isinstance(element.tag, str):
            return
        self._add_attributes(element, path + "/", fields)
        text = self._text(element)
        if text or not len(element):
            fields.append((path, text))
        if len(element):
            self._add_children(element, path + "/", fields)

    def _spend(self, characters: int) -> None:
        self._room -= characters
        if self._room < 0:
            raise UnreadableEventError(LossReason.OVER_LIMIT, "the names of its nested elements are too long")


@lru_cache(maxsize=512)
def _local(tag: object) -> str:
    """The name without its namespace; empty for what is no element (comments, entities)."""
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def _namespace(element: etree._Element) -> str | None:
    tag = element.tag
    return tag[1 : tag.rfind("}")] if tag.startswith("{") else None


def _text(element: etree._Element) -> str:
    """An element's own text; empty for what a pretty printer put into an empty element."""
    text = element.text
    if len(element):
        text = (text or "") + "".join(child.tail or "" for child in element)
        return text if text.strip(_SPACE) else ""
    if not text:
        return ""
    return "" if text[0] in _SPACE and "\n" in text and not text.strip(_SPACE) else text


def _whole_text(element: etree._Element) -> str:
    """An element's own text, as it is."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _take_event_id(system: dict[str, str]) -> tuple[int | None, int | None]:
    """The event id (None where there is none) and its qualifiers."""
    qualifiers = _take_number(system, "EventID/@Qualifiers")
    text = system.get("EventID", "")
    number = _integer(text) if len(text) <= _LONGEST_NUMBER else None
    if number is None or not -0x8000_0000 <= number <= 0xFFFF_FFFF:
        return None, qualifiers
    del system["EventID"]
    if not 0 <= number <= 0xFFFF:
        # Some routes write the id as the classic logging API has it, with the qualifiers in front.
        if qualifiers is None:
            qualifiers = (number & 0xFFFF_FFFF) >> 16
        number &= 0xFFFF
    return number, qualifiers


def _take_number(system: dict[str, str], path: str) -> int | None:
    text = system.get(path)
    if text is None or len(text) > _LONGEST_NUMBER:
        return None
    number = _integer(text)
    if number is None or number < 0:
        return None
    del system[path]
    return number


def _take_keywords(system: dict[str, str]) -> int | None:
    text = system.get("Keywords")
    if text is None or len(text) > _LONGEST_NUMBER:
        return None
    number = _keywords(text)
    if number is not None:
        del system["Keywords"]
    return number


def _take_time(system: dict[str, str]) -> int | None:
    text = system.get("TimeCreated/@SystemTime")
    ticks = None if text is None else ticks_from_text(text)
    if ticks is not None:
        del system["TimeCreated/@SystemTime"]
    return ticks


@lru_cache(maxsize=2048)
def _integer(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number = int(match[2], 16) if match[2] else int(match[3])
    if number >= 1 << 64:
        return None
    return -number if match[1] else number


@lru_cache(maxsize=512)
def _keywords(text: str) -> int | None:
    """The 64 bits, written as `0x…`, as hexadecimal digits alone, or as a decimal, signed or not."""
    text = text.strip(_SPACE)
    number = _integer("0x" + text if _BARE_HEX.fullmatch(text) else text)
    if number is None or number < -(1 << 63):
        return None
    return number & 0xFFFF_FFFF_FFFF_FFFF


def _guid(text: str) -> str | None:
    return text.strip("{} ").upper() or None if text else None


def _hex(text: str) -> str:
    try:
        return bytes.fromhex(text).hex().upper()
    except ValueError:
        return text
