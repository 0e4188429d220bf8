"""Reads TOML tables: checked rows out, and for a bad row the file, line and column of its fault.

Readers of TOML give no positions, so headings and keys are found again in the text when a row is bad. A file
of a user is read by `tomllib`, one of the package by `tomli`, which is compiled and three times as fast.
"""

from __future__ import annotations

import errno
import functools
import os
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import tomli
from pydantic import BaseModel, ValidationError

from hvdegraded.errors import KnowledgeError, KnowledgeFileError, check_type

__all__ = ["Entry", "TomlFile"]

_LARGEST = 4 << 20
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL, 0)  # 0: as archives say it
_HEADING = re.compile(r"[ \t]*(\[{1,2})[ \t]*([^\[\]#]+?)[ \t]*\]")
_KEY_PART = re.compile(r"""[ \t]*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*(?:\.|$)""")
_KEY = re.compile(r"""[ \t]*["']?([A-Za-z0-9_-]+)["']?[ \t]*[.=]""")
_TOML_PLACE = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_PART_OF_A_DAY = re.compile(r"[^=#\"']+=[ \t]*(\d{4}[-/]\d|\d{1,2}[./-]\d{1,2}[./-]\d)")
_PLAINER = {"extra_forbidden": "is not a key of such a table", "missing": "is missing"}

Row = TypeVar("Row", bound=BaseModel)


class Entry(NamedTuple):
    """One table of a file: its heading, its number among tables of that heading, and its values."""

    file: TomlFile
    heading: tuple[str, ...]
    number: int
    values: dict[str, Any]

    def error(self, message: str, key: str | None = None, hint: str | None = None) -> KnowledgeError:
        """Return an error that names the line of a key of this table, or of its heading."""
        line, column = self.file.place(self.heading, self.number, key)
        return KnowledgeError(message, path=self.file.path, line=line, column=column, hint=hint)

    def checked(
        self, model: type[Row], values: Mapping[str, Any] | None = None, hint: str | None = None
    ) -> Row:
        """Return the values, or those given in their place, as a row. Raises KnowledgeError with the hint."""
        try:
            return model.model_validate(self.values if values is None else values)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False)
            # A misspelt key says more than the missing one that it was meant to be.
            fault = min(faults, key=lambda one: one["type"] != "extra_forbidden")
            place = [str(part) for part in fault["loc"]]
            message = _PLAINER.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
            where = f"'{'.'.join(place)}' " if fault["type"] in _PLAINER else f"'{'.'.join(place)}': "
            where = where if place else ""
            name = ".".join(self.heading)
            raise self.error(f"[{name}] {where}{message}", place[0] if place else None, hint) from error


class TomlFile:
    """The tables of one TOML text. Raises KnowledgeError where it is not TOML."""

    def __init__(
        self, text: str, path: str | None = None, loads: Callable[[str], dict[str, Any]] | None = None
    ) -> None:
        if loads is None:  # a user's: tomli reads TOML 1.1, where "C:\evidence" has an escape
            import tomllib

            loads = tomllib.loads
        self.path = path
        self.text = text.removeprefix("\ufeff")
        try:
            self.content = loads(self.text)
        except ValueError as error:  # also an integer of too many digits
            raise self._syntax_error(error) from error
        except RecursionError as error:
            raise KnowledgeError("this TOML nests too deeply", path=path) from error

    @classmethod
    def given(cls, source: str | os.PathLike[str]) -> TomlFile:
        """Read a user's file, or take its text (anything with a newline)."""
        check_type("source", source, str | os.PathLike, "give the path of a TOML file, or its text")
        if isinstance(source, str) and ("\n" in source or not source):
            return cls(source)
        return cls.open(Path(os.fsdecode(source)))

    @classmethod
    def open(cls, source: Path) -> TomlFile:
        """Read a file."""
        path = str(source)
        try:
            with source.open("rb") as stream:
                raw: bytes = stream.read(_LARGEST + 1)
        except (OSError, ValueError) as error:
            raise _unopened(path, error, "give a TOML file with rows of events") from error
        if len(raw) > _LARGEST:
            raise KnowledgeError(f"larger than {_LARGEST >> 20} MiB", path=path)
        try:
            text = raw.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            column = error.start - raw.rfind(b"\n", 0, error.start)
            hint = "save the file as UTF-8"
            raise KnowledgeError("not UTF-8", path=path, line=line, column=column, hint=hint) from error
        return cls(text, path)

    @classmethod
    def of_package(cls, package: str, name: str) -> TomlFile:
        """Read a file beside the modules of a package. Raises KnowledgeFileError where it cannot be read."""
        file = cls.in_package(package, name)
        if file is None:
            raise KnowledgeFileError("is missing", path=name, hint="install the package again")
        return file

    @classmethod
    def in_package(cls, package: str, name: str) -> TomlFile | None:
        """Read a file beside the modules of a package, in an archive too; None only if there is none.

        Raises KnowledgeFileError where it cannot be read, as without a free descriptor.
        """
        try:
            raw = pkgutil.get_data(package, name)
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) or error.errno in _NO_FILE:
                return None
            raise _unopened(name, error) from error
        return None if raw is None else cls(raw.decode().replace("\r\n", "\n"), name, tomli.loads)

    @property
    def top(self) -> Entry:
        """The values above the first heading."""
        plain = {key: value for key, value in self.content.items() if not _is_table(value)}
        return Entry(self, (), 0, plain)

    def listed(self, table: str) -> Iterator[Entry]:
        """The tables under `[[table]]`, in order."""
        rows = self.content.get(table)
        if isinstance(rows, list):
            for number, values in enumerate(rows):
                if not isinstance(values, dict):
                    raise Entry(self, (table,), number, {}).error(f"'{table}' is not a list of tables")
                yield Entry(self, (table,), number, values)

    def headed(self, *above: str) -> Iterator[Entry]:
        """The tables under `[heading]`, or under `[above.heading]`, in order."""
        content: Any = self.content
        for part in above:
            content = content.get(part, {})
        for name, values in content.items():
            if isinstance(values, dict):
                yield Entry(self, (*above, name), 0, values)

    def rows(self, table: str, model: type[Row], hint: str | None = None) -> tuple[Row, ...]:
        """The tables under `[[table]]` as checked rows. Raises KnowledgeError for the first bad one."""
        return tuple(entry.checked(model, hint=hint) for entry in self.listed(table))

    def place(self, heading: tuple[str, ...], number: int, key: str | None) -> tuple[int, int]:
        """Line and column, from 1, of a key under the number-th heading of that name, or of the heading."""
        found = [line for line, name in self._headings if name == heading]
        start = found[number] if number < len(found) else -1
        if start < 0 and heading:  # written as a key: `event = [{…}]`
            return self._key_place(heading[0], 0, len(self._lines)) or (1, 1)
        below = [line for line, _ in self._headings if line > start]
        if key is not None:
            for line, name in self._headings:
                if heading and line > start and name == (*heading, key):
                    return line + 1, _indent(self._lines[line])
            inside = self._key_place(key, start + 1, below[0] if below else len(self._lines))
            if inside:
                return inside
        return (start + 1, _indent(self._lines[start])) if start >= 0 else (1, 1)

    def _key_place(self, key: str, start: int, end: int) -> tuple[int, int] | None:
        for number in range(start, end):
            match = _KEY.match(self._lines[number])
            if match and match[1] == key:
                return number + 1, _indent(self._lines[number])
        return None

    @functools.cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @functools.cached_property
    def _headings(self) -> list[tuple[int, tuple[str, ...]]]:
        found = []
        for number, line in enumerate(self._lines):
            if match := _HEADING.match(line):
                parts = tuple(one or two or three for one, two, three in _KEY_PART.findall(match[2]))
                found.append((number, parts))
        return found

    def _syntax_error(self, error: ValueError) -> KnowledgeError:
        match = _TOML_PLACE.match(str(error))
        message = match[1] if match else str(error)
        if match and match[2]:
            line, column = int(match[2]), int(match[3])
        elif match:
            line, column = self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")
        else:
            line, column = None, None
        is_day = line is not None and line <= len(self._lines) and _PART_OF_A_DAY.match(self._lines[line - 1])
        hint = "write a day with year, month and day: 2027-01-31" if is_day else None
        return KnowledgeError(f"not TOML: {message}", path=self.path, line=line, column=column, hint=hint)


def _unopened(path: str, error: Exception, hint: str | None = None) -> KnowledgeFileError:
    reason = (isinstance(error, OSError) and error.strerror) or error
    return KnowledgeFileError(f"cannot be opened: {reason}", path=path, hint=hint)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t")) + 1
