"""Hostile XML, JSON and archives: what makes each, for `attacks`."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
PROVIDER = "Microsoft-Windows-Hyper-V-VMMS"
_SYSTEM = (
    f"<System><Provider Name='{PROVIDER}'/><EventID>13002</EventID><EventRecordID>%d</EventRecordID></System>"
)
GOOD = 40


def event(number: int, inside: str = "") -> str:
    return f"<Event xmlns='{NAMESPACE}'>{_SYSTEM % number}{inside}</Event>"


def line(number: int, **more: object) -> str:
    return json.dumps(
        {"winlog": {"provider_name": PROVIDER, "event_id": "13002", "record_id": str(number)}, **more}
    )


def xml(hostile: str, before: str = "") -> bytes:
    """Events, what is hostile, and events."""
    good = [event(number) for number in range(1, GOOD + 1)]
    return (before + "\n".join([*good, hostile, *good])).encode("utf-8", "surrogatepass")


def lines(hostile: str | bytes) -> bytes:
    """Lines, what is hostile, and lines."""
    good = "\n".join(line(number) for number in range(1, GOOD + 1)).encode()
    hostile = hostile if isinstance(hostile, bytes) else hostile.encode()
    return good + b"\n" + hostile + b"\n" + good + b"\n"


_BOMB = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 20))
DOCTYPE = f"<!DOCTYPE Event [<!ENTITY e0 'ha'>{_BOMB}]>"
EXTERNAL = "<!DOCTYPE Event [<!ENTITY e19 SYSTEM 'file:///etc/passwd'>]>"
_USE = event(1000, "<EventData><Data>&e19;</Data></EventData>")


def _zip_of_bombs(method: int = zipfile.ZIP_DEFLATED, members: int = 20, megabytes: int = 32) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("good.xml", xml(""))
        for number in range(members):
            archive.writestr(f"{number}.jsonl", b"{}\n" + b" " * (megabytes << 20))
    return made.getvalue()


def _noise() -> str:
    choice = random.Random(2)
    return "".join(choice.choice("<>&;'\"/=! -[]?Event \n") for _ in range(500_000))


TEXTS: dict[str, Callable[[], bytes]] = {
    "XML: an entity bomb between the events": lambda: xml(DOCTYPE + _USE),
    "XML: an external entity between the events": lambda: xml(EXTERNAL + _USE),
    "XML: elements 100000 deep": lambda: xml(event(1000, "<UserData>" + "<a>" * 100_000 + "</a>" * 100_000)),
    "XML: elements 250 deep, 20000 wide": lambda: xml(
        event(
            1000,
            "<UserData>" + f"<{'a' * 100}>" * 250 + "<b/>" * 20_000 + f"</{'a' * 100}>" * 250 + "</UserData>",
        )
    ),
    "XML: a line of 64 MB in one event": lambda: xml(
        event(1000, f"<EventData><Data>{'x' * (64 << 20)}</Data></EventData>")
    ),
    "XML: a million elements in one event": lambda: xml(
        event(1000, "<EventData>" + "<Data/>" * 1_000_000 + "</EventData>")
    ),
    "XML: 200000 attributes": lambda: xml(
        "<Event " + " ".join(f"a{n}=''" for n in range(200_000)) + "></Event>"
    ),
    "XML: 20000 namespaces": lambda: xml(
        event(1000, "<UserData " + " ".join(f"xmlns:a{n}='u'" for n in range(20_000)) + "/>")
    ),
    "XML: a comment without end": lambda: xml("<!--" + "x" * 1_000_000).replace(b"-->", b""),
    "XML: a million comments": lambda: xml(event(1000, "<!---->" * 500_000)),
    "XML: character references for all that is forbidden": lambda: xml(
        event(1000, "<EventData><Data>" + "&#0;&#1;&#xD800;" * 50_000 + "</Data></EventData>")
    ),
    "XML: starts of events without end": lambda: xml(f"<Event xmlns='{NAMESPACE}'>" * 200_000),
    "XML: starts of events and systems without end": lambda: xml("<Event><System>" * 100_000),
    "XML: brackets": lambda: xml("<" * 2_000_000),
    "XML: a tag without end": lambda: xml("<Event " + "a='b' " * 500_000),
    "XML: noise": lambda: xml(_noise()),
    "XML: half surrogates, NULs and control characters": lambda: xml(
        event(1000, "<EventData><Data>a\ud800\0\x01\x1f\ufffe</Data></EventData>")
    ),
    "JSON: arrays 5 million deep": lambda: lines("[" * 5_000_000),
    "JSON: objects a million deep": lambda: lines('{"a":' * 1_000_000),
    "JSON: a line of 64 MB": lambda: lines('{"a": "' + "x" * (64 << 20) + '"}'),
    "JSON: 5 million empty arrays in a line": lambda: lines('{"a": [' + "[]," * 5_000_000 + "0]}"),
    "JSON: 3 million empty objects in a list": lambda: lines("[" + "{}," * 3_000_000 + "{}]"),
    "JSON: 750000 keys": lambda: lines("{" + ",".join(f'"{n:x}":0' for n in range(750_000)) + "}"),
    "JSON: a number of a million digits": lambda: lines('{"winlog": ' + "9" * 1_000_000 + "}"),
    "JSON: event ids of all kinds": lambda: lines(
        "\n".join(
            json.dumps({"winlog": {"provider_name": PROVIDER, "event_id": value, "record_id": 1000}})
            for value in (1e308, -1, 10**400, None, True, [1], {"a": 1}, "NaN", "9" * 5000)
        )
    ),
    "JSON: not a number": lambda: lines('{"winlog": {"provider_name": NaN, "event_id": Infinity}}'),
    "JSON: an event whose XML is an entity bomb": lambda: lines(line(1000, message=DOCTYPE + _USE)),
    "JSON: an event whose XML is deep": lambda: lines(line(1000, xml="<Event>" + "<a>" * 300_000)),
    "JSON: documents one behind the other over a few lines": lambda: (
        ("{\n}" + " {}" * 40_000).encode() + b"\n" + lines("")
    ),
    "JSON: no UTF-8": lambda: lines(b'{"a": "\xff\xfe\xed\xa0\x80"}'),
    "a gzip bomb behind good events": lambda: gzip.compress(xml("") + b" " * (256 << 20), 6),
    "a zip of bombs": _zip_of_bombs,
    "a zip with a bomb in bzip2": lambda: _zip_of_bombs(zipfile.ZIP_BZIP2, 1, 256),
    "a zip with a bomb in LZMA": lambda: _zip_of_bombs(zipfile.ZIP_LZMA, 1, 192),
}
"""Hostile texts that give their good events."""

REFUSED: dict[str, Callable[[], bytes]] = {
    "XML: an entity bomb ahead of the events": lambda: xml("", DOCTYPE),
    "XML: an external entity ahead of the events": lambda: xml("", EXTERNAL),
    "JSON: a document that is only depth": lambda: b"[\n" * 3_000_000,
    "JSON: starts of objects": lambda: b"{\n" * 250_000,
    "JSON: starts of objects with a value": lambda: b'{"a":1,\n' * 60_000,
    "JSON: starts of objects, each in the one before": lambda: b'{"a":\n' * 80_000,
}
"""Hostile texts that are refused as a whole."""
