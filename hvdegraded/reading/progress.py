"""How far a reading is: a bar in Jupyter or on a terminal, for readings that take longer than a second.

The reading says where it is in its inputs; a thread of its own looks and draws, so that reading costs nothing
more, and a bar moves also where no event is found for long.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from hvdegraded.records.options import ProgressPace

__all__ = ["Progress", "showing"]


class Progress:
    """How far a reading is, in bytes of its inputs; `total` is 0 where that is not known."""

    def __init__(self) -> None:
        self.total = 0
        self.name = "input"
        self._before = 0
        self._size = 0
        self._position: Callable[[], int] = lambda: 0

    def plan(self, paths: Iterable[Path]) -> None:
        """These files will be read."""
        for path in paths:
            with suppress(OSError):
                self.total += path.stat().st_size

    def begin(self, name: str, size: int, position: Callable[[], int]) -> None:
        """An input is read from here on; `position` is how many of its bytes are done."""
        self._before += self._size
        self.name, self._size, self._position = name, size, position

    @property
    def done(self) -> int:
        """Bytes that are read."""
        return self._before + min(self._position(), self._size)


@contextmanager
def showing(progress: Progress, pace: ProgressPace) -> Iterator[None]:
    """Show the progress while the block runs, where there is somebody to see it."""
    jupyter = _in_jupyter()
    if not jupyter and (sys.stderr is None or not sys.stderr.isatty()):
        yield
        return
    over = threading.Event()

    def run() -> None:
        if over.wait(pace.after):
            return
        bar = _JupyterBar() if jupyter else _TerminalBar()
        try:
            while not over.wait(pace.every):
                bar.show(progress)
        finally:
            bar.close()

    # The context shows Jupyter which cell the output belongs to.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _in_jupyter() -> bool:
    """Whether a kernel runs this, which `IPython` in a terminal is not."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


class _Bar(Protocol):
    def show(self, progress: Progress) -> None: ...
    def close(self) -> None: ...


class _TerminalBar:
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        self._bar = RichProgress(
            *columns,
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,  # what the program prints is not for the console
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("reading", total=None)
        self._bar.start()

    def show(self, progress: Progress) -> None:
        from hvdegraded.printable import printable

        self._bar.update(
            self._task,
            description=f"reading {printable(Path(progress.name).name)}",
            completed=progress.done,
            total=progress.total or None,
        )
        self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()


class _JupyterBar:
    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._output: Any = display(HTML(""), display_id=True)

    def show(self, progress: Progress) -> None:
        from html import escape

        from hvdegraded.printable import printable

        bar = (
            f"<progress max='{progress.total}' value='{progress.done}'></progress> " if progress.total else ""
        )
        of = f" of {progress.total / 1e6:,.0f}" if progress.total else ""
        told = f"reading {printable(Path(progress.name).name)}: {progress.done / 1e6:,.0f}{of} MB"
        self._output.update(self._html(bar + escape(told)))

    def close(self) -> None:
        self._output.update(self._html(""))
