"""Windows events in lines, as agents write them.

Snare, structured data of RFC 5424 (NXLog), CEF, LEEF, pairs of names and values, CloudWatch's brackets,
`provider: id: message`, and JSON behind a prefix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from hvdegraded.formats.shippers.by_names import known_provider, may_name_a_provider, names_a_provider
from hvdegraded.formats.text.mentions import mention_of_event
from hvdegraded.tabular.csv_rows import cells_of
from hvdegraded.tabular.json_document import Found

__all__ = ["event_of_line", "events_of_syslog"]

_SNARE = re.compile(r"MSWinEventLog(?:\t|#011|,|[ ])")
_SNARE_FIELDS = (
    "", "Channel", "RecordNumber", "Date", "EventID", "Source", "User", "", "Level", "Computer", "Category",
    "", "Message",
)  # fmt: skip
_SNARE_SPACED = re.compile(
    r"\d (?P<Channel>\S{1,256}) (?P<RecordNumber>\d{1,20}) (?P<Date>\w{3} \w{3} +\d{1,2} [\d:]{8} \d{4}) "
    r"(?P<EventID>\d{1,10}) (?P<Source>\S{1,128}) (?P<User>\S{1,256}) \S{1,64} (?P<Level>\w{1,32}) "
    r"(?P<Computer>\S{1,255}) (?:None +)?(?P<Message>.*)"
)
_RFC5424 = re.compile(
    r"(?:\d{1,6} |(?:[^\t]{1,64}\t){3})?"  # its length (RFC 6587), or a console's time, priority and sender
    r"(?:<\d{1,3}>)?1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,128}) \S{1,128} (?P<id>\S{1,32}) "
    r"(?=\[|- )"
)
_ELEMENT = re.compile(r"\[[^\s\]=\"]{1,64}((?: [^\s=\]\"]{1,64}=\"(?:[^\"\\]|\\.)*\")*)\]")
_PARAMETER = re.compile(r" ([^\s=\]\"]{1,64})=\"((?:[^\"\\]|\\.)*)\"")
_CEF = re.compile(r"CEF:\d{1,3}\|((?:[^|\\]|\\.){0,512}\|){6}")
_CEF_KEY = re.compile(r"(?:^|(?<=\s))([\w.]{1,64})=")
_LEEF = re.compile(r"LEEF:(?P<version>[\d.]{1,8})\|(?:[^|]{0,256}\|){3}(?P<id>[^|]{0,128})\|")
_LEEF_DELIMITER = re.compile(r"(?:0?x(?P<code>[0-9A-Fa-f]{2,4})|(?P<mark>[^|\w\s]))?\|")
_NAME = re.compile(r"\w[\w.]{0,63}")
_PAIR = re.compile(r"(?<!\S)(\w[\w.-]{0,63})=(?:\"((?:[^\"\\]|\\.)*)\"|(\S+))")
_BRACKETS = re.compile(
    r"\[(?P<Channel>[^\]]{1,256})\] \[(?P<Level>\w{1,32})\] \[(?P<EventID>\d{1,5})\] "
    r"\[(?P<Source>[^\]]{1,128})\] \[(?P<Computer>[^\]]{0,255})\] \[(?P<Message>.*)\]\s*"
)
_ID = re.compile(r": (\d{1,5}): ", re.ASCII)
_PROCESS = re.compile(r"\[\d{1,10}\]$", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_MARKS = ("{", "MSWinEventLog", "CEF:", "LEEF:", "Hyper-V")
_WORD = re.compile(r"[\w.-]{3,128}", re.ASCII)
_LONGEST = 1 << 16
_FEWEST_PAIRS = 3
_MOST_PAIRS = 256


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
    """Whether a line without an event names one, or is in the form of one that names a known provider."""
    if any(mark in line for mark in _MARKS) and _names_a_provider(line):
        return True
    return may_name_a_provider(line) and mention_of_event(line) is not None


def _names_a_provider(line: str) -> bool:
    """Whether a word of a line is a known provider."""
    if not may_name_a_provider(line):
        return False
    return any(known_provider(word.rstrip(".")) is not None for word in _WORD.findall(line))


def event_of_line(line: str) -> dict[str, Any] | None:
    """The values of a line that carries an event of a known provider; None for any other line."""
    line = line[:_LONGEST]
    if not may_name_a_provider(line):
        return None
    for form in _FORMS:
        found = form(line)
        if found and names_a_provider(found):
            return {name: value for name, value in found.items() if value not in ("", "N/A", "None")}
    return _json(line)


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
    rest, mark = line[start.end() :], start[0][-1]
    if mark == " ":
        spaced = _SNARE_SPACED.match(rest)
        return None if spaced is None else spaced.groupdict()
    values = list(cells_of(rest)) if mark == "," else rest.replace("#011", "\t").split("\t")
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
    if not values and head["id"].isdecimal():
        found["EventID"] = head["id"]
    return found | values | {"Message": line[place:].strip().removeprefix("- ").lstrip("\ufeff")}


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
    if known_provider(source) is None:
        source, number = values.get("SourceName", source), ""
    found = {"Source": source, "EventID": number or values.get("externalId", "")}
    time = values.get("rt", values.get("deviceReceiptTime", ""))
    return found | {
        "Time": f"/Date({time})/" if time.isdecimal() else time,
        "Computer": values.get("dvchost", values.get("dhost", "")),
        "Message": values.get("msg", ""),
    }


def _leef(line: str) -> dict[str, str] | None:
    head = _LEEF.search(line)
    if head is None:
        return None
    place, delimiter = head.end(), "\t"
    if head["version"].startswith("2") and (own := _LEEF_DELIMITER.match(line, place)) is not None:
        place = own.end()
        delimiter = chr(int(own["code"], 16)) if own["code"] else own["mark"] or delimiter
    pairs = (pair.partition("=") for pair in line[place:].split(delimiter)[:_MOST_PAIRS])
    values = {name.strip(): value.strip() for name, _, value in pairs}
    return {"EventID": head["id"], "Time": values.pop("devTime", "")} | values


def _tabbed_pairs(line: str) -> dict[str, str] | None:
    """Names and values between tabs, as QRadar's WinCollect writes them behind a head of syslog."""
    first, *others = line.split("\t")[:_MOST_PAIRS]
    pairs = [part.partition("=") for part in (first.rpartition(" ")[2], *others)]
    found = {name: value.strip() for name, mark, value in pairs if mark and _NAME.fullmatch(name)}
    return found if len(found) >= _FEWEST_PAIRS else None


def _pairs(line: str) -> dict[str, str] | None:
    """Names and values between spaces, those with spaces in quotes."""
    pairs = _PAIR.findall(line)[:_MOST_PAIRS]
    found = {name: _ESCAPED.sub(r"\1", quoted) or bare for name, quoted, bare in pairs}
    return found if len(found) >= _FEWEST_PAIRS else None


def _brackets(line: str) -> dict[str, str] | None:
    match = _BRACKETS.search(line)
    return None if match is None else match.groupdict()


def _named(line: str) -> dict[str, str] | None:
    """`host provider: id: message`, as agents write for consoles of syslog."""
    for number in _ID.finditer(line):
        *before, source = line[: number.start()].rsplit(maxsplit=2) or [""]
        source = _PROCESS.sub("", source)
        if known_provider(source) is not None:
            values = {"Source": source, "EventID": number[1], "Message": line[number.end() :].strip()}
            return values | ({"Computer": before[-1]} if before and not before[-1].endswith(":") else {})
    return None


_Form = Callable[[str], dict[str, str] | None]
_FORMS: tuple[_Form, ...] = (
    _snare, _structured, _cef, _leef, _tabbed_pairs, _brackets, _named, _pairs,
)  # fmt: skip
