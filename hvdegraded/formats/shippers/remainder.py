"""What a shipped record contains besides its event: whether a whole line may go when its event may.

Shippers put names and numbers beside an event: their own, the host's, those of the way (`beside.toml`). These
are known by their keys to add nothing. Everything else must be a value of the event itself, in its XML or its
fields, and a message must consist of the sentences of such events. So a second event, a text, another level
or an unknown key is a remainder, wherever in the record it stands.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from hvdegraded.errors import SourceError
from hvdegraded.formats.shippers.dialects import Dialect, tables
from hvdegraded.formats.shippers.envelopes import parts_of
from hvdegraded.formats.shippers.mapping import detected_dialects, record_from_mapping
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.record import EventRecord
from hvdegraded.tabular.toml_file import TomlFile

__all__ = ["remainder_of"]

_MAX_DEPTH = 12
_LONGEST_TOKEN, _LONGEST_TEXT, _LONGEST_MESSAGE = 256, 128, 2048  # characters
_LONGEST_TIME, _FEWEST_DIGITS = 48, 6
_PAYLOAD = EventRecord._fields.index("payload")  # what is before it comes from <System>
_EVENT_TAG = re.compile(r"<(?:\w+:)?Event[\s>/]")
_BETWEEN_TAGS = re.compile(r">([^<>]+)<")
_XML_KEY = re.compile("^(?:xml|event_?xml|raw_?xml|raw_?event)$", re.IGNORECASE)
_SYSTEM_VALUE = re.compile(r"(?:S-)?[0-9a-fA-Fx{}.:TZ-]{0,64}")  # a number, a GUID, a SID or a time
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}|[0-9]{1,20}")
_NO_TOKEN = re.compile(r"\s|^[<{\[]")
_EMBEDDED = re.compile(r"<[/!?\w]|&lt;|[{\[]\s*[\"'{\[]|\\\"")
"""XML or JSON in a text, escaped or not."""
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
_Words = dict[str, frozenset[str]]


def remainder_of(mapping: Mapping[str, Any], dialect: str | None = None) -> str | None:
    """Return the path to something in a mapping that is not of its event (in a batch: events), or None."""
    parts = parts_of(mapping)
    if parts is None:
        return next(_remainders(mapping, dialect), None)
    kind = next(key for key in _ENVELOPES if key in mapping)
    for key in mapping:
        if key != kind and key not in _ENVELOPES[kind]:
            return key
    if kind == "resourceLogs" and not _has_bare_envelope(mapping):
        return kind
    return next((path for part in parts for path in _remainders(part, dialect)), None)


def _remainders(mapping: Mapping[str, Any], dialect: str | None) -> Iterator[str]:
    record = record_from_mapping(mapping, dialect=dialect)
    if record is None:
        yield "."
    else:
        search = _Search(record)
        yield from search.of_texts(record)
        yield from search.of_layer(mapping, "", 0)


class _Search:
    """The search for what is not of one event in the record that carries it."""

    def __init__(self, record: EventRecord) -> None:
        self._record = record
        self._texts = set(map(_folded, _texts_of(record)))
        element = record.payload.rpartition("/")[2]
        names = {name.lower() for name, _ in record.data if name}
        self._names = names | {f"{element}_{name}".lower() for name in names}

    def of_texts(self, record: EventRecord) -> Iterator[str]:
        """Search what a record contains besides its payload."""
        for name, text in record.extra:
            if not _SYSTEM_VALUE.fullmatch(text):
                yield name or "System"
        for name, text in record.rendering:
            key = name or "RenderingInfo"
            if not (self._is_own_message(text) if name == "Message" else self._adds_nothing(key, key, text)):
                yield key

    def of_layer(self, mapping: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
        """Search a whole record, or what a wrapper holds."""
        words = _words()
        known = words["keys"].union(tables().wrappers, *map(_keys_of, detected_dialects(mapping)))
        if "time_ticks" in mapping and "provider" in mapping:
            known |= frozenset(EventRecord._fields)
        yield from self._second_payloads(mapping, path)
        for key, value in mapping.items():
            where = f"{path}{key}"
            if key in tables().wrappers and (inner := _mapping_in(value)) is not None:
                if depth < _MAX_DEPTH:
                    yield from self.of_layer(inner, f"{where}.", depth + 1)
                else:
                    yield where
            elif key in words["contents"]:
                if not _is_bare(value):
                    yield where
            elif key in known or key in _STRUCTURE:
                yield from self._of_value(key, value, where, depth)
            elif not (self._is_own_name(key) or _XML_KEY.search(key)) or isinstance(value, (dict, list)):
                yield where
            else:
                yield from self._of_value(key, value, where, depth, strict=True)

    def _of_value(
        self, key: str, value: Any, where: str, depth: int, *, strict: bool = False
    ) -> Iterator[str]:
        strict = strict or key in tables().payloads
        if depth > _MAX_DEPTH:
            yield where
        elif isinstance(value, dict):
            for name, item in value.items():
                if "xmlns" in name:
                    continue
                if not _is_token(name):
                    yield f"{where}.{name}"
                text = key in _words()["texts"] and name not in tables().payloads
                yield from self._of_value(
                    key if text else name,
                    item,
                    f"{where}.{name}",
                    depth + 1,
                    strict=strict,
                )
                if self._names_another(name, item):
                    yield f"{where}.{name}"
        elif isinstance(value, list):
            for item in () if self._is_binary(value) else value:
                if (isinstance(item, list) and key not in _PAIRS) or (
                    key in _words()["messages"] and len(value) > 1
                ):
                    yield where
                yield from self._of_value(key, item, where, depth + 1, strict=strict)
        elif strict and isinstance(value, str) and value.startswith("{"):
            inner = _mapping_in(value)
            yield from (
                (where,) if inner is None else self._of_value(key, inner, where, depth + 1, strict=True)
            )
        elif isinstance(value, str) and value.lstrip("\ufeff \t\r\n").startswith("<"):
            if not self._is_own_xml(value):
                yield where
        elif (
            (isinstance(value, str) and _EMBEDDED.search(value))
            or self._names_another(key, value, where)
            or not self._is_accounted_for(key, value, where, strict=strict)
        ):
            yield where

    def _is_accounted_for(self, key: str, value: Any, where: str, *, strict: bool) -> bool:
        """Whether a value is of the event, or known to add nothing."""
        if key in _words()["messages"]:
            return value is None or (isinstance(value, str) and self._is_own_message(value))
        if _letters(key) in _words()["levels"]:
            return self._is_its_level(key, value)
        if self._is_explained(value):
            return True
        return _folded(str(value)) in _words()["phrases"] if strict else self._adds_nothing(key, where, value)

    def _adds_nothing(self, key: str, where: str, value: Any) -> bool:
        """Whether a value that is not one of the event is a number, a name, or a word that shippers add."""
        if not isinstance(value, str):
            return True
        if _letters(key) in _words()["levels"]:
            return self._is_its_level(key, value)
        if self._is_explained(value) or _folded(value) in _words()["phrases"]:
            return True
        if key in _words()["times"]:
            return len(value) <= _LONGEST_TIME and sum(map(str.isdigit, value)) >= _FEWEST_DIGITS
        if key in _words()["sources"]:
            kind, _, channel = value.partition(":")
            return _folded(kind) in _words()["phrases"] and self._is_explained(channel)
        if key in _words()["words"]:
            return _NUMBER.fullmatch(value) is not None
        if where in _words()["words"]:
            return False
        if ".os." in where and len(value) <= _LONGEST_TEXT:
            return True
        return "hyper-v" not in value.lower() and _is_token(value)

    def _is_its_level(self, key: str, value: Any) -> bool:
        """Whether a level is the event's, by its name or number; numbers of other scales add nothing."""
        if value in (None, "") or (not isinstance(value, str) and _letters(key) in _words()["severities"]):
            return True
        if isinstance(value, (dict, list)):
            return False
        text = str(value).strip().lower()
        level = self._record.level
        return text == str(level) or tables().levels.get(text.replace(" ", "_"), -1) == level

    def _is_own_name(self, key: str) -> bool:
        """Whether a key names a field of the event."""
        names = tables().by_names
        letters = _letters(key)
        return key.lower() in self._names or letters in names.fields or letters in names.weak

    def _is_own_message(self, message: str) -> bool:
        """Whether a message consists of the sentences of such events, with this one's values."""
        if len(message) > _LONGEST_MESSAGE:
            return False
        text = " ".join(message.lower().split())
        values = {value.strip().lower() for _, value in self._record.data if value.strip()}
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, "\0")
        return not text or _sentences(bool(values)).fullmatch(text) is not None

    def _names_another(self, key: str, value: Any, where: str = "") -> bool:
        """Whether a key that names the event, wherever it stands, names another."""
        folded = _letters(key)
        if isinstance(value, dict):
            value = value.get("id", value.get("#text", value.get("Value", value.get("#attributes"))))
        if isinstance(value, (dict, list)) or value in (None, ""):
            return False
        text = str(value)
        if folded in _words()["event_ids"] or where == "event.code":
            return not text.isdigit() or int(text) & 0xFFFF != self._record.event_id
        if folded in _words()["record_ids"]:
            return self._record.record_id is not None and text != str(self._record.record_id)
        return folded in _words()["providers"] and not self._is_explained(value)

    def _is_explained(self, value: Any) -> bool:
        return value in (None, "", 0, False) or (
            not isinstance(value, (dict, list)) and _folded(str(value)) in self._texts
        )

    def _is_binary(self, value: list[Any]) -> bool:
        """Whether a list holds the bytes of the event's binary data, as .NET writes them."""
        return all(type(one) is int and 0 <= one < 256 for one in value) and (
            self._is_explained(bytes(value).hex()) or not value
        )

    def _is_own_xml(self, text: str) -> bool:
        text = text.strip("\ufeff \t\r\n")
        events = len(_EVENT_TAG.findall(text))
        if not events:  # the payload alone
            return all(
                map(self._is_explained, map(html.unescape, map(str.strip, _BETWEEN_TAGS.findall(text))))
            )
        if events > 1 or not text.endswith("Event>") or _passes_over(text):
            return False
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

    def _second_payloads(self, mapping: Mapping[str, Any], path: str) -> Iterator[str]:
        for one, other in (("EventData", "UserData"), ("event_data", "user_data")):
            for holder in (mapping, mapping.get("winlog"), mapping.get("Event")):
                if isinstance(holder, dict) and holder.get(one) and holder.get(other):
                    yield f"{path}{other}"


def _keys_of(table: Dialect) -> frozenset[str]:
    """The keys of a whole record that a table names."""
    return table.own.union(path.partition(".")[0] for path in table.paths)


def _passes_over(xml: str) -> bool:
    """Whether a reader of XML passes something in it over."""
    return _UNSEEN.search(xml) is not None or _BESIDE_ELEMENTS.search(xml) is not None


def _is_token(value: str) -> bool:
    """Whether a text is one word, as names and numbers are."""
    return len(value) <= _LONGEST_TOKEN and not _NO_TOKEN.search(value)


def _mapping_in(value: Any) -> Mapping[str, Any] | None:
    """The mapping that a wrapper holds as JSON, or the one that is a record by its keys."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    elif not isinstance(value, dict) or not (detected_dialects(value) or _STRUCTURE & value.keys()):
        return None
    return value if isinstance(value, dict) else None


def _texts_of(record: EventRecord) -> Iterable[str]:
    for name, text in (*record.data, *record.extra, *record.rendering):
        if name != "Message":
            yield text
    for value in record[:_PAYLOAD]:
        if value is not None:
            yield str(value)
    yield from record.payload.split("/")


def _is_bare(value: Any) -> bool:
    """Whether what a user may fill holds nothing, or what shippers put there."""
    if isinstance(value, list):
        return all(isinstance(one, str) and _folded(one) in _words()["phrases"] for one in value)
    return value in (None, "", {})


def _letters(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


@lru_cache(maxsize=2)
def _sentences(has_values: bool) -> re.Pattern[str]:
    """What a whole message of a working mismatch matches, a zero byte in place of each value.

    The values of an event that has no others are those of its message.
    """
    text, value = ("\0", "\0") if has_values else ("[^']{1,256}", "[0-9a-fx.{}-]{1,40}")
    forms = (form.replace("'%'", f"'{text}'").replace("%", value) for form in sorted(_words()["sentences"]))
    return re.compile(f"(?:(?:{'|'.join(forms)})(?: |$))+")


def _folded(text: str) -> str:
    return text.strip().strip("{}").lower()


def _has_bare_envelope(mapping: Mapping[str, Any]) -> bool:
    """Whether OTLP's levels hold nothing but names and numbers beside the bodies."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                if key != "body":
                    yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, str):
            yield value

    return all(map(_is_token, texts(mapping)))


@lru_cache(maxsize=1)
def _words() -> _Words:
    raw = TomlFile.open(files("hvdegraded.formats.shippers") / "beside.toml").content
    return {name: frozenset(words) for name, words in raw.items()}
