"""Temporary files, for what does not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hvdegraded.errors import OutputError

__all__ = ["writing_temporarily"]


@contextmanager
def writing_temporarily() -> Iterator[None]:
    """Write to temporary files in such a block. Raises OutputError where there is no room for them."""
    try:
        yield
    except OSError as error:
        from tempfile import gettempdir

        raise OutputError(
            f"temporary files in {gettempdir()} cannot be written: {error.strerror or error}",
            hint="make room there, or set TMPDIR (on Windows TEMP) to a folder with more",
        ) from error
