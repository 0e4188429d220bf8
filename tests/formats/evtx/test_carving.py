"""Carving: chunks at any offset, and remnants that are believed only where two numbers agree."""

from __future__ import annotations

import random
from pathlib import Path

import hvdegraded as hv
from hvdegraded.formats.evtx.format import CHUNK_SIZE, FILE_HEADER_SIZE
from tests.tools.corpus import log, needs_corpus
from tests.tools.sample_logs import FOLDER

WORKER = FOLDER / "hv2012r2" / "Microsoft-Windows-Hyper-V-Worker-Admin.evtx"


def test_chunks_anywhere_in_a_file(tmp_path: Path) -> None:
    data = WORKER.read_bytes()
    chunks = data[FILE_HEADER_SIZE:]
    noise = random.Random(5)
    image = (
        noise.randbytes(5_000_001)
        + chunks[:CHUNK_SIZE]
        + noise.randbytes(777)
        + chunks[CHUNK_SIZE:]
        + bytes(99)
    )
    path = tmp_path / "disk.img"
    path.write_bytes(image)
    stream = hv.read_records(path, carve=True)
    assert list(stream) == list(hv.read_records(WORKER))
    assert stream.report.lost == 0


def test_what_is_there_twice_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "twice.bin"
    path.write_bytes(WORKER.read_bytes() * 2)
    stream = hv.read_records(path, carve=True)
    assert len(list(stream)) == len(list(hv.read_records(WORKER)))
    assert stream.report.records_seen == 2 * stream.report.delivered


@needs_corpus
def test_remnants_are_marked_and_their_numbers_agree() -> None:
    path = log("2-vss_7-System")
    live = list(hv.read_records(path))
    assert list(hv.read_records(path, carve=True)) == live
    stream = hv.read_records(path, remnants=True)
    found = list(stream)
    recovered = [record for record in found if record.origin.recovered]
    assert [record for record in found if not record.origin.recovered] == live
    assert stream.report.recovered == len(recovered)
    data = path.read_bytes()
    for record in recovered:
        offset = record.origin.offset or 0
        assert int.from_bytes(data[offset + 8 : offset + 16], "little") == record.record_id
        assert record.origin.anomalies


def test_nothing_to_carve(tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    path.write_bytes(b"ElfChnk\0" * 5000)
    stream = hv.read_records(path, carve=True)
    assert not list(stream)
    assert stream.report.notes
