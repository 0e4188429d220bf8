"""How logs are read: what readers, processes, library and command line share."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any, Self, TypedDict

from hvdegraded.errors import WrongTypeError, WrongValueError, check_type
from hvdegraded.records.local_times import zone_of

__all__ = ["Engine", "ProgressPace", "ReadKeywords", "ReadOptions", "Workforce"]


class Engine(enum.StrEnum):
    """What reads .evtx logs: this library, or another reader that is installed."""

    HVDEGRADED = "hvdegraded"
    PYTHON_EVTX = "python-evtx"
    EVTX = "evtx"
    LIBEVTX = "libevtx"


@dataclass(frozen=True)
class Workforce:
    """How many processes read, and the sizes of input that make them worth their start."""

    count: int
    worth: int = 64 << 20
    """Bytes of input from which on processes, which take a moment to start, pay off."""
    run: int = 128
    """Chunks that a process reads at a time, 64 KiB each; logs of more than two such runs are shared."""


@dataclass(frozen=True)
class ProgressPace:
    """After how many seconds a progress bar is shown, and how often it is drawn again."""

    after: float = 1.0
    every: float = 0.25


@dataclass(frozen=True)
class ReadOptions:
    """How logs are read; an object of this goes wherever a reading goes, in other processes too.

    `strict` raises LossError at the first loss. `engine` names what reads .evtx logs. `carve` looks for
    chunks at any offset of any file, `remnants` also for older records behind a chunk's live ones. `together`
    declares that all inputs were taken from their host at one time, so that a channel without newer records
    is covered up to the last record of the others. `timezone` (an IANA or a Windows name, or a tzinfo) is
    that of times that name none; without it they are taken as UTC. `workers` is how many processes read
    files, and parts of large .evtx logs, at once, where that can pay off: paths of 64 MiB and more, read
    without `strict`; records and report are the same. `progress` shows how far a long reading is, in Jupyter
    and on terminals.

    >>> import hvdegraded as hv
    >>> options = hv.ReadOptions.of(workers=2, timezone="Europe/Berlin")
    >>> len(list(hv.read("sample_logs/hv2012r2/System.evtx", options=options)))
    248
    """

    strict: bool = False
    engine: Engine = Engine.HVDEGRADED
    carve: bool = False
    remnants: bool = False
    together: bool = False
    timezone: tzinfo | None = None
    workers: Workforce = Workforce(1)
    progress: ProgressPace | None = None

    @classmethod
    def of(cls, *, options: ReadOptions | None = None, **keywords: Any) -> Self:
        """Options from the keywords of a public function, the others from `options`.

        Raises WrongValueError for an engine or a time zone that does not exist and for less than one process,
        WrongTypeError for an option that does not exist.
        """
        check_type("options", options, ReadOptions | None, "ReadOptions.of makes some")
        values = {one.name: getattr(options or _DEFAULTS, one.name) for one in fields(cls)}
        unknown = keywords.keys() - values.keys()
        if unknown:
            raise WrongTypeError(f"there is no option {sorted(unknown)[0]!r}")
        values |= keywords
        engine, workers, progress = values["engine"], values["workers"], values["progress"]
        if engine not in list(Engine):
            raise WrongValueError(f"there is no engine {engine!r}", hint=f"one of {', '.join(Engine)}")
        workforce = workers if isinstance(workers, Workforce) else Workforce(workers)
        if not isinstance(workforce.count, int):
            raise WrongTypeError(f"workers is {workforce.count!r}, not a number of processes")
        if workforce.count < 1:
            raise WrongValueError(f"workers is {workforce.count}, and must be 1 or more")
        check_type("progress", progress, int | ProgressPace | None, "True shows a bar")
        if isinstance(progress, int):
            progress = ProgressPace() if progress else None
        zone = zone_of(values["timezone"])
        values |= {"engine": Engine(engine), "timezone": zone, "workers": workforce, "progress": progress}
        return cls(**values)

    @property
    def carves(self) -> bool:
        """Whether chunks are looked for at any offset."""
        return self.carve or self.remnants


_DEFAULTS = ReadOptions()


class ReadKeywords(TypedDict, total=False):
    """The options of reading as keywords of the public functions; see ReadOptions for their meaning."""

    options: ReadOptions | None
    strict: bool
    engine: Engine | str
    carve: bool
    remnants: bool
    together: bool
    timezone: str | tzinfo | None
    workers: int | Workforce
    progress: bool | ProgressPace
