"""What a user of each reader would write for a job; each returns how many events it found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

import hvdegraded as hv
from hvdegraded.classify import Classifier
from hvdegraded.label import Labeller
from hvdegraded.record import EventRecord
from hvdegraded.sources.xmlevent import record_from_element

WANTED = hv.load_knowledge().provider_filter()
MARK = "Hyper-V".encode("utf-16-le")[:-1]
BLOCK = 4 << 20


def _classified(records: object) -> int:
    judge = Classifier()
    count = 0
    for record in records:  # type: ignore[attr-defined]
        assert isinstance(record, EventRecord)
        judge.classify(judge.normalise(record))
        count += 1
    return count


def ours(path: Path) -> int:
    return _classified(hv.read_records(path, wanted=WANTED))


def ours_decoding(path: Path) -> int:
    return sum(1 for _ in hv.read_records(path))


def evtx_xml(path: Path, threads: int = 0) -> int:
    """`evtx` XML, the names looked for in the text, hits parsed by lxml."""
    from evtx import PyEvtxParser

    def records() -> object:
        for record in PyEvtxParser(str(path), number_of_threads=threads).records():
            text = record["data"]
            if (
                "Hyper-V" in text
                or "storvsp" in text.lower()
                or "vmsmp" in text.lower()
                or "vmbus" in text.lower()
            ):
                found = record_from_element(etree.fromstring(text.encode()))
                if WANTED.matches(found.provider):
                    yield found

    return _classified(records())


def evtx_xml_one_thread(path: Path) -> int:
    """The same without the threads that `evtx` starts for each core."""
    return evtx_xml(path, threads=1)


def evtx_xml_decoding(path: Path) -> int:
    from evtx import PyEvtxParser

    count = 0
    for record in PyEvtxParser(str(path)).records():
        record_from_element(etree.fromstring(record["data"].encode()))
        count += 1
    return count


def evtx_json(path: Path) -> int:
    """`evtx` JSON, json.loads, then by provider."""
    from evtx import PyEvtxParser

    def records() -> object:
        for record in PyEvtxParser(str(path)).records_json():
            found = hv_record(json.loads(record["data"]))
            if found is not None and WANTED.matches(found.provider):
                yield found

    return _classified(records())


def hv_record(mapping: dict[str, object]) -> EventRecord | None:
    from hvdegraded.sources.shippers import record_from_mapping

    return record_from_mapping(mapping, dialect="evtx json")


def python_evtx(path: Path) -> int:
    """python-evtx and lxml, on the first two chunks only; see `SLICED`."""
    from Evtx.Evtx import FileHeader

    def records() -> object:
        header = FileHeader(path.read_bytes()[: 4096 + 2 * 65536], 0)
        for chunk in header.chunks():
            for record in chunk.records():
                found = record_from_element(etree.fromstring(record.xml().encode()))
                if WANTED.matches(found.provider):
                    yield found

    return _classified(records())


def find_pass(path: Path) -> int:
    """The floor: read the file and look for one name."""
    count = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            place = block.find(MARK)
            count += place >= 0
    return count


def ours_xml(path: Path) -> int:
    return _classified(hv.read_records(path, wanted=WANTED))


def lxml_xml(path: Path) -> int:
    """lxml under a synthetic root, fed in blocks."""

    def records() -> object:
        parser = etree.XMLPullParser(events=("end",), tag="{*}Event")
        parser.feed(b"<Events>")
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                parser.feed(block)
                for _, element in parser.read_events():
                    yield record_from_element(element)
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]

    return _classified(records())


def ours_lines(path: Path) -> int:
    labeller = Labeller()
    with path.open("rb") as stream:
        for line in stream:
            labeller.line(line)
    return labeller.stats.ignorable + labeller.stats.actionable


JOBS: dict[str, tuple[str, dict[str, Callable[[Path], int]]]] = {
    "sparse": ("sparse.evtx", {"hvdegraded": ours, "evtx XML + filter": evtx_xml, "the same, one thread": evtx_xml_one_thread, "evtx JSON": evtx_json, "find pass": find_pass}),
    "dense": ("dense.evtx", {"hvdegraded": ours, "evtx XML + lxml": evtx_xml, "python-evtx + lxml": python_evtx}),
    "decoding": ("small.evtx", {"hvdegraded": ours_decoding, "evtx XML + lxml": evtx_xml_decoding}),
    "XML export": ("export.xml", {"hvdegraded": ours_xml, "lxml": lxml_xml}),
    "shipping 2 %": ("shipping2.jsonl", {"hvdegraded label": ours_lines}),
    "shipping 100 %": ("shipping100.jsonl", {"hvdegraded label": ours_lines}),
}  # fmt: skip

SLICED = {"python-evtx + lxml": 2 * 65536}
"""Contenders that read only so many bytes, and are extrapolated."""


def run(job: str, contender: str, path: str) -> dict[str, float]:
    """One measurement: seconds, events found, peak memory in MB."""
    work = JOBS[job][1][contender]
    begun = time.perf_counter()
    found = work(Path(path))
    seconds = time.perf_counter() - begun
    peak = next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return {"seconds": seconds, "found": found, "peak_mb": peak}
