"""Threads may share a classifier, an inventory, a policy and the tables; each stream and history is of one thread."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.bounded import BoundedCache
from tests.tools.sample_exports import winlogbeat
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, guests, integration, plain, storvsp

THREADS, TURNS = 6, 8
EVENTS = [
    storvsp(6, "6.0", "5.1"), integration(), storvsp(5, "6.2", "6.0"), plain("VMMS", 19100), plain("Worker", 12010),
]  # fmt: skip


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads that take turns at every chance, and caches that are full at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    monkeypatch.setattr(BoundedCache, "__setitem__", cramped)
    yield
    sys.setswitchinterval(before)


def cramped(cache: BoundedCache[Any, Any], key: Any, value: Any) -> None:
    if len(cache) >= 2 and key not in cache:
        cache.clear()
    dict.__setitem__(cache, key, value)


def shared(call: Any) -> None:
    """Every thread gets what one alone gets."""
    alone = call()
    with ThreadPoolExecutor(THREADS) as pool:
        for found in pool.map(lambda _: call(), range(THREADS * TURNS)):
            assert found == alone


def test_a_classifier_is_shared() -> None:
    judge = hv.Classifier(guests("linux"))
    records = [
        record._replace(
            data=tuple((name, text.replace("web01", f"web{number}")) for name, text in record.data)
        )
        for record in EVENTS
        for number in range(3)
    ]
    shared(lambda: [judge.classify(record) for record in records])
    shared(lambda: [verdict for _, verdict in judge.classify_all(records)])


def test_annotations_are_shared() -> None:
    judge = hv.Classifier({ID: "Ubuntu 24.04"})
    lines = [winlogbeat(record) for record in EVENTS]
    shared(lambda: [hv.annotate(line) for line in lines])
    shared(lambda: list(hv.annotate_many(lines, classifier=judge)))


def test_readings_of_one_file_do_not_meet() -> None:
    logs = FOLDER / "hv2022" / "System.evtx"
    inventory = hv.GuestInventory.load(FOLDER / "guests.json")
    alone = hv.triage(logs, guests=inventory, progress=False).to_dict()
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: hv.triage(logs, guests=inventory, progress=False), range(3)):
            assert found.to_dict() == alone
