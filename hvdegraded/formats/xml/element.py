"""One `<Event>` element → one EventRecord, whatever its namespaces and whoever wrote it.

Real exports differ in namespaces, braces of GUIDs, empty attributes, white space in empty elements, and in
how they write numbers and times. All that is evened out here; texts of values stay as they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hvdegraded.formats.xml.system_values import SYSTEM_VALUES
from hvdegraded.records.items import LossReason
from hvdegraded.records.record import Anomaly, EventRecord, Field, Origin
from hvdegraded.records.system_fields import SYSTEM_FIELDS

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["UnreadableEventError", "record_from_element"]

_MAX_PATHS = 1 << 22  # characters of all names of an event's values: nested names multiply
_SPACE = " \t\r\n"
_IDENTIFYING = ("provider", "event_id", "qualifiers", "level", "time_ticks")  # which event a record is of
_ONCE = frozenset(row.path for row in SYSTEM_FIELDS if row.field in _IDENTIFYING)
_PAYLOADS = frozenset({"EventData", "UserData"})
_READ = {row.path: (row.field, SYSTEM_VALUES[row.kind]) for row in SYSTEM_FIELDS}
_UNKNOWN = ("", lambda _: None)


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

    An event id that is missing or not a number gives 0 and an anomaly. What else of `<System>` is not of its
    kind, as a number in words, gives None, and its text stays in `extra`. With `exact`, white space that
    fills an element is its text and not a pretty printer's. Raises UnreadableEventError if the names of
    nested elements add up to more than any event has.
    """
    fields = _Fields(element, exact=exact)
    values: dict[str, Any] = {}
    extra: list[Field] = []
    for path, text in fields.system.items():
        field, value_of = _READ.get(path, _UNKNOWN)
        value = value_of(text)
        if value is None:
            extra.append((path, text))
        else:
            values[field] = value
    anomalies = [f"it has {name} twice" for name in fields.twice]
    if _TIME in fields.system and "time_ticks" not in values:
        anomalies.append(Anomaly.TIME_NOT_A_TIME)
    event_id = values.get("event_id")
    if event_id is None:
        values["event_id"] = 0
        missing = Anomaly.EVENT_ID_NOT_A_NUMBER if "EventID" in fields.system else Anomaly.NO_EVENT_ID
        anomalies.insert(0, missing)
    elif not 0 <= event_id <= 0xFFFF:
        # Some exporters write the id as the classic logging API has it, with the qualifiers above it.
        values.setdefault("qualifiers", (event_id & 0xFFFF_FFFF) >> 16)
        values["event_id"] = event_id & 0xFFFF
    return EventRecord(
        **values,
        payload=fields.payload,
        payload_namespace=fields.namespace,
        data=tuple(fields.data),
        extra=(*extra, *fields.more),
        rendering=tuple(fields.rendering),
        origin=origin.with_anomalies(*anomalies),
    )


_TIME = "TimeCreated/@SystemTime"


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
        self._add_attributes(element, "System/", self.more)
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
    """The name without its namespace; empty for comments and entities."""
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


def _hex(text: str) -> str:
    try:
        return bytes.fromhex(text).hex().upper()
    except ValueError:
        return text
