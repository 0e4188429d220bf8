"""The exceptions of this library: each names the place, and says what to do about it.

Families by whose fault it is: `SourceError` and its children blame an input, `OutputError` an output,
`KnowledgeError`, `InventoryError` and `MissingExtraError` how the library was set up, `WrongTypeError`,
`WrongValueError` and `UnknownNameError` the arguments of a call. Each is also the built-in exception that a
caller expects: OSError for files, TypeError and ValueError for arguments, LookupError for names.
"""

from __future__ import annotations

from collections.abc import Sequence

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
]


class HvdegradedError(Exception):
    """Base of every exception raised on purpose by this library.

    `path` names the input, `offset` counts bytes from its start, `line` and `column` count from 1;
    each is None if it does not apply. `hint` says what to do, in one sentence.
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
        return f"{self.place}: {self.text}" if self.place else self.text


class WrongTypeError(HvdegradedError, TypeError):
    """An argument of a type that the call does not take."""


class WrongValueError(HvdegradedError, ValueError):
    """An argument with a value that the call does not take."""


class SourceError(HvdegradedError, OSError):
    """An input could not be read at all."""


class SourceTypeError(SourceError, WrongTypeError):
    """What was given as an input is not a path, bytes or a stream."""


class EmptySourceError(SourceError):
    """The input has no bytes."""


class LegacyEvtError(SourceError):
    """The input is an old .evt log (Windows XP and 2003), not .evtx."""

    def __init__(self, path: str | None) -> None:
        super().__init__(
            "this is an .evt log of Windows XP or 2003",
            path=path,
            hint="convert it on Windows: wevtutil epl OLD.evt NEW.evtx /lf:true",
        )


class UnknownFormatError(SourceError):
    """The input has a format that this library does not read."""


class UnsafeXmlError(SourceError):
    """The XML declares a document type or entities; event XML never does, attacks do."""


class LossError(SourceError):
    """A record could not be delivered, and the reading was strict."""


class KnowledgeError(HvdegradedError):
    """A row of a knowledge or policy file is wrong."""


class KnowledgeFileError(KnowledgeError, OSError):
    """A knowledge or policy file cannot be opened."""


class InventoryError(HvdegradedError):
    """A guest inventory could not be read."""


class InventoryFileError(InventoryError, OSError):
    """The file of a guest inventory cannot be opened."""


class InventoryTypeError(InventoryError, WrongTypeError):
    """What was given as an inventory is not one, nor anything that one is made of."""


class OutputError(HvdegradedError, OSError):
    """A file cannot be written."""


class EvtxWriteError(OutputError):
    """An event cannot be written to an .evtx log."""


class UnknownNameError(HvdegradedError, LookupError):
    """A VM, host, finding or component that was asked for does not occur."""


class MissingExtraError(HvdegradedError, ImportError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str, packages: Sequence[str] = ()) -> None:
        wanted = f" ({', '.join(packages)})" if packages else ""
        super().__init__(
            f"{feature} needs the extra '{extra}'{wanted}",
            hint=f"pip install 'hvdegraded[{extra}]'",
        )
        self._made_of = (feature, extra, tuple(packages))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._made_of
