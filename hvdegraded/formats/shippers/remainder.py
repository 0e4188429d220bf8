"""What a shipped record contains besides its event: whether a whole line may go when its event may.

Shippers put names and numbers beside an event: their own, the host's, those of the way. The paths of these
are known (`beside.toml`), and which of them hold names, which may be any word. Everything else must be a
value of the event itself, in its XML or its fields, and a message must consist of the sentences of such
events. So a second event, a text, a word, another level or an unknown key is a remainder, wherever in the
record it stands.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hvdegraded.errors import SourceError
from hvdegraded.formats.shippers.beside import (
    SYSTEM_VALUE,
    folded,
    is_a_time,
    is_token,
    known_paths,
    letters_of,
    names_a_system,
    objects,
    payload_paths,
    sentences,
    system_names,
    words,
)
from hvdegraded.formats.shippers.dialects import Dialect, tables
from hvdegraded.formats.shippers.envelopes import parts_of, values_around
from hvdegraded.formats.shippers.mapping import detected_dialects, record_from_mapping
from hvdegraded.records.record import EventRecord
from hvdegraded.tabular.json_keys import decoded

__all__ = ["remainder_of"]

_MAX_DEPTH = 12
_MOST_BESIDE = 64  # different values in the levels of an OTLP batch
_LONGEST_MESSAGE = 2048  # characters
_LONGEST_TIME = 48
_PAYLOAD = EventRecord._fields.index("payload")  # what is before it comes from <System>
_NAMES = ("provider", "channel", "computer", "event_source")
_EVENT_TAG = re.compile(r"<(?:\w+:)?Event[\s>/]")
_TAG = re.compile(r"<(?:/|(?=[^/]))([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*[\"']([^\"'<]*)[\"']")
_PAYLOAD_TAGS = frozenset(("data", "binary", "dataitem", "eventdata", "userdata", "param"))
_XML_KEY = re.compile("^(?:xml|event_?xml|raw_?xml|raw_?event)$", re.IGNORECASE)
_EMBEDDED = re.compile(r"<[/!?\w]|&lt;|[{\[]\s*[\"'{\[]|\\\"")
"""XML or JSON in a text, escaped or not."""
_NAMESPACE_KEY = re.compile(r"@?xmlns(?::[\w.-]+)?")
_URI = re.compile(r"[a-z]+:[^\s<>]{1,200}")
_UNSEEN = re.compile(r"<!|<\?(?!xml\s)")
_BESIDE_ELEMENTS = re.compile(r"(?:</[^<>]*|/)>\s*[^<>\s]|>\s*[^<>\s][^<>]*<(?!/)")
"""What XML can hold that a reader passes over: comments, instructions, CDATA; and text beside elements."""
_STRUCTURE = frozenset(("Event", "System", "EventData", "UserData", "Event_attributes", "#attributes"))
_PAIRS = frozenset(("data", "extra", "rendering"))  # of an own record
_ENVELOPES = {  # the list of a batch, and the keys that may stand beside it
    "resourceLogs": (),
    "records": (),
    "logEvents": ("messageType", "owner", "logGroup", "logStream", "subscriptionFilters"),
}


def remainder_of(mapping: Mapping[str, Any], dialect: str | None = None) -> str | None:
    """Return the path to something in a mapping that is not of its event (in a batch: events), or None."""
    parts = parts_of(mapping)
    if parts is None:
        return next(_remainders(mapping, dialect), None)
    kind = next(key for key in _ENVELOPES if key in mapping)
    around = [(key, value) for key, value in mapping.items() if key != kind]
    for key, _ in around:
        if key not in _ENVELOPES[kind]:
            return key
    if kind == "resourceLogs":
        around = list(set(values_around(mapping[kind])))
    if len(around) > _MOST_BESIDE:
        return kind
    return next((path for part in parts for path in _remainders(part, dialect, around)), None)


def _remainders(
    mapping: Mapping[str, Any], dialect: str | None, around: Iterable[tuple[str, Any]] = ()
) -> Iterator[str]:
    """Search a record, and what stands around it in its batch."""
    record = record_from_mapping(mapping, dialect=dialect)
    if record is None:
        yield "."
    else:
        search = _Search(record)
        yield from search.of_texts(record)
        yield from search.of_layer(mapping, 0)
        for path, value in around:
            yield from search.of_layer({path: value}, 0)


class _Search:
    """The search for what is not of one event in the record that carries it."""

    def __init__(self, record: EventRecord) -> None:
        self._record = record
        self._element = element = record.payload.rpartition("/")[2].lower()
        names = {name.lower() for name, _ in record.data if name}
        self._texts = {record.payload.lower(), *names, *map(folded, _texts_of(record))}
        self._names = names | {f"{element}_{name}".lower() for name in names}

    def of_texts(self, record: EventRecord) -> Iterator[str]:
        """Search what a record contains besides its payload."""
        for name, text in record.extra:
            if not SYSTEM_VALUE.fullmatch(text) or "System/" in (name or ""):
                yield name or "System"
        for name, text in record.rendering:
            key = (name or "RenderingInfo").rpartition("/")[2]
            if not (self._is_own_message(text) if name == "Message" else self._adds_nothing(key, key, text)):
                yield key

    def of_layer(self, mapping: Mapping[str, Any], depth: int) -> Iterator[str]:
        """Search a whole record, or what a wrapper holds; gives paths within it."""
        known = known_paths().union(objects(), tables().wrappers, *map(_keys_of, detected_dialects(mapping)))
        if "time_ticks" in mapping and "provider" in mapping:
            known |= frozenset(EventRecord._fields)
        yield from _second_payloads(mapping)
        for path, value in mapping.items():
            key = path.rpartition(".")[2] if path in known else path
            if path in tables().wrappers and (inner := _mapping_in(value)) is not None:
                if depth < _MAX_DEPTH:
                    yield from (f"{path}.{found}" for found in self.of_layer(inner, depth + 1))
                else:
                    yield path
            elif path in words()["contents"]:
                if not _is_bare(value):
                    yield path
            elif path in known or path in _STRUCTURE:
                yield from self._of_value(key, value, path, depth)
            elif not (self._is_own_name(path) or _XML_KEY.search(path)) or isinstance(value, (dict, list)):
                yield path
            else:
                yield from self._of_value(key, value, path, depth, strict=True)

    def _of_value(
        self, key: str, value: Any, path: str, depth: int, *, strict: bool = False
    ) -> Iterator[str]:
        strict = strict or key in tables().payloads or path in payload_paths()
        if depth > _MAX_DEPTH:
            yield path
        elif isinstance(value, dict):
            for name, item in value.items():
                if _is_namespace(name, item):
                    continue
                inner = f"{path}.{name}"
                if not (is_token(name) if strict else self._is_known(name, inner)):
                    yield inner
                yield from self._of_value(name, item, inner, depth + 1, strict=strict)
                if self._names_another(name, item):
                    yield inner
        elif isinstance(value, list):
            for item in () if self._is_binary(value) else value:
                if (isinstance(item, list) and key not in _PAIRS) or (
                    key in words()["messages"] and len(value) > 1
                ):
                    yield path
                yield from self._of_value(key, item, path, depth + 1, strict=strict)
        elif strict and isinstance(value, str) and value.startswith("{"):
            mapping = _mapping_in(value)
            yield from (
                (path,) if mapping is None else self._of_value(key, mapping, path, depth + 1, strict=True)
            )
        elif isinstance(value, str) and value.lstrip("\ufeff \t\r\n").startswith("<"):
            if not (self._is_own_xml(value) or (strict and self._is_own_fragment(value))):
                yield path
        elif (
            (isinstance(value, str) and _EMBEDDED.search(value))
            or self._names_another(key, value, path)
            or not self._is_accounted_for(key, value, path, strict=strict)
        ):
            yield path

    def _is_known(self, name: str, path: str) -> bool:
        """Whether a key within an object is one that shippers write, or one of `<System>`."""
        letters = letters_of(name.removesuffix("_attributes"))
        if name in _STRUCTURE or path in known_paths() or path in objects():
            return True
        return letters in system_names() or self._is_own_name(name)

    def _is_accounted_for(self, key: str, value: Any, path: str, *, strict: bool) -> bool:
        """Whether a value is of the event, or known to add nothing."""
        if key in words()["messages"]:
            return value is None or (isinstance(value, str) and self._is_own_message(value))
        if letters_of(key) in words()["levels"]:
            return self._is_its_level(key, value)
        if self._is_explained(value):
            return True
        return folded(str(value)) in words()["phrases"] if strict else self._adds_nothing(key, path, value)

    def _adds_nothing(self, key: str, path: str, value: Any) -> bool:
        """Whether a value that is not one of the event is a number, a name, or a word that shippers add."""
        known = words()
        if isinstance(value, str) and letters_of(key) in known["levels"]:
            return self._is_its_level(key, value)
        if self._is_explained(value) or folded(str(value)) in known["phrases"]:
            return True
        if path in objects() or path in _STRUCTURE or value is True:
            return path in known["flags"]
        if not isinstance(value, str):
            return True
        if key in known["times"]:
            return len(value) <= _LONGEST_TIME and is_a_time(value)
        if key in known["sources"]:
            kind, _, channel = value.partition(":")
            return folded(kind) in known["phrases"] and self._is_explained(channel)
        if path in known["systems"]:
            return names_a_system(value)
        if path in known["names"] or (path in known["accounts"] and self._record.user_id is not None):
            return "hyper-v" not in value.lower() and is_token(value)
        return SYSTEM_VALUE.fullmatch(value) is not None

    def _is_its_level(self, key: str, value: Any) -> bool:
        """Whether a level is the event's, by its name or number; numbers of other scales add nothing."""
        if value in (None, "") or (not isinstance(value, str) and letters_of(key) in words()["severities"]):
            return True
        if isinstance(value, (dict, list)):
            return False
        text = str(value).strip().lower()
        level = self._record.level
        return text == str(level) or tables().levels.get(text.replace(" ", "_"), -1) == level

    def _is_own_name(self, key: str) -> bool:
        """Whether a key names a field of the event."""
        names = tables().by_names
        letters = letters_of(key)
        return key.lower() in self._names or letters in names.fields or letters in names.weak

    def _is_own_message(self, message: str) -> bool:
        """Whether a message consists of the sentences of such events, with this one's values."""
        if len(message) > _LONGEST_MESSAGE:
            return False
        text = " ".join(message.lower().split())
        values = {value.strip().lower() for _, value in self._record.data if value.strip()}
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, "\0")
        return not text or sentences(bool(values)).fullmatch(text) is not None

    def _names_another(self, key: str, value: Any, path: str = "") -> bool:
        """Whether a key that names the event, wherever it stands, names another."""
        folded = letters_of(key)
        if isinstance(value, dict):
            value = value.get("id", value.get("#text", value.get("Value", value.get("#attributes"))))
        if isinstance(value, (dict, list)) or value in (None, ""):
            return False
        text = str(value)
        if folded in words()["event_ids"] or path == "event.code":
            return not text.isdigit() or int(text) & 0xFFFF != self._record.event_id
        if folded in words()["record_ids"]:
            return self._record.record_id is not None and text != str(self._record.record_id)
        return folded in words()["providers"] and not self._is_explained(value)

    def _is_explained(self, value: Any) -> bool:
        return value in (None, "", 0, False) or (
            not isinstance(value, (dict, list)) and folded(str(value)) in self._texts
        )

    def _is_binary(self, value: list[Any]) -> bool:
        """Whether a list holds the bytes of the event's binary data, as .NET writes them."""
        return all(type(one) is int and 0 <= one < 256 for one in value) and (
            self._is_explained(bytes(value).hex()) or not value
        )

    def _is_own_fragment(self, text: str) -> bool:
        """Whether XML is the payload alone, as some shippers cut it out."""
        for tag in _TAG.finditer(text):
            name = tag[1].rpartition(":")[2].lower()
            values = [pair[1] for pair in _ATTRIBUTE.findall(tag[2]) if not _is_namespace(*pair)]
            if name not in _PAYLOAD_TAGS | self._names | {self._element}:
                return False
            if not all(self._adds_nothing("", "", value) for value in values):
                return False
        return all(self._is_explained(html.unescape(one).strip()) for one in _TAG.sub("\0", text).split("\0"))

    def _is_own_xml(self, text: str) -> bool:
        text = text.strip("\ufeff \t\r\n")
        events = len(_EVENT_TAG.findall(text))
        if events != 1 or not text.endswith("Event>") or _passes_over(text):
            return False
        from hvdegraded.formats.xml.reader import parse_event

        try:
            other = parse_event(text)
        except SourceError:
            return False
        values = [value for _, value in other.data]
        return (
            next(self.of_texts(other), None) is None
            and other.level == self._record.level
            and (other.data == self._record.data or all(map(self._is_explained, values)))
        )


def _second_payloads(mapping: Mapping[str, Any]) -> Iterator[str]:
    for one, other in (("EventData", "UserData"), ("event_data", "user_data")):
        for holder in (mapping, mapping.get("winlog"), mapping.get("Event")):
            if isinstance(holder, dict) and holder.get(one) and holder.get(other):
                yield other


def _keys_of(table: Dialect) -> frozenset[str]:
    """The keys of a whole record that a table names."""
    return table.own.union(path.partition(".")[0] for path in table.paths)


def _is_namespace(key: str, value: Any) -> bool:
    """Whether a key and its value declare a namespace of XML."""
    return bool(_NAMESPACE_KEY.fullmatch(key)) and isinstance(value, str) and bool(_URI.fullmatch(value))


def _passes_over(xml: str) -> bool:
    """Whether a reader of XML passes something in it over."""
    return _UNSEEN.search(xml) is not None or _BESIDE_ELEMENTS.search(xml) is not None


def _mapping_in(value: Any) -> Mapping[str, Any] | None:
    """The mapping that a wrapper holds as JSON, or the one that is a record by its keys.

    None where a key stands twice: one of its values would not be looked at.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value, repeated = decoded(value)
        except (ValueError, RecursionError):
            return None
        if repeated:
            return None
    elif not isinstance(value, dict) or not (detected_dialects(value) or _STRUCTURE & value.keys()):
        return None
    return value if isinstance(value, dict) else None


def _texts_of(record: EventRecord) -> Iterable[str]:
    """Give the values of an event; those of `<System>` that are not names only if they are of their kind."""
    yield from (text for _, text in record.data)
    for field, value in zip(EventRecord._fields[:_PAYLOAD], record, strict=False):
        if value is not None and (field in _NAMES or SYSTEM_VALUE.fullmatch(str(value))):
            yield str(value)
    yield from record.payload.split("/")


def _is_bare(value: Any) -> bool:
    """Whether what a user may fill holds nothing, or what shippers put there."""
    if isinstance(value, list):
        return all(isinstance(one, str) and folded(one) in words()["phrases"] for one in value)
    return value in (None, "", {})
