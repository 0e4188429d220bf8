"""What a user of each reader would write for a job; each returns what it found, so that all can be compared.

Modules are imported by those who need them, since the start of a process counts.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hvdegraded.records.record import EventRecord, ProviderFilter

MARK = "Hyper-V".encode("utf-16-le")[:-1]
BLOCK = 4 << 20


class Found(NamedTuple):
    """How many events a contender found, a checksum of which, and how many of them it calls ignorable."""

    count: int  # type: ignore[assignment]  # tuple.count is not needed
    which: int | None = None
    ignorable: int | None = None


@cache
def wanted() -> ProviderFilter:
    from hvdegraded.knowledge.tables import load_knowledge

    return load_knowledge().provider_filter()


def classified(records: Iterator[EventRecord]) -> Found:
    """The job of the .evtx and XML contenders: normalise and classify all, by the same models and rules."""
    from hvdegraded.verdicts.classifier import Classifier

    judge = Classifier()
    kinds: Counter[tuple[str, int, bool]] = Counter()
    ids = 0
    for record in records:
        verdict = judge.classify(judge.normalise(record))
        kinds[record.provider, record.event_id, verdict.ignorable] += 1
        ids += record.record_id or 0
    named = sorted((provider.lower(), number, count) for (provider, number, _), count in kinds.items())
    ignorable = sum(count for (_, _, ignorable), count in kinds.items() if ignorable)
    return Found(kinds.total(), zlib.crc32(repr((named, ids)).encode()), ignorable)


def counted(records: Iterator[EventRecord]) -> Found:
    """The job of decoding alone."""
    count = ids = 0
    for record in records:
        count += 1
        ids += record.record_id or 0
    return Found(count, ids)


# -------------------------------------------------------------------- this library


def ours(path: Path) -> Found:
    from hvdegraded.reading.reader import read_records

    return classified(read_records(path, wanted=wanted()))


def ours_decoding(path: Path) -> Found:
    from hvdegraded.reading.reader import read_records

    return counted(read_records(path))


def our_triage(path: Path, workers: int = 1) -> Found:
    import hvdegraded as hv

    return Found(hv.triage(path, min_level=hv.Level.VERBOSE, workers=workers, progress=False).count)


def our_triage_with_two(path: Path) -> Found:
    return our_triage(path, 2)


def our_report(path: Path) -> Found:
    """Triage, text and page by the command."""
    from hvdegraded.cli.main import main

    page = path.with_suffix(".html")
    main(["triage", str(path), "--html", str(page), "--output", str(path.with_suffix(".txt"))])
    return Found(page.stat().st_size)


def ours_with_two(path: Path) -> Found:
    from hvdegraded.reading.reader import read_records

    return classified(read_records(path, wanted=wanted(), workers=2))


# -------------------------------------------------------------------- other readers of .evtx logs


def wanted_of(texts: Iterator[str]) -> Iterator[EventRecord]:
    """The wanted records among texts of event XML: names are looked for first, only hits are parsed."""
    from lxml import etree

    from hvdegraded.formats.xml.element import record_from_element

    names = ("hyper-v", *sorted(wanted().names))
    for text in texts:
        lower = text.lower()
        if any(name in lower for name in names):
            record = record_from_element(etree.fromstring(text.encode()))
            if wanted().matches(record.provider):
                yield record


def evtx_texts(path: Path, threads: int = 0) -> Iterator[str]:
    from evtx import PyEvtxParser

    for record in PyEvtxParser(str(path), number_of_threads=threads).records():
        yield record["data"]


def evtx_xml(path: Path) -> Found:
    """`evtx` starts a thread for each core."""
    return classified(wanted_of(evtx_texts(path)))


def evtx_xml_one_thread(path: Path) -> Found:
    return classified(wanted_of(evtx_texts(path, 1)))


def evtx_xml_decoding(path: Path) -> Found:
    from lxml import etree

    from hvdegraded.formats.xml.element import record_from_element

    return counted(record_from_element(etree.fromstring(text.encode())) for text in evtx_texts(path))


def evtx_json(path: Path) -> Found:
    """`evtx` JSON, json.loads, then by provider."""
    import json

    from evtx import PyEvtxParser

    from hvdegraded.formats.shippers.mapping import record_from_mapping

    def records() -> Iterator[EventRecord]:
        for line in PyEvtxParser(str(path)).records_json():
            record = record_from_mapping(json.loads(line["data"]), dialect="evtx json")
            if record is not None and wanted().matches(record.provider):
                yield record

    return classified(records())


def evtx_json_loads(path: Path) -> Found:
    """The floor of who works with `evtx`: its JSON, and json.loads of each record."""
    import json

    from evtx import PyEvtxParser

    count = 0
    for line in PyEvtxParser(str(path)).records_json():
        json.loads(line["data"])
        count += 1
    return Found(count)


def winevtx(path: Path) -> Found:
    from winevtx import iter_evtx

    return classified(wanted_of(record.xml for record in iter_evtx(str(path))))


def wintrace(path: Path) -> Found:
    from wintrace import iter_evtx

    return classified(wanted_of(record.xml for record in iter_evtx(str(path))))


def python_evtx(path: Path) -> Found:
    from Evtx.Evtx import FileHeader

    def texts() -> Iterator[str]:
        for chunk in FileHeader(path.read_bytes(), 0).chunks():
            for record in chunk.records():
                yield record.xml()

    return classified(wanted_of(texts()))


def libevtx(path: Path) -> Found:
    import pyevtx

    def texts() -> Iterator[str]:
        log = pyevtx.file()
        log.open(str(path))
        for at in range(log.get_number_of_records()):
            yield log.get_record(at).get_xml_string()

    return classified(wanted_of(texts()))


def dissect(path: Path) -> Found:
    """dissect.eventlog, where somebody has installed it (it is under the AGPL, and no dependency of ours)."""
    from dissect.eventlog.evtx import Evtx

    def records() -> Iterator[EventRecord]:
        with path.open("rb") as stream:
            for found in Evtx(stream):
                if wanted().matches(str(found["Provider_Name"])):
                    yield record_of({name: value_of(value) for name, value in found.items()})

    return classified(records())


def value_of(found: Any) -> Any:
    """A value of dissect's; what fills a slot of a template comes wrapped."""
    return found.get() if type(found).__name__ == "BxmlSub" else found


def record_of(found: dict[str, Any]) -> EventRecord:
    """The record of what dissect gives."""
    from hvdegraded.records.record import EventRecord
    from hvdegraded.timestamps import ticks_from_datetime

    take = found.pop
    system = {
        "provider": str(take("Provider_Name")),
        "event_id": int(take("EventID")),
        "qualifiers": take("EventID_Qualifiers", None),
        "time_ticks": ticks_from_datetime(take("TimeCreated_SystemTime")),
        "level": take("Level", None),
        "record_id": int(take("EventRecordID")),
        "channel": str(take("Channel", "")),
        "computer": str(take("Computer", "")),
        "user_id": take("Security_UserID", None),
    }
    data: list[tuple[str | None, str]] = []
    for name, value in found.items():
        if name == "Data" and isinstance(value, list):
            data += [(None, str(item)) for item in value]
        elif "_" not in name and value is not None:
            data.append((name, str(value)))
    return EventRecord(**system, payload="EventData", data=tuple(data))


def find_pass(path: Path) -> Found:
    """The floor: reading the file, with one `find`."""
    count = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            count += block.find(MARK) >= 0
    return Found(count)


# -------------------------------------------------------------------- event XML


def lxml_xml(path: Path) -> Found:
    """lxml's pull parser under a synthetic root, fed in blocks: one malformed event would end it."""
    from lxml import etree

    from hvdegraded.formats.xml.element import record_from_element

    def records() -> Iterator[EventRecord]:
        parser = etree.XMLPullParser(events=("end",), tag="{*}Event")
        parser.feed(b"<Events>")
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                parser.feed(block)
                for _, element in parser.read_events():
                    assert isinstance(element, etree._Element)
                    yield record_from_element(element)
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]

    return classified(records())


# -------------------------------------------------------------------- shipped lines


def our_label(path: Path) -> Found:
    from hvdegraded.pipeline.labeller import Labeller

    labeller = Labeller()
    with path.open("rb") as stream, open(os.devnull, "wb", buffering=0) as target:
        labeller.run(stream, target)
    stats = labeller.stats
    return Found(stats.ignorable + stats.actionable)


def json_round_trip(path: Path) -> Found:
    """The floor of what parses: json.loads and json.dumps of each line."""
    import json

    with path.open("rb") as stream, open(os.devnull, "wb") as target:
        for line in stream:
            target.write(json.dumps(json.loads(line)).encode() + b"\n")
    return Found(0)


# -------------------------------------------------------------------- jobs


class Contender(NamedTuple):
    """A way to do a job: a function, or the arguments with which Python is run.

    `chunks`: it reads so many chunks only, and is extrapolated; `floor`: it finds nothing.
    """

    name: str
    work: Callable[[Path], Found] | tuple[str, ...]
    chunks: int | None = None
    floor: bool = False
    needs: str | None = None
    """A module without which it is left out."""


class Job(NamedTuple):
    """What is to be done with which input; the first contender is the measure of the others.

    `elapsed`: the clock counts, not the CPU.
    """

    name: str
    input: str
    contenders: tuple[Contender, ...]
    elapsed: bool = False


OURS = Contender("hvdegraded", ours)
TRIAGE = Contender("hvdegraded triage", our_triage)
FIND = Contender("find pass", find_pass, floor=True)
EVTX = Contender("evtx XML, filter, lxml", evtx_xml, needs="evtx")
EVTX_LOADS = Contender("evtx JSON, json.loads", evtx_json_loads, floor=True, needs="evtx")
WINEVTX = Contender("winevtx XML, filter, lxml", winevtx, needs="winevtx")
WINTRACE = Contender("wintrace XML, filter, lxml", wintrace, needs="wintrace")
"""Refuses a whole log of which a text contains a control character, as the mixed one's do."""
SLICES = (
    Contender("libevtx XML, filter, lxml", libevtx, chunks=64, needs="pyevtx"),
    Contender("dissect.eventlog", dissect, chunks=16, needs="dissect.eventlog"),
    Contender("python-evtx XML, filter, lxml", python_evtx, chunks=3, needs="Evtx"),
)
ROUND_TRIP = Contender("json.loads and dumps", json_round_trip, floor=True)
LABEL = Contender("hvdegraded label", our_label)
BY_TWO = Contender("triage", our_triage), Contender("triage, workers=2", our_triage_with_two)

JOBS = (
    Job(
        "sparse",
        "sparse.evtx",
        (
            OURS,
            EVTX,
            Contender("the same, one thread", evtx_xml_one_thread, needs="evtx"),
            Contender("evtx JSON, json.loads", evtx_json, needs="evtx"),
            WINEVTX,
            *SLICES,
            FIND,
        ),
    ),
    Job("sparse and room", "room.evtx", (OURS, EVTX, FIND)),
    Job("dense", "dense.evtx", (OURS, EVTX, WINEVTX, WINTRACE, *SLICES)),
    Job("dense repeated", "dense.evtx", (TRIAGE, EVTX_LOADS)),
    Job("dense distinct", "distinct.evtx", (TRIAGE, EVTX_LOADS)),
    Job(
        "decoding",
        "small.evtx",
        (
            Contender("hvdegraded", ours_decoding),
            Contender("evtx XML, lxml", evtx_xml_decoding, needs="evtx"),
            EVTX_LOADS,
        ),
    ),
    Job("XML export", "export.xml", (OURS, Contender("lxml's pull parser", lxml_xml))),
    Job("label 2 %", "2.jsonl", (LABEL, ROUND_TRIP)),
    Job("label known", "100.jsonl", (LABEL, ROUND_TRIP)),
    Job("label known, few", "few.jsonl", (LABEL, ROUND_TRIP)),
    Job("label unknown", "unknown.jsonl", (LABEL, ROUND_TRIP)),
    Job("100,000 VMs", "vms.evtx", (Contender("triage, text and page", our_report), TRIAGE)),
    Job("page of 10,000 findings", "findings.evtx", (Contender("triage, text and page", our_report), TRIAGE)),
    Job(
        "two workers, one by one",
        "sparse.evtx",
        (OURS, Contender("workers=2", ours_with_two)),
        elapsed=True,
    ),
    Job("two workers, dense", "large.evtx", BY_TWO, elapsed=True),
    Job("two workers, mixed", "mixed.evtx", BY_TWO, elapsed=True),
    Job(
        "start",
        "small.evtx",
        (
            Contender("import hvdegraded", ("-c", "import hvdegraded"), floor=True),
            Contender("hvdegraded --version", ("-m", "hvdegraded", "--version"), floor=True),
            Contender("pydantic's BaseModel", ("-c", "from pydantic import BaseModel"), floor=True),
            Contender("python -c pass", ("-c", "pass"), floor=True),
        ),
    ),
)


def run(job: str, contender: str, path: str) -> dict[str, Any]:
    """One measurement: what was found, and peak memory in MB."""
    (work,) = (
        one.work for each in JOBS if each.name == job for one in each.contenders if one.name == contender
    )
    assert callable(work)
    found = work(Path(path))
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)
    return found._asdict() | {"peak_mb": peak}


if __name__ == "__main__":
    print(run(*sys.argv[1:]))
