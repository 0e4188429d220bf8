"""Memory that cannot grow without bound."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(dict[K, V]):
    """A cache of at most `most` entries, which is emptied when it is full.

    What repeats is soon remembered again, and a look-up costs no more than that of a dict. A copy in another
    process starts empty. Threads may share one: an entry can be gone at any moment, so `key in cache` does
    not promise `cache[key]`.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= self.most and key not in self:
            self.clear()
        super().__setitem__(key, value)

    def remember(self, key: K, value: V) -> V:
        """Keep a value, and return it."""
        self[key] = value
        return value

    def setdefault(self, key: K, default: V) -> V:
        """Return the value of a key; where it has none, remember `default`."""
        try:
            return self[key]
        except KeyError:
            return self.remember(key, default)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.most,)
