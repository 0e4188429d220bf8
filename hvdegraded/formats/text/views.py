"""What Event Viewer's window shows, copied: the General tab and the Friendly View of an event's details."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hvdegraded.tabular.json_document import Found

__all__ = ["friendly_views", "general_tabs"]

_GENERAL = re.compile(r"^Log Name:[ ]*\t", re.MULTILINE)
_PAIR = re.compile(r"([A-Z][A-Za-z ]{1,30}):[ ]*\t?[ ]*([^\t]*)\t?")
_MOST_LINES = 12
_LONGEST_TAB = 1 << 13  # characters of a message, and of what stands below it
_SYSTEM = re.compile(r"^[+-] System[ \t]*$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"\s+\[ ?(\w{1,64})\] +(.*)")
_ELEMENT = re.compile(r"\s*[+-] (\w{1,64})\s*")
_VALUE = re.compile(r"\s+(\w{1,64}) (.*)")
_PAYLOADS = ("UserData", "EventData")
_NAMES = {
    "Logged": "Date",
    "TimeCreatedSystemTime": "TimeCreated",
    "ExecutionProcessID": "ProcessID",
    "ExecutionThreadID": "ThreadID",
    "SecurityUserID": "UserID",
}


def general_tabs(text: str) -> Iterator[Found]:
    """The General tab: the message, then two columns of names and values between tabs."""
    line, place = 1, 0
    for start in _GENERAL.finditer(text):
        line += text.count("\n", place, start.start())
        place = start.start()
        values: dict[str, str] = {}
        for row in text[place : place + _LONGEST_TAB].splitlines()[:_MOST_LINES]:
            pairs = _PAIR.findall(row)
            if not pairs:
                break
            values |= {_NAMES.get(name, name): value.strip() for name, value in pairs}
        before = text[max(0, place - _LONGEST_TAB) : place].rstrip().rpartition("\n\n")[2]
        yield Found(values | {"Message": before.strip()}, None, line)


def friendly_views(text: str) -> Iterator[Found]:
    """The Friendly View: the elements of an event as lines, attributes in brackets."""
    starts = [match.start() for match in _SYSTEM.finditer(text)]
    number, place = 1, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        number += text.count("\n", place, start)
        place = start
        system: dict[str, str] = {}
        payload: dict[str, str] = {}
        element, here = "", system
        for line in text[start:end].splitlines():
            if (opened := _ELEMENT.fullmatch(line)) is not None:
                element = opened[1]
                here = payload if element in _PAYLOADS else here
            elif (attribute := _ATTRIBUTE.fullmatch(line)) is not None:
                if here is system:
                    name = f"{element}{attribute[1]}"
                    system[_NAMES.get(name, name)] = attribute[2].strip()
            elif (value := _VALUE.fullmatch(line)) is not None:
                here[value[1]] = value[2].strip()
        yield Found({**system, "EventData": payload}, None, number)
