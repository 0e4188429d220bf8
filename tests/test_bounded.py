"""A cache stays within its bound, whatever comes."""

from __future__ import annotations

import pickle

from hvdegraded.bounded import BoundedCache


def test_a_cache_never_holds_more_than_its_bound() -> None:
    cache: BoundedCache[int, int] = BoundedCache(3)
    for number in range(100):
        cache[number] = -number
        assert len(cache) <= 3
        assert cache[number] == -number
    assert cache.setdefault(1000, 7) == 7
    assert cache.setdefault(1000, 8) == 7
    assert len(cache) <= 3


def test_a_known_key_does_not_empty_a_full_cache() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache["one"], cache["two"] = 1, 2
    cache["one"] = 3
    assert cache == {"one": 3, "two": 2}


def test_a_pickled_cache_keeps_its_bound_and_starts_empty() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache["one"] = 1
    copy = pickle.loads(pickle.dumps(cache))
    assert copy == {}
    assert copy.most == 2
