"""Coverage-guided fuzzing with atheris (extra `fuzz`): `python -m tests.fuzz evtx|xml|json [libFuzzer options]`."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["hvdegraded"]):
    from hvdegraded.errors import HvdegradedError
    from hvdegraded.record import ReadReport
    from hvdegraded.sources.evtx import read_evtx
    from hvdegraded.sources.jsonlines import read_json_lines
    from hvdegraded.sources.xml import read_xml

READERS: dict[str, Callable[..., object]] = {
    "evtx": lambda data, report: list(read_evtx(data, report)),
    "xml": lambda data, report: list(read_xml(io.BytesIO(data), report)),
    "json": lambda data, report: list(read_json_lines(io.BytesIO(data), report)),
}


def main() -> None:
    """Feed one reader until it fails."""
    reader = READERS[sys.argv.pop(1)]

    def one(data: bytes) -> None:
        report = ReadReport()
        with contextlib.suppress(HvdegradedError):
            reader(data, report)
        assert report.records_seen == report.delivered + report.filtered + report.lost

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
