"""The exceptions of this library: each names the place, and says what to do about it.

Families by whose fault it is: `SourceError` and its children blame an input, `OutputError` an output,
`KnowledgeError`, `InventoryError` and `MissingExtraError` how the library was set up, `WrongTypeError`,
`WrongValueError` and `UnknownNameError` the arguments of a call. Each is also the built-in exception that a
caller expects: OSError for files, TypeError and ValueError for arguments, LookupError for names.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType

__all__ = [
    "EmptySourceError",
    "EvtxWriteError",
    "HvdegradedError",
    "InventoryError",
    "InventoryFileError",
    "InventoryTypeError",
    "KnowledgeError",
    "KnowledgeFileError",
    "LegacyEvtError",
    "LossError",
    "MissingExtraError",
    "OutputError",
    "SourceError",
    "SourceTypeError",
    "UnknownFormatError",
    "UnknownNameError",
    "UnsafeXmlError",
    "WrongTypeError",
    "WrongValueError",
    "check_type",
]


class HvdegradedError(Exception):
    """Base of every exception raised on purpose by this library.

    `path` names the input, `offset` counts bytes from its start, `line` and `column` count from 1;
    each is None if it does not apply. `hint` says what to do, in one sentence.

    >>> import hvdegraded as hv
    >>> try:
    ...     hv.triage("logs", since="soon")
    ... except hv.HvdegradedError as error:
    ...     print(error.hint)
    write 24h, 7d, yesterday, 2026-11-24 or 2026-11-24T13:00
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.path = path
        self.offset = offset
        self.line = line
        self.column = column
        self.hint = hint
        super().__init__(message)

    @property
    def place(self) -> str:
        """Where it happened, as `path:line:column` or `path at offset 0x…`; empty when unknown."""
        place = self.path or ""
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
            if self.column is not None:
                place += f":{self.column}"
        if self.offset is not None:
            place += f" at offset 0x{self.offset:X}" if place else f"offset 0x{self.offset:X}"
        return place

    @property
    def text(self) -> str:
        """What happened and what to do, without the place."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __str__(self) -> str:
        text = f"{self.place}: {self.text}" if self.place else self.text
        return text.encode(errors="backslashreplace").decode()  # halves of surrogate pairs, as paths have


class WrongTypeError(HvdegradedError, TypeError):
    """An argument of a type that the call does not take.

    >>> import hvdegraded as hv
    >>> hv.classify("System.evtx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.WrongTypeError: str is neither an event nor a record (...)
    """


def check_type(name: str, value: object, kind: type | UnionType, hint: str) -> None:
    """Raise WrongTypeError for an argument of that name whose value is of another type."""
    if not isinstance(value, kind):
        kinds = [getattr(one, "__name__", str(one)) for one in getattr(kind, "__args__", (kind,))]
        expected = " or ".join(one for one in kinds if one != "NoneType")
        raise WrongTypeError(f"{name} must be of type {expected}, not {type(value).__name__}", hint=hint)


class WrongValueError(HvdegradedError, ValueError):
    """An argument with a value that the call does not take.

    >>> import hvdegraded as hv
    >>> hv.triage("logs", min_level="errr")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.WrongValueError: min_level is 'errr', not a level (...)
    """


class SourceError(HvdegradedError, OSError):
    """An input could not be read at all.

    >>> import hvdegraded as hv
    >>> hv.read("missing.evtx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.SourceError: missing.evtx: the file cannot be read: ...
    """


class SourceTypeError(SourceError, WrongTypeError):
    """What was given as an input is not a path, bytes or a stream.

    >>> import hvdegraded as hv
    >>> hv.read(7)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.SourceTypeError: int is not an input (...)
    """


class EmptySourceError(SourceError):
    """The input has no bytes.

    >>> import hvdegraded as hv
    >>> hv.triage(b"")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.EmptySourceError: ...
    """


class LegacyEvtError(SourceError):
    r"""The input is an old .evt log (Windows XP and 2003), not .evtx.

    >>> import hvdegraded as hv
    >>> hv.triage(b"\x30\0\0\0LfLe")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.LegacyEvtError: this is an .evt log of Windows XP or 2003 (...)
    """

    def __init__(self, path: str | None) -> None:
        super().__init__(
            "this is an .evt log of Windows XP or 2003",
            path=path,
            hint="convert it on Windows: wevtutil epl OLD.evt NEW.evtx /lf:true",
        )


class UnknownFormatError(SourceError):
    """The input has a format that this library does not read.

    >>> import hvdegraded as hv
    >>> hv.triage(b"neither a log nor JSON")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.UnknownFormatError: ...
    """


class UnsafeXmlError(SourceError):
    """The XML declares a document type or entities; event XML never does, attacks do.

    >>> import hvdegraded as hv
    >>> hv.triage(b"<!DOCTYPE Events><Events/>")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.UnsafeXmlError: ...
    """


class LossError(SourceError):
    """A record could not be delivered, and the reading was strict.

    >>> import hvdegraded as hv
    >>> from pathlib import Path
    >>> cut = Path("sample_logs/hv2012r2/System.evtx").read_bytes()[:100_000]
    >>> hv.triage(cut, strict=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.LossError: ...
    """


class KnowledgeError(HvdegradedError):
    """A row of a knowledge or policy file is wrong.

    >>> import hvdegraded as hv
    >>> hv.Policy.load("README.md")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.KnowledgeError: README.md:3:3: ...
    """


class KnowledgeFileError(KnowledgeError, OSError):
    """A knowledge or policy file cannot be opened.

    >>> import hvdegraded as hv
    >>> hv.Policy.load("missing.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.KnowledgeFileError: missing.toml: cannot be opened: ...
    """


class InventoryError(HvdegradedError):
    """A guest inventory could not be read.

    >>> import hvdegraded as hv
    >>> hv.triage("logs", guests=[{"Name": "web01"}])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.InventoryError: no row can be used: ...
    """


class InventoryFileError(InventoryError, OSError):
    """The file of a guest inventory cannot be opened.

    >>> import hvdegraded as hv
    >>> hv.triage("logs", guests="missing.json")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.InventoryFileError: missing.json: cannot be opened: ...
    """


class InventoryTypeError(InventoryError, WrongTypeError):
    """What was given as an inventory is not one, nor anything that one is made of.

    >>> import hvdegraded as hv
    >>> hv.triage("logs", guests=7)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.InventoryTypeError: int is not an inventory (...)
    """


class OutputError(HvdegradedError, OSError):
    """A file cannot be written.

    >>> import hvdegraded as hv
    >>> hv.write_evtx("no/such/folder/x.evtx", [])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.OutputError: no/such/folder/x.evtx: the file cannot be written: ...
    """


class EvtxWriteError(OutputError):
    """An event cannot be written to an .evtx log.

    >>> import hvdegraded as hv
    >>> hv.evtx_bytes([hv.EventRecord("storvsp", 6)])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    hvdegraded.errors.EvtxWriteError: ...
    """


class UnknownNameError(HvdegradedError, LookupError):
    """A VM, host, finding or component that was asked for does not occur.

    >>> import hvdegraded as hv
    >>> hv.triage("sample_logs/hv2012r2").vm("wbe22")
    Traceback (most recent call last):
    hvdegraded.errors.UnknownNameError: no event of this triage names the VM 'wbe22' (did you mean web22?)
    """


class MissingExtraError(HvdegradedError, ImportError):
    """A feature needs an optional package that is not installed.

    >>> import hvdegraded as hv
    >>> str(hv.MissingExtraError("an Arrow table", "arrow"))
    "an Arrow table needs the extra 'arrow' (pip install 'hvdegraded[arrow]')"
    """

    def __init__(self, feature: str, extra: str, packages: Sequence[str] = ()) -> None:
        wanted = f" ({', '.join(packages)})" if packages else ""
        super().__init__(
            f"{feature} needs the extra '{extra}'{wanted}",
            hint=f"pip install 'hvdegraded[{extra}]'",
        )
        self._made_of = (feature, extra, tuple(packages))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._made_of
