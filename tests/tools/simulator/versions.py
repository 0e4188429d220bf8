"""Who speaks which versions: hosts by release, and guests by system. Written down from the domain facts."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterable
from typing import NamedTuple

Version = tuple[int, int]
Offers = tuple[Version, ...]
"""Versions, newest first."""


class Part(enum.StrEnum):
    """What speaks a versioned protocol."""

    VMBUS = "vmbus"
    STORAGE = "storage"
    NETWORK = "network"
    DISPLAY = "display"
    KVP = "KvpExchange"
    HEARTBEAT = "Heartbeat"
    SHUTDOWN = "Shutdown"
    TIME = "TimeSync"
    RDV = "RDV"


SERVICES = (Part.KVP, Part.HEARTBEAT, Part.SHUTDOWN, Part.TIME, Part.RDV)
RELEASES = ("2008", "2008 R2", "2012", "2012 R2", "2016", "2019", "2022", "2025")
"""Windows releases, oldest first, as hosts and as guests."""


def _v(text: str) -> Offers:
    """`"6.2 6.0"` as versions."""
    pairs = (one.split(".") for one in text.split())
    return tuple((int(major), int(minor)) for major, minor in pairs)


# Every version of a part, oldest first, with the release that brought it. Since when hosts have network 6.0
# and 6.1, heartbeat 3.1, shutdown 3.1 and 3.2 the facts do not say: "Windows 10 era".
_BROUGHT: dict[Part, tuple[tuple[str, str], ...]] = {
    Part.VMBUS: (
        ("0.13", "2008"), ("1.1", "2008 R2"), ("2.4", "2012"), ("3.0", "2012 R2"), ("4.0", "2016"),
        ("4.1", "2019"), ("5.0", "2019"), ("5.1", "2019"), ("5.2", "2019"), ("5.3", "2022"), ("6.0", "2025"),
    ),
    Part.STORAGE: (("2.0", "2008"), ("4.2", "2008 R2"), ("5.1", "2012"), ("6.0", "2012 R2"), ("6.2", "2016")),
    Part.NETWORK: (
        ("0.2", "2008"), ("3.2", "2008 R2"), ("4.0", "2012"), ("5.0", "2012 R2"), ("6.0", "2016"), ("6.1", "2019"),
    ),
    Part.DISPLAY: (("3.0", "2008"), ("3.2", "2012"), ("3.3", "2012 R2"), ("3.4", "2016"), ("3.5", "2016")),
    Part.KVP: (("3.0", "2008"), ("4.0", "2012"), ("5.0", "2012 R2")),
    Part.HEARTBEAT: (("1.0", "2008"), ("3.0", "2008 R2"), ("3.1", "2016")),
    Part.SHUTDOWN: (("1.0", "2008"), ("3.0", "2008 R2"), ("3.1", "2016"), ("3.2", "2019")),
    Part.TIME: (("1.0", "2008"), ("3.0", "2008 R2"), ("4.0", "2016")),
    Part.RDV: (("1.0", "2008 R2"), ("3.0", "2012 R2")),
}  # fmt: skip


class Host(NamedTuple):
    """A Hyper-V host of a release; it has every version up to its own."""

    release: str

    def has(self, part: Part) -> Offers:
        """Its versions of a part, newest first."""
        return _of_windows(part, self.release)

    def framework(self) -> Version:
        """The newest framework of its integration services."""
        return (1, 0) if self.release == "2008" else (3, 0)

    @property
    def at_least_2012(self) -> bool:
        """Whether it is of 2012 or later."""
        return RELEASES.index(self.release) >= RELEASES.index("2012")

    @property
    def at_least_2016(self) -> bool:
        """Whether it is of 2016 or later, and logs as those do."""
        return RELEASES.index(self.release) >= RELEASES.index("2016")


def _of_windows(part: Part, release: str) -> Offers:
    newest = RELEASES.index(release)
    known = [text for text, since in _BROUGHT[part] if RELEASES.index(since) <= newest]
    return _v(" ".join(reversed(known)))


class Guest(NamedTuple):
    """What runs in a VM: its family, the name an inventory has of it, its kernel, and what it offers.

    `kernel` is the text that data exchange reports; None where there is none. `display` has two forms:
    offers for every VMBus version, as Windows makes them, or the driver of Linux that chooses by it.
    """

    family: str
    system: str
    kernel: str | None
    offers: dict[Part, Offers]
    linux_display: str | None = None

    @property
    def is_windows(self) -> bool:
        """Whether it is a Windows guest."""
        return self.family == "windows"

    def display_offers(self, vmbus: Version | None) -> Offers:
        """Display versions that it offers, newest first, where this VMBus version was agreed."""
        if self.linux_display is None:
            return self.offers.get(Part.DISPLAY, ())
        old, middle = vmbus in _v("0.13 1.1"), vmbus in _v("2.4 3.0")
        if self.linux_display == "old fb":
            return _v("3.0") if old else _v("3.2")
        if self.linux_display == "fb" and old:
            return _v("3.0")
        if middle:
            return _v("3.2 3.0") if self.linux_display == "fb" else _v("3.2")
        if vmbus in _v("4.0 5.0"):
            return _v("3.5 3.2 3.0") if self.linux_display == "fb" else _v("3.5 3.2")
        return _v("3.5")


# ---------------------------------------------------------------- Windows

_NAMES = {"2008": "Windows Server 2008 Standard", "2008 R2": "Windows Server 2008 R2 Enterprise"}


def windows(release: str, choice: random.Random) -> Guest:
    """A Windows guest; after its own version it offers the one before (KB 972108), all older ones, or nothing."""
    offers: dict[Part, Offers] = {}
    habit = choice.choice(("all", "one older", "one older", "own"))
    if release == "2008 R2":
        habit = "one older"  # the one of which KB 972108 tells
    for part in Part:
        known = _of_windows(part, release)
        if part in (Part.STORAGE, Part.NETWORK, Part.DISPLAY):
            known = {"all": known, "one older": known[:2], "own": known[:1]}[habit]
        offers[part] = known
    return Guest("windows", _NAMES.get(release, f"Windows Server {release} Datacenter"), None, offers)


def insider(choice: random.Random) -> Guest:
    """A Windows that is newer than every host here, with versions that no table can know."""
    known = windows("2025", choice)
    newer = {Part.STORAGE: _v("7.0"), Part.NETWORK: _v("7.0")}
    offers = {part: newer.get(part, ()) + versions for part, versions in known.offers.items()}
    return known._replace(system="Windows Server 2028 Datacenter", offers=offers)


# ---------------------------------------------------------------- Linux

Kernel = tuple[int, int]


class Feature(NamedTuple):
    """A version in Linux: absent up to kernel `before`, present from `by` to `until`, gone from `gone`."""

    part: Part
    version: str
    before: Kernel = (0, 0)
    by: Kernel = (0, 1)
    until: Kernel = (99, 0)
    gone: Kernel = (99, 1)


_DROPPED: tuple[Kernel, Kernel] = ((5, 15), (5, 19))
_LINUX = (
    Feature(Part.VMBUS, "0.13", (0, 0), (0, 1), *_DROPPED),
    Feature(Part.VMBUS, "1.1", (0, 0), (0, 1), *_DROPPED),
    Feature(Part.VMBUS, "2.4", (2, 6), (3, 13)),
    *(Feature(Part.VMBUS, one, (3, 13), (4, 4)) for one in ("3.0", "4.0")),
    Feature(Part.VMBUS, "5.0", (4, 15), (5, 4)),
    *(Feature(Part.VMBUS, one, (5, 4), (5, 11)) for one in ("4.1", "5.1", "5.2")),
    Feature(Part.VMBUS, "5.3", (5, 11), (5, 15)),
    Feature(Part.STORAGE, "2.0", (3, 13), (4, 4), *_DROPPED),
    Feature(Part.STORAGE, "4.2", (0, 0), (0, 1), *_DROPPED),
    Feature(Part.STORAGE, "5.1", (2, 6), (3, 13)),
    *(Feature(Part.STORAGE, one, (3, 13), (4, 4)) for one in ("6.0", "6.2")),
    Feature(Part.NETWORK, "0.2"),
    Feature(Part.NETWORK, "3.2", (2, 6), (3, 13)),
    *(Feature(Part.NETWORK, one, (3, 13), (4, 4)) for one in ("4.0", "5.0")),
    *(Feature(Part.NETWORK, one, (4, 15), (5, 4)) for one in ("6.0", "6.1")),
    *(Feature(Part.KVP, one) for one in ("1.0", "3.0", "4.0")),
    *(Feature(Part.HEARTBEAT, one) for one in ("1.0", "3.0")),
    *(Feature(Part.SHUTDOWN, one) for one in ("1.0", "3.0")),
    *(Feature(Part.SHUTDOWN, one, (5, 4), (5, 11)) for one in ("3.1", "3.2")),
    *(Feature(Part.TIME, one) for one in ("1.0", "3.0")),
    Feature(Part.TIME, "4.0", (4, 4), (4, 15)),
)
UPSTREAM: tuple[Kernel, ...] = (
    (2, 6), (3, 2), (3, 10), (3, 13), (3, 16), (3, 19), (4, 1), (4, 4), (4, 9), (4, 15), (4, 19), (5, 0), (5, 4),
    (5, 8), (5, 11), (5, 13), (5, 15), (5, 17), (5, 19), (6, 1), (6, 6), (6, 12), (6, 17),
)  # fmt: skip


def _features(kernel: Kernel, choice: random.Random) -> dict[Part, Offers]:
    """What a kernel offers; of a version that came or went between two read releases, by lot, but together."""
    lots: dict[tuple[Kernel, Part, bool], bool] = {}
    found: dict[Part, set[Version]] = {}
    for part, version, before, by, until, gone in _LINUX:
        came = kernel >= by or (
            kernel > before and lots.setdefault((before, part, True), choice.random() < 0.5)
        )
        went = kernel >= gone or (
            kernel > until and lots.setdefault((until, part, False), choice.random() < 0.5)
        )
        if came and not went:
            found.setdefault(part, set()).update(_v(version))
    return {part: tuple(sorted(versions, reverse=True)) for part, versions in found.items()}


def linux(system: str, kernel: str, like: Kernel, choice: random.Random) -> Guest:
    """A Linux guest that reports `kernel` and offers what upstream kernel `like` offers."""
    driver: str | None = "fb"
    if like < (3, 13):
        driver = None  # its display driver is younger
    elif like < (5, 11) and not (like > (5, 4) and choice.random() < 0.5):
        driver = "old fb"
    elif like >= (5, 15) or (like >= (5, 14) and choice.random() < 0.5):
        driver = choice.choice(("fb", "drm"))
    return Guest("linux", system, kernel, _features(like, choice), driver)


def upstream(choice: random.Random, kernels: Iterable[Kernel] = UPSTREAM) -> Guest:
    """An unpatched kernel, as Gentoo, Arch or one's own build has it."""
    major, minor = kernel = choice.choice(tuple(kernels))
    text = f"2.6.{choice.randint(32, 39)}" if kernel == (2, 6) else f"{major}.{minor}.{choice.randint(0, 40)}"
    return linux(choice.choice(("Arch Linux", "Gentoo Linux", "Slackware 15.0")), text, kernel, choice)


_VENDORS: tuple[tuple[str, str, tuple[Kernel, ...]], ...] = (
    ("Red Hat Enterprise Linux Server release 6.10 (Santiago)", "2.6.32-754.el6", ((3, 13), (3, 19), (4, 4))),
    ("CentOS Linux 7 (Core)", "3.10.0-1160.el7", ((4, 4), (4, 9), (4, 15), (4, 19))),
    ("Ubuntu 14.04.6 LTS", "4.4.0-148-generic", ((4, 4), (4, 9))),
    ("Ubuntu 16.04.7 LTS", "4.15.0-112-generic", ((4, 15), (5, 0))),
    ("SUSE Linux Enterprise Server 12 SP5", "4.12.14-122-default", ((4, 15), (4, 19), (5, 4))),
    ("AlmaLinux 8.9 (Midnight Oncilla)", "4.18.0-513.el8", ((5, 4), (5, 11), (5, 15), (5, 19))),
    ("Debian GNU/Linux 10 (buster)", "4.19.0-26-amd64", ((4, 19),)),
    ("Debian GNU/Linux 11 (bullseye)", "5.10.0-28-amd64", ((5, 8), (5, 11))),
    ("Ubuntu 20.04.6 LTS", "5.4.0-1120-azure", ((5, 11), (5, 15))),
    ("Rocky Linux 9.3 (Blue Onyx)", "5.14.0-362.el9", ((5, 15), (5, 19), (6, 6))),
    ("Ubuntu 22.04.4 LTS", "5.15.0-91-generic", ((5, 15), (5, 19))),
    ("Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64", ((6, 1),)),
    ("Ubuntu 24.04.1 LTS", "6.8.0-45-generic", ((6, 12),)),
)


def vendor(choice: random.Random) -> Guest:
    """A distribution, whose kernel may have what a later upstream kernel has, and lack what that dropped."""
    system, kernel, likes = choice.choice(_VENDORS)
    guest = linux(system, kernel, choice.choice(likes), choice)
    if choice.random() < 0.1:  # the removal of old storage, carried back alone
        kept = tuple(one for one in guest.offers[Part.STORAGE] if one >= (5, 1))
        guest = guest._replace(offers={**guest.offers, Part.STORAGE: kept or _v("4.2")})
    return guest


# ---------------------------------------------------------------- others


def freebsd(choice: random.Random) -> Guest:
    """FreeBSD: storvsc and hn were read; no display; of its services only that data exchange is 4.0."""
    offers = {
        Part.VMBUS: _v("4.0 3.0 2.4 1.1 0.13"),
        Part.STORAGE: _v("6.2 6.0 5.1 4.2 2.0"),
        Part.NETWORK: _v("5.0 4.0 3.2 0.2"),
        Part.KVP: _v("4.0 3.0"),
        Part.HEARTBEAT: _v("3.0 1.0"),
        Part.SHUTDOWN: _v("3.0 1.0"),
        Part.TIME: choice.choice((_v("4.0 3.0"), _v("3.0 1.0"))),
    }
    return Guest("freebsd", choice.choice(("FreeBSD 13.2-RELEASE", "FreeBSD")), None, offers)


def dragonfly(choice: random.Random) -> Guest:
    """DragonFly BSD: storage 6.2 and nothing older."""
    offers = {Part.VMBUS: _v("3.0 2.4 1.1 0.13"), Part.STORAGE: _v("6.2"), Part.HEARTBEAT: _v("3.0")}
    return Guest("dragonfly", "DragonFly 6.4-RELEASE", None, offers)


def ipxe() -> Guest:
    """The network boot: the oldest VMBus on purpose, and the first network version."""
    return Guest("ipxe", "iPXE", None, {Part.VMBUS: _v("0.13"), Part.NETWORK: _v("0.2")})


def not_windows(choice: random.Random) -> Guest:
    """A guest that is not Windows."""
    kinds = (upstream, vendor, vendor, freebsd, dragonfly)
    return choice.choices(kinds, (4, 4, 4, 3, 1))[0](choice)


def some_windows(choice: random.Random) -> Guest:
    """A Windows guest of any release."""
    return insider(choice) if choice.random() < 0.04 else windows(choice.choice(RELEASES), choice)
