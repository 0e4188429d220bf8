"""Lines that differ in times and numbers alone: what was found for one holds for the next.

How it works. Lines are of one form if they are equal but for their digits, which stand in the same places.
Which of the values that are times or numbers decide is found out by trying, on a line of the form: each is
changed in two of its digits, and results are compared. A value that changes nothing is free; the one that
changes the time alone is the time; all other bytes are the key. So a look-up takes no parsing, and is exact:
the bytes that decide are the same.

A value may change nothing only because it is out of the range that is read, as a level of 300. So numbers of
other lengths are of other forms, and a number is free only if the least and the greatest of its length change
nothing either; any other value is free only if it is a time. A number that begins with 0 is not JSON, so no
free one may.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from hvdegraded.bounded import BoundedCache

__all__ = ["LineShapes", "Signature"]

T = TypeVar("T")

_VALUES = re.compile(rb"""(: ?(?:"[0-9][0-9T:.Z+ /-]{0,40}|[1-9][0-9]{0,17}))(?=[",}\] ])""")
_INNER_VALUES = re.compile(
    rb"""([:=>] ?(?:\\?["'][0-9][0-9T:.Z+ /-]{0,40}|[1-9][0-9]{0,17}))(?=[\\"'<,}\] ])"""
)  # in XML or JSON within JSON, too
_MARKS = b":=> \\\"'"  # in front of a value
_ZERO = ord("0")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_MOST_SHAPES = 4096
_MOST_VALUES = 40
_LONGEST = 4096  # bytes of a line that is worth remembering
_FIRST_CREDIT = 4096  # values that may be tried at first
_CREDIT = 0.25  # and for each line that was read in full; a try costs as much as twice its values


class Signature(NamedTuple):
    """What decides in a line, but for its time, and the time in ticks."""

    decides: Hashable
    ticks: int | None


class _Shape(NamedTuple):
    """Where in the lines of a form those values stand that decide nothing, and what decides.

    `key` are the parts of a line that decide. `time` is where its time stands, None if it has none. The
    values of a group in `equal` decide nothing as long as they are equal, as a record id in two places.
    `leading` are the first digits of numbers that are left out of the key.
    """

    key: tuple[slice, ...]
    time: slice | None
    equal: tuple[tuple[slice, ...], ...]
    leading: tuple[int, ...]


class LineShapes(Generic[T]):
    """A memory of what was found for lines, by their shapes.

    `read` returns what decides in a line, or None if it is not to be remembered; `ticks_of` the time that a
    value, with the mark in front of it, stands for. A shape is tried when a line of its form is seen for the
    second time, and as long as that pays off.
    """

    def __init__(
        self, read: Callable[[bytes], Signature | None], ticks_of: Callable[[bytes], int | None]
    ) -> None:
        self._read = read
        self._ticks_of = ticks_of
        self._shapes: BoundedCache[bytes, _Shape | None] = BoundedCache(_MOST_SHAPES)
        self._found: BoundedCache[tuple[bytes, ...], tuple[T, int | None]] = BoundedCache(_MOST_SHAPES)
        self._credit = float(_FIRST_CREDIT)

    def recall(self, line: bytes) -> tuple[T, int | None] | None:
        """Return what was found for a line of the same shape, and the time of this one in ticks."""
        if len(line) > _LONGEST:
            return None
        form = line.translate(_DIGITS_ALIKE)
        shape = self._shapes.get(form)
        if shape is None:
            return None
        found = self._found.get(_key_of(form, line, shape))
        if found is None or not _fits(line, shape):
            return None
        if shape.time is None:
            return found
        ticks = self._ticks_of(line[shape.time])
        return None if ticks is None else (found[0], ticks)

    def remember(self, line: bytes, found: T) -> None:
        """Offer what was found for a line that was read in full."""
        self._credit += _CREDIT
        if len(line) > _LONGEST:
            return
        form = line.translate(_DIGITS_ALIKE)
        if form not in self._shapes:
            self._shapes[form] = None  # seen once
            return
        parts = _parts(line)
        if len(parts) > 2 * _MOST_VALUES or len(parts) > self._credit:
            return
        self._credit -= len(parts)
        signature = self._read(line)
        if signature is None:
            return
        shape = self._try(parts, signature)
        if self._shapes[form] in (None, shape):
            self._shapes[form] = shape
            self._found[_key_of(form, line, shape)] = found, signature.ticks

    def _try(self, parts: list[bytes], original: Signature) -> _Shape:
        """Find out which values of a line decide."""
        fixed: list[int] = []
        free: list[int] = []
        time = None
        for index in range(1, len(parts), 2):
            if time is None and self._is_time(parts, index, original):
                time = index
            elif self._is_free(parts, (index,), original):
                free.append(index)
            else:
                fixed.append(index)
        groups = [group for group in _equal_values(parts, fixed) if len(group) > 1]
        equal = [group for group in groups if self._is_free(parts, group, original)]
        return _shape_of(parts, free, time, equal)

    def _is_time(self, parts: list[bytes], index: int, original: Signature) -> bool:
        """Whether a change of a value changes the time alone, to what the value stands for."""
        if self._ticks_of(parts[index]) != original.ticks:
            return False
        changed = _changed(parts[index])
        return self._read_with(parts, {index: changed}) == original._replace(ticks=self._ticks_of(changed))

    def _is_free(self, parts: list[bytes], group: tuple[int, ...], original: Signature) -> bool:
        """Whether the equal values of a group decide nothing, whichever of their form they are."""
        value = parts[group[0]]
        if not value.lstrip(_MARKS).isdigit() and self._ticks_of(value) is None:
            return False
        others = zip(*(_others(parts[index]) for index in group), strict=True)
        return all(self._read_with(parts, dict(zip(group, one, strict=True))) == original for one in others)

    def _read_with(self, parts: list[bytes], changed: dict[int, bytes]) -> Signature | None:
        """Read a line with other values at some indices."""
        return self._read(b"".join(changed.get(index, part) for index, part in enumerate(parts)))


def _equal_values(parts: list[bytes], indices: list[int]) -> list[tuple[int, ...]]:
    """The indices in groups of equal values, without the marks in front of them."""
    groups: dict[bytes, list[int]] = {}
    for index in indices:
        groups.setdefault(parts[index].lstrip(_MARKS), []).append(index)
    return [tuple(group) for group in groups.values()]


def _shape_of(parts: list[bytes], free: list[int], time: int | None, equal: list[tuple[int, ...]]) -> _Shape:
    """The shape of a line cut into parts, in which those of these indices decide nothing."""
    ends = list(itertools.accumulate(map(len, parts)))
    left_out = sorted([*free, *itertools.chain(*equal), *([] if time is None else [time])])
    places = {at: slice(ends[at] - len(parts[at].lstrip(_MARKS)), ends[at]) for at in left_out}
    borders = [0, *itertools.chain.from_iterable((one.start, one.stop) for one in places.values()), ends[-1]]
    return _Shape(
        key=tuple(map(slice, borders[::2], borders[1::2])),
        time=None if time is None else slice(ends[time - 1], ends[time]),
        equal=tuple(tuple(places[at] for at in group) for group in equal),
        leading=tuple(places[at].start for at in left_out if not _is_quoted(parts[at])),
    )


def _key_of(form: bytes, line: bytes, shape: _Shape) -> tuple[bytes, ...]:
    return form, *map(line.__getitem__, shape.key)


def _fits(line: bytes, shape: _Shape) -> bool:
    """Whether a line of a form has its shape: numbers that are JSON, and equal ones where they have to be."""
    for at in shape.leading:
        if line[at] == _ZERO:
            return False
    return not shape.equal or all(len({line[place] for place in group}) == 1 for group in shape.equal)


def _is_quoted(value: bytes) -> bool:
    return b'"' in value or b"'" in value


def _parts(line: bytes) -> list[bytes]:
    """A line cut at its values, which stand at odd indices."""
    has_inner = b"<Event" in line or b'{\\"' in line
    return (_INNER_VALUES if has_inner else _VALUES).split(line)


def _changed(value: bytes) -> bytes:
    """The value with its fourth digit changed (of a time: the year), and its last."""
    digits = [at for at, byte in enumerate(value) if byte in b"0123456789"]
    for at in {digits[min(3, len(digits) - 1)], digits[-1]}:
        value = _with_next_digit(value, at)
    return value


def _others(value: bytes) -> list[bytes]:
    """Other values of a value's form: the changed one; of a number, the least and the greatest, too."""
    digits = value.lstrip(_MARKS)
    others = [_changed(value)]
    if digits.isdigit():
        mark, rest = value[: -len(digits)], len(digits) - 1
        others += [mark + b"1" + b"0" * rest, mark + b"9" * (rest + 1)]
    return [one for one in dict.fromkeys(others) if one != value]


def _with_next_digit(value: bytes, at: int) -> bytes:
    digit = (value[at] - ord("0")) % 9 + 1
    return value[:at] + b"%d" % digit + value[at + 1 :]
