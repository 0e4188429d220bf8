"""Windows events in lines: Snare, structured data of RFC 5424 (NXLog), CEF, JSON behind a prefix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hvdegraded.formats.shippers.by_names import known_provider, names_a_provider
from hvdegraded.tabular.json_document import Found

__all__ = ["event_of_line", "events_of_syslog"]

_SNARE = re.compile(r"MSWinEventLog(?:\t|#011)")
_SNARE_FIELDS = (
    "", "Channel", "RecordNumber", "Date", "EventID", "Source", "User", "", "Level", "Computer", "Category",
    "", "Message",
)  # fmt: skip
_RFC5424 = re.compile(
    r"(?:<\d{1,3}>)?1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,128}) \S{1,128} \S{1,32} (?=\[)"
)
_ELEMENT = re.compile(r"\[[^\s\]=\"]{1,64}((?: [^\s=\]\"]{1,64}=\"(?:[^\"\\]|\\.)*\")*)\]")
_PARAMETER = re.compile(r" ([^\s=\]\"]{1,64})=\"((?:[^\"\\]|\\.)*)\"")
_CEF = re.compile(r"CEF:\d{1,3}\|((?:[^|\\]|\\.){0,512}\|){6}")
_CEF_KEY = re.compile(r"(?:^|(?<=\s))(\w{1,64})=")
_ESCAPED = re.compile(r"\\(.)")
_MARKS = ("{", "MSWinEventLog", "CEF:", "Hyper-V")
_WORD = re.compile(r"[\w.-]{3,128}", re.ASCII)
_LONGEST = 1 << 16


def events_of_syslog(text: str) -> Iterator[Found]:
    """The events of the lines of a text, each with its line."""
    for number, line in enumerate(text.splitlines(), 1):
        found = event_of_line(line)
        if found is not None:
            yield Found(found, None, number)
        elif _names_what_it_lost(line[:_LONGEST]):
            yield Found(
                None, "the line names a provider of Windows, but no event can be read from it", number
            )


def _names_what_it_lost(line: str) -> bool:
    """Whether a line without an event looks like what is left of one: its form, and a known provider."""
    if not any(mark in line for mark in _MARKS):
        return False
    return any(known_provider(word) is not None for word in _WORD.findall(line))


def event_of_line(line: str) -> dict[str, Any] | None:
    """The values of a line that carries an event of a known provider; None for any other line."""
    line = line[:_LONGEST]
    found = _snare(line) or _structured(line) or _cef(line)
    if not found or known_provider(found.get("Source")) is None:
        return _json(line)
    return {name: value for name, value in found.items() if value not in ("", "N/A", "None")}


def _json(line: str) -> dict[str, Any] | None:
    """The object that ends a line, if it names a known provider."""
    start = line.find("{")
    if start < 0:
        return None
    try:
        value = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and names_a_provider(value) else None


def _snare(line: str) -> dict[str, str] | None:
    start = _SNARE.search(line)
    if start is None:
        return None
    values = line[start.end() :].replace("#011", "\t").split("\t")
    return dict(zip(_SNARE_FIELDS, values, strict=False)) if len(values) >= 12 else None


def _structured(line: str) -> dict[str, str] | None:
    head = _RFC5424.match(line)
    if head is None:
        return None
    values: dict[str, str] = {}
    place = head.end()
    while (element := _ELEMENT.match(line, place)) is not None:
        values |= {name: _ESCAPED.sub(r"\1", value) for name, value in _PARAMETER.findall(element[1])}
        place = element.end()
    level = values.pop("EventType", None)
    found = {"Source": values.pop("SourceName", head["app"]), "Computer": head["host"], "Time": head["time"]}
    if level is not None:
        found["Level"] = level
    return found | values | {"Message": line[place:].strip().lstrip("\ufeff")}


def _cef(line: str) -> dict[str, str] | None:
    start = _CEF.search(line)
    if start is None:
        return None
    signature = line[start.start() : start.end()].split("|")[4]
    source, _, number = signature.rpartition(":")
    extension = line[start.end() :]
    keys = list(_CEF_KEY.finditer(extension))
    ends = [key.start() for key in keys[1:]] + [len(extension)]
    values = {
        key[1]: _ESCAPED.sub(r"\1", extension[key.end() : end].strip())
        for key, end in zip(keys, ends, strict=False)
    }
    found = {"Source": source, "EventID": number or values.get("externalId", "")}
    if values.get("rt", "").isdecimal():
        found["Time"] = f"/Date({values['rt']})/"
    return found | {
        "Computer": values.get("dvchost", values.get("dhost", "")),
        "Message": values.get("msg", ""),
    }
