"""Objects that tools print as assignments: Splunk's classic form, Logstash's rubydebug, WMI's MOF."""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from hvdegraded.tabular.json_document import Found

__all__ = ["assignments", "converted_objects", "json_within", "mof_instances", "ruby_hashes"]

_CLASSIC = re.compile(r"^[^\n=]{6,40}\r?\n(?=LogName=)", re.MULTILINE)
_INSTANCE = re.compile(r"^instance of \w{1,64}\s*\{", re.MULTILINE)
_PROPERTY = re.compile(r'^\s*(\w{1,64}) = ("(?:[^"\\]|\\.)*"|\{[^}]*\}|[^;"{\n]{0,256});', re.MULTILINE)
_OBJECT = re.compile(r"<Object\b")
_XML_PROPERTY = re.compile(r'<Property Name="(\w{1,64})"[^<>]{0,128}>([^<]*)</Property>')
_BRACE = re.compile(r"^[ \t]{0,16}([{\[])", re.MULTILINE)
_LONGEST_SEARCHED = 1 << 20  # characters of a text in which JSON is looked for
_MOST_TRIED = 256  # places in a text where JSON may begin
_ARROW = re.compile(r'("(?:[^"\\\n]|\\.)*")\s*=>\s*')
_BARE_TIME = re.compile(r"(?<=: )(\d{4}-\d\d-\d\dT[\d:.]{8,18}Z)(?=\s*[,}\n])")


def assignments(text: str) -> Iterator[Found]:
    """Splunk's classic form: a line with the time, lines of `Name=value`, the message last."""
    for line, block in _blocks(text, _CLASSIC):
        time, _, rest = block.partition("\n")
        head, _, message = rest.partition("\nMessage=")
        pairs = (one.partition("=") for one in head.split("\n"))
        values = {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
        yield Found({"_time": time.strip(), **values, "Message": message.strip()}, None, line)


def mof_instances(text: str) -> Iterator[Found]:
    """Instances of a WMI class in MOF: `instance of Win32_NTLogEvent { Name = value; … };`."""
    for line, block in _blocks(text, _INSTANCE):
        yield Found({name: _mof_value(value) for name, value in _PROPERTY.findall(block)}, None, line)


def _mof_value(value: str) -> Any:
    if value.startswith("{"):
        return [_mof_value(item.strip()) for item in re.findall(r'"(?:[^"\\]|\\.)*"|[^,{}\s][^,{}]*', value)]
    try:
        return json.loads(value, strict=False)
    except ValueError:
        return value.strip('"')


def converted_objects(text: str) -> Iterator[Found]:
    """Objects as ConvertTo-Xml writes them: `<Property Name="Id" Type="System.Int32">12030</Property>`."""
    for line, block in _blocks(text, _OBJECT):
        found = {name: html.unescape(value).strip() for name, value in _XML_PROPERTY.findall(block)}
        yield Found(found, None, line)


def json_within(text: str) -> Iterator[Found]:
    """JSON in other text: in mail, in blocks of Markdown; each value begins a line."""
    if len(text) > _LONGEST_SEARCHED:
        return
    decoder = json.JSONDecoder()
    place = 0
    for start in itertools.islice(_BRACE.finditer(text), _MOST_TRIED):
        if start.start(1) < place:
            continue
        try:
            value, place = decoder.raw_decode(text, start.start(1))
        except (ValueError, RecursionError):
            continue
        line = text.count("\n", 0, start.start(1)) + 1
        for item in value if isinstance(value, list) else [value]:
            yield Found(item, None, line)


def ruby_hashes(text: str) -> Iterator[Found]:
    """Events as Logstash's rubydebug prints them: `"name" => value`."""
    if " => " not in text or not text.lstrip().startswith("{"):
        return
    body = _BARE_TIME.sub(r'"\1"', _ARROW.sub(r"\1: ", text)).replace(": nil", ": null")
    decoder = json.JSONDecoder(strict=False)
    place = 0
    while (start := body.find("{", place)) >= 0:
        line = body.count("\n", 0, start) + 1
        try:
            value, place = decoder.raw_decode(body, start)
        except (ValueError, RecursionError) as error:
            yield Found(None, f"it is not what rubydebug prints: {error}"[:200], line)
            return
        yield Found(value, None, line)


def _blocks(text: str, start: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The pieces of a text that begin so, each with its line."""
    starts = [match.start() for match in start.finditer(text)]
    line, place = 1, 0
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=False):
        line += text.count("\n", place, begin)
        place = begin
        yield line, text[begin:end]
