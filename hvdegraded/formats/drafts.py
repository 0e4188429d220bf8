"""Files written whole: drafted beside their place and moved there, so that a failure leaves the old file."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from hvdegraded.errors import OutputError

__all__ = ["NO_ROOM", "check_output", "drafted", "refusal", "refuse_inputs", "refuse_same"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk, a spent quota, or a file that may not grow."""

_DESCRIPTORS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")

Path_ = str | os.PathLike[str]


class _Sink(io.FileIO):
    """A device, FIFO or open descriptor: what was written to it cannot be written over."""

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def drafted(path: Path_, inputs: Iterable[Path_ | int] = ()) -> Iterator[BinaryIO]:
    """Give a binary stream, whose bytes become the file when the block ends without an exception.

    A regular file is drafted under a unique name in its folder, keeps its mode and, where the system allows
    it, its owner, and is replaced at once; a link stays, and its target is replaced. A device, FIFO or open
    descriptor is written to. Raises OutputError if the path is one of `inputs` or cannot be written.
    """
    refuse_inputs(path, inputs)
    old = _status(path)
    target = Path(os.path.realpath(path))
    draft = None
    try:
        if _is_written_through(path, old):
            stream: BinaryIO = io.BufferedWriter(_Sink(path, "ab"))
        else:
            draft, descriptor = _opened_draft(target, old)
            stream = io.BufferedWriter(io.FileIO(descriptor, "wb"))
    except OSError as error:
        raise refusal(path, error) from error
    try:
        with stream:
            yield stream
            stream.flush()
            if draft is not None:
                os.fsync(stream.fileno())
        if draft is not None:
            draft.replace(target)
    except BaseException as error:
        if draft is not None:
            with contextlib.suppress(OSError):
                draft.unlink()
        if isinstance(error, OSError) and (error.errno in NO_ROOM or error.filename == str(draft)):
            raise refusal(path, error) from error
        raise


def check_output(path: Path_, inputs: Iterable[Path_ | int] = ()) -> None:
    """Raise OutputError if a file could not be written here, before work is spent on its content."""
    refuse_inputs(path, inputs)
    old = _status(path)
    try:
        if _is_written_through(path, old):
            if not os.access(path, os.W_OK):
                raise PermissionError(0, "permission denied")
            return
        draft, descriptor = _opened_draft(Path(os.path.realpath(path)), old)
        os.close(descriptor)
        draft.unlink()
    except OSError as error:
        raise refusal(path, error) from error


def refuse_inputs(path: Path_, inputs: Iterable[Path_ | int]) -> None:
    """Raise OutputError if the path is one of the inputs, by any name, link or descriptor."""
    for one in inputs:
        same = False
        with contextlib.suppress(OSError, ValueError):  # one of the two does not exist
            same = os.path.samefile(path, one)
        if same:
            raise OutputError(
                "this is an input, and is not overwritten", path=str(path), hint="write to another file"
            )


def refuse_same(outputs: Iterable[Path_ | int]) -> None:
    """Raise OutputError if two outputs, paths or descriptors, are one file, by any name or link.

    Devices and FIFOs take several.
    """
    seen: dict[object, Path_ | int] = {}
    for one in outputs:
        status = None
        with contextlib.suppress(OSError, ValueError):  # it does not exist yet, or cannot
            status = os.stat(one)
        if status is not None and not stat.S_ISREG(status.st_mode):
            continue
        key = (status.st_dev, status.st_ino) if status is not None else os.path.realpath(str(one))
        if key in seen:
            named = seen[key] if isinstance(one, int) else one
            raise OutputError(
                "two outputs would be written to this file", path=str(named), hint="name a file for each"
            )
        seen[key] = one


def _status(path: Path_) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise refusal(path, error) from error


def _is_written_through(path: Path_, old: os.stat_result | None) -> bool:
    if old is None:
        return False
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(0, "it is a folder")
    return not stat.S_ISREG(old.st_mode) or os.path.abspath(path).startswith(_DESCRIPTORS)


def _opened_draft(target: Path, old: os.stat_result | None) -> tuple[Path, int]:
    """Create a draft of the target, with the mode and owner of the file that it is to replace."""
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(0, "the file is write-protected")
    while True:
        draft = target.with_name(f".hvdegraded-{secrets.token_hex(8)}.draft")
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
            descriptor = os.open(draft, flags, 0o666)
        except FileExistsError:
            continue
        if old is not None:
            with contextlib.suppress(OSError, AttributeError):  # another's file, or Windows
                os.chown(draft, old.st_uid, old.st_gid)
            with contextlib.suppress(OSError):
                os.chmod(draft, stat.S_IMODE(old.st_mode))
        return draft, descriptor


def refusal(path: Path_, error: OSError | ValueError) -> OutputError:
    """Return the error for a file that could not be written, in our words."""
    reason = "it is not a path" if isinstance(error, ValueError) else error.strerror or str(error)
    return OutputError(f"the file cannot be written: {reason}", path=str(path), hint="name another place")
