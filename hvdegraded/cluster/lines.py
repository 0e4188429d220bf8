"""Labels for a column of shipped lines, in batches and in streams, as an Arrow function of Spark."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as sql

from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import json_text
from hvdegraded.pipeline.annotator import annotate as annotated
from hvdegraded.pipeline.watched_inventory import WatchedInventory
from hvdegraded.verdicts.classifier import Classifier
from hvdegraded.verdicts.policy import Policy

__all__ = ["annotate"]


def annotate(lines: Column, *, guests: object = None, policy: Policy | None = None) -> Column:
    """JSON lines (or event XML, syslog lines) with a verdict under `hvdegraded`, each seen alone.

    `guests` is the path of an inventory, which each executor reads, and reads again when the file changes, or
    what GuestInventory.load takes, which is sent to them. No line is dropped, and none raises an error.
    """
    path = os.fspath(guests) if isinstance(guests, (str, os.PathLike)) else None
    sent = None if path is not None else Classifier(GuestInventory.load(guests or []), policy)
    label = _Label(path, policy, sent)
    return sql.udf(lambda line: label(line), "string", useArrow=True)(lines)


class _Label:
    """A function from lines to labelled lines, which can be pickled."""

    def __init__(self, path: str | None, policy: Policy | None, sent: Classifier | None) -> None:
        self._path, self._policy, self._classifier = path, policy, sent
        self._guests: GuestInventory | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        sent = None if self._path is not None else self._classifier
        return type(self), (self._path, self._policy, sent)

    def __call__(self, line: str | None) -> str | None:
        if line is None:
            return None
        if self._path is not None:
            watched = _watched(self._path)
            watched.look()
            if self._classifier is None or watched.guests is not self._guests:
                self._guests = watched.guests
                self._classifier = Classifier(watched.guests, self._policy)
        return json_text(annotated(line, classifier=self._classifier))


@lru_cache(maxsize=4)
def _watched(path: str) -> WatchedInventory:
    """The inventory of this process, whose last good version stays in force."""
    return WatchedInventory(path, lambda text: print(text, file=sys.stderr))  # noqa: T201  # executors' log
