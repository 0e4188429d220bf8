"""Sequences whose items are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

__all__ = ["LazySequence"]

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """Items that are made when they are asked for, each time anew; equal to a tuple of them."""

    @abstractmethod
    def item_at(self, at: int) -> T:
        """Make the item at a place from 0 on."""

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[T, ...]: ...

    def __getitem__(self, at: int | slice) -> T | tuple[T, ...]:
        places = range(len(self))
        return tuple(map(self.item_at, places[at])) if isinstance(at, slice) else self.item_at(places[at])

    def __iter__(self) -> Iterator[T]:
        return map(self.item_at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (tuple, LazySequence)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
