"""An inventory's file that may change while a stream is labelled: the last good one stays in force."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from hvdegraded.errors import HvdegradedError
from hvdegraded.guests.guest import ProblemKind
from hvdegraded.guests.inventory import GuestInventory

__all__ = ["WatchedInventory"]

_REMINDER = 3600.0  # seconds after which a file that could not be loaded is tried, and reported, again
_SMALLER_BY_FAR = 2  # a file with less than half the VMs was cut, more likely than cleaned up
_JSON_ENDS = (b"]", b"}", b"]\0", b"}\0")
_Stamp = tuple[int, int, int, int]


class WatchedInventory:
    """The inventory of a file, which is loaded again when the file changes.

    A file that is deleted, empty, unreadable, half written, not a regular file or smaller by far is reported
    to `warn`, and the last good inventory stays in force; each hour it is tried again, and reported with the
    age of that in force. A pipe is read once. Raises InventoryError if the file cannot be loaded at first.
    """

    def __init__(
        self, path: str | os.PathLike[str], warn: Callable[[str], None], look_again: float = 5.0
    ) -> None:
        self._path = Path(path)
        self._warn = warn
        self._look_again = look_again
        self._looked = time.monotonic()
        self._stamp = _stamp(self._path)
        self._is_pipe = self._stamp is None and self._path.exists()
        self._stale_since: float | None = None
        self._reminded = 0.0
        self.guests = GuestInventory.load(self._path)
        self._data = self._bytes()
        self._loaded = time.time()
        self._warn_of_problems()

    def look(self) -> bool:
        """Look at the file, if it is time to; returns whether another inventory is in force now."""
        now = time.monotonic()
        if self._is_pipe or now - self._looked < self._look_again:
            return False
        self._looked = now
        stamp = _stamp(self._path)
        if stamp == self._stamp and not self._is_due_again(now):
            return False
        self._stamp = stamp
        try:
            if stamp is None:
                raise HvdegradedError("it is not a file any more" if self._path.exists() else "it is gone")
            data = self._bytes()
            guests = GuestInventory.load(self._path)
            self._refuse_remnant(guests, data)
            if _stamp(self._path) != stamp:
                raise HvdegradedError("it changed while it was read")
        except Exception as error:  # noqa: BLE001  # the stream does not depend on what a file contains
            self._keep_old(error, now)
            return False
        self.guests, self._data = guests, data
        self._loaded = time.time()
        self._warn_of_problems()
        if self._stale_since is not None:
            self._warn(f"the inventory was loaded again: {len(guests)} VMs")
        self._stale_since = None
        return True

    @property
    def age(self) -> str:
        """The inventory in force, in words."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._loaded))
        minutes = int(time.time() - self._loaded) // 60
        return f"that of {when} ({len(self.guests)} VMs, {minutes // 60} h {minutes % 60} min old)"

    def _bytes(self) -> bytes:
        """The file's content, by which one that was cut is known; of a pipe nothing."""
        if self._is_pipe:
            return b""
        from hvdegraded.guests.files import MAX_BYTES

        with self._path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)

    def _warn_of_problems(self) -> None:
        for problem in self.guests.problems:
            self._warn(f"guests: {problem}")

    def _refuse_remnant(self, guests: GuestInventory, data: bytes) -> None:
        """Raise HvdegradedError for what a program that was stopped while it wrote leaves behind."""
        before, now = len(self.guests), len(guests)
        if before and not now:
            raise HvdegradedError("it names no VM")
        if now * _SMALLER_BY_FAR < before:
            raise HvdegradedError(
                f"it names {now} VMs, and {before} before", hint="start again if that is right"
            )
        unreadable = [one for one in guests.problems if one.kind is ProblemKind.UNREADABLE]
        if len(unreadable) > sum(one.kind is ProblemKind.UNREADABLE for one in self.guests.problems):
            raise HvdegradedError(f"it may be half written: {unreadable[-1]}", hint="write it anew")
        if len(data) < len(self._data) and self._data.startswith(data):
            raise HvdegradedError(
                "it is the one before without its end", hint="start again if the last VMs are gone"
            )
        if _ends_a_line(self._data) and not _ends_a_line(data) and not data.rstrip().endswith(_JSON_ENDS):
            raise HvdegradedError("its last line has no end, so it may be half written", hint="write it anew")

    def _keep_old(self, error: Exception, now: float) -> None:
        if self._stale_since is None:
            self._stale_since = now
        self._reminded = now
        self._warn(f"the inventory was not loaded again: {error}; in force stays {self.age}")

    def _is_due_again(self, now: float) -> bool:
        """Whether a file that could not be loaded is tried again, as what was wrong may be over."""
        return self._stale_since is not None and now - self._reminded >= _REMINDER


def _ends_a_line(data: bytes) -> bool:
    return data.rstrip(b"\0").endswith(b"\n")  # a zero byte is half of a character of UTF-16


def _stamp(path: Path) -> _Stamp | None:
    """What changes with a regular file's content; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
