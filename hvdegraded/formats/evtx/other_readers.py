"""The same .evtx log through other people's readers, into the same records: for `engine=` and `verify`.

Each gives event XML, which is read as any other. Faults of theirs that the text still shows are mended
here (python-evtx's string arrays and base64); what is lost is not, and `verify` names it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from hvdegraded.errors import EmptySourceError, MissingExtraError, SourceError, WrongValueError
from hvdegraded.formats.evtx.reader import EvtxReader
from hvdegraded.formats.xml.reader import parse_event
from hvdegraded.records.items import Item, Loss, LossReason, Opened
from hvdegraded.records.record import EventRecord, Field, Origin, ProviderFilter

__all__ = ["WITNESSES", "installed", "witness_reader"]

_STRING = re.compile(r"<string>(.*?)</string>\n?", re.DOTALL)


def _python_evtx(stream: BinaryIO) -> Iterator[str | Exception]:
    from Evtx.Evtx import FileHeader

    data = stream.read()
    header = FileHeader(data, 0)
    if header.magic() != "ElfFile\x00":
        raise SourceError("python-evtx does not take this for an .evtx log")
    for chunk in header.chunks():
        try:
            for record in chunk.records():
                try:
                    yield record.xml()
                except Exception as error:  # noqa: BLE001  # it raises what its parsing ran into, of any type
                    yield error
        except Exception as error:  # noqa: BLE001
            yield error


def _evtx(stream: BinaryIO) -> Iterator[str | Exception]:
    try:
        from evtx import PyEvtxParser
    except ImportError:
        raise MissingExtraError("reading with engine 'evtx'", "fast", ("evtx",)) from None
    try:
        records = PyEvtxParser(stream).records()
    except (RuntimeError, OSError) as error:
        raise SourceError(f"evtx does not take this for an .evtx log: {error}") from None
    while True:
        try:
            record: Any = next(records)
        except StopIteration:
            return
        except RuntimeError as error:
            yield error
        else:
            yield str(record["data"])


def _libevtx(stream: BinaryIO) -> Iterator[str | Exception]:
    try:
        import pyevtx
    except ImportError:
        raise MissingExtraError("reading with libevtx", "test", ("libevtx-python",)) from None
    log = pyevtx.file()
    try:
        log.open_file_object(stream)
    except OSError as error:
        raise SourceError(f"libevtx does not take this for an .evtx log: {error}") from None
    for number in range(log.get_number_of_records()):
        try:
            yield log.get_record(number).get_xml_string()
        except (OSError, UnicodeError) as error:
            yield error


WITNESSES = {"python-evtx": _python_evtx, "evtx": _evtx, "libevtx": _libevtx}
"""The other readers, by name: each yields a record's XML, or the error that a record ended in."""

_MODULES = {"python-evtx": "Evtx", "evtx": "evtx", "libevtx": "pyevtx"}


def installed() -> tuple[str, ...]:
    """Names of the witnesses that are installed."""
    from importlib.util import find_spec

    return tuple(name for name, module in _MODULES.items() if find_spec(module) is not None)


def witness_reader(engine: str) -> EvtxReader:
    """What reads .evtx logs through another reader. Raises SourceError for an unknown name."""
    texts = WITNESSES.get(engine)
    if texts is None:
        names = ", ".join(("hvdegraded", *WITNESSES))
        raise WrongValueError(f"there is no engine {engine!r}", hint=f"one of {names}")

    def read(stream: BinaryIO, path: str | None, _wanted: ProviderFilter | None) -> Iterator[Item]:
        yield Opened(engine)
        start = stream.tell()
        if not stream.read(1):
            raise EmptySourceError("the file is empty", path=path)
        stream.seek(start)
        for text in texts(stream):
            if isinstance(text, Exception):
                yield Loss(LossReason.UNREADABLE, f"{engine}: {text}"[:200])
                continue
            try:
                record = parse_event(text, Origin(engine, path))
            except SourceError as error:
                yield Loss(LossReason.MALFORMED, f"{engine} gave no XML: {error.message}"[:200])
                continue
            yield _with_arrays_split(record) if engine == "python-evtx" else record

    return read


def _with_arrays_split(record: EventRecord) -> EventRecord:
    """The record with python-evtx's string arrays split and its base64 turned into hexadecimal digits."""
    data: list[Field] = []
    for name, text in record.data:
        if name == "Binary" and text:
            data.append((name, _hexadecimal(text)))
        elif name is None and text.startswith("<string>"):
            data += [(None, item) for item in _STRING.findall(text)]
        else:
            data.append((name, text))
    return record._replace(data=tuple(data))


def _hexadecimal(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex().upper()
    except (binascii.Error, ValueError):
        return text
