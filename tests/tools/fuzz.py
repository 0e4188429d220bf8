"""Coverage-guided fuzzing with atheris (extra `fuzz`): `python -m tests.tools.fuzz TARGET [libFuzzer options] [FOLDER…]`.

Targets: evtx (container walk and binary XML), prefilter (the same, Hyper-V only), carve, xml, json, read
(whatever it looks like, archives too). A folder takes what is found worth keeping; further ones hold seeds.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable

import atheris

with atheris.instrument_imports(include=["hvdegraded"]):
    from hvdegraded.errors import HvdegradedError
    from hvdegraded.formats.autodetect import read_stream
    from hvdegraded.formats.evtx.carving import carve
    from hvdegraded.formats.evtx.reader import read_evtx
    from hvdegraded.formats.shippers.json_lines import read_json_lines
    from hvdegraded.formats.xml.reader import read_xml
    from hvdegraded.knowledge.tables import load_knowledge
    from hvdegraded.reading.delivery import delivered
    from hvdegraded.records.items import Item
    from hvdegraded.records.report import ReadReport

WANTED = load_knowledge().provider_filter()
READERS: dict[str, Callable[[bytes], Iterable[Item]]] = {
    "evtx": read_evtx,
    "prefilter": lambda data: read_evtx(data, wanted=WANTED),
    "carve": lambda data: carve(io.BytesIO(data), remnants=True),
    "xml": lambda data: read_xml(io.BytesIO(data)),
    "json": lambda data: read_json_lines(io.BytesIO(data)),
    "read": lambda data: read_stream(io.BytesIO(data)),
}


def main() -> None:
    """Feed one reader until it fails."""
    reader = READERS[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        report = ReadReport()
        count = 0
        with contextlib.suppress(HvdegradedError):
            for _ in delivered(reader(data), report):
                count += 1
        assert report.delivered == count
        assert report.records_seen == report.delivered + report.filtered + report.lost

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
