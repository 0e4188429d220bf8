"""Simulated hosts and guests against the classifier: what may not be said of any event of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.tools.simulator import versions
from tests.tools.simulator.inventories import Knowledge
from tests.tools.simulator.logs import Cut, Route
from tests.tools.simulator.negotiation import Outcome, connect
from tests.tools.simulator.oracle import Fault, Key
from tests.tools.simulator.runs import Run, proven_refusals, run, stream
from tests.tools.simulator.versions import Host, Part
from tests.tools.simulator.world import World

# ---------------------------------------------------------------- the simulator itself, against real events


def test_a_2008_r2_guest_on_a_2008_host_is_refused_and_connects() -> None:
    """KB 972108: storvsp 5 (2.0, 4.2), VMSMP 26 (2, 196610), and a refused VMBus; nothing is broken."""
    connection = connect(Host("2008"), versions.windows("2008 R2", random.Random(1)))
    refused = {(one.part, one.host, one.guest) for one in connection.offers if one.outcome is Outcome.REFUSED}
    assert refused == {
        (Part.VMBUS, (0, 13), (1, 1)),
        (Part.STORAGE, (2, 0), (4, 2)),
        (Part.NETWORK, (0, 2), (3, 2)),
    }
    assert all(connection.works(part) for part in (Part.VMBUS, Part.STORAGE, Part.NETWORK))


def test_linux_of_today_finds_no_disk_on_a_2008_r2_host() -> None:
    """mikopbx/Core issue 746."""
    guest = versions.linux("Debian", "6.12.0", (6, 12), random.Random(1))
    assert not connect(Host("2008 R2"), guest).works(Part.STORAGE)
    assert connect(Host("2012"), guest).works(Part.STORAGE)


def test_ubuntu_on_a_2012_r2_host_shows_the_pair_of_the_forum() -> None:
    """Display 3.3 and 3.2, data exchange 4.0 where 5.0 is expected."""
    guest = versions.linux("Ubuntu", "4.4.0", (4, 4), random.Random(1))
    older = {
        one.part: (one.host, one.guest)
        for one in connect(Host("2012 R2"), guest).offers
        if one.outcome is Outcome.OLDER
    }
    assert older[Part.DISPLAY] == ((3, 3), (3, 2))
    assert older[Part.KVP] == ((5, 0), (4, 0))


def test_a_world_is_the_same_for_the_same_seed() -> None:
    first, again, other = ([one.record for one in World(seed).observations] for seed in (7, 7, 8))
    assert first == again != other


def test_worlds_hold_every_release_and_both_truths() -> None:
    worlds = [World(seed) for seed in range(120)]
    assert {host.host.release for world in worlds for host in world.hosts} == set(versions.RELEASES)
    truths = [one.truth for world in worlds for one in world.observations if one.truth]
    assert {(truth.refused, truth.works, truth.guest.is_windows) for truth in truths} == {
        (False, True, False), (False, True, True), (True, True, False), (True, True, True),
        (True, False, False), (True, False, True),
    }  # fmt: skip


# ---------------------------------------------------------------- verdicts


def _faults(
    simulate: Callable[[Run, Path], list[Fault]], runs: Iterable[Run], folder: Path
) -> list[tuple[Run, str]]:
    """All faults of some runs."""
    found = []
    for wanted in runs:
        place = folder / f"{wanted.knowledge.name}{wanted.seed}"
        place.mkdir()
        found += [(wanted, str(fault)) for fault in simulate(wanted, place)]
    return found


def _runs(seeds: range, how: Cut = Cut.NOTHING, route: Route | None = None) -> list[Run]:
    return [Run(seed, knowledge, how, route) for knowledge in Knowledge for seed in seeds]


def test_records_in_memory(tmp_path: Path) -> None:
    assert _faults(run, _runs(range(10)), tmp_path) == []


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("how", Cut)
def test_files(how: Cut, route: Route, tmp_path: Path) -> None:
    assert _faults(run, _runs(range(1), how, route), tmp_path) == []


def _more_is_proven(seed: int, route: Route, folder: Path) -> dict[tuple[Cut, Knowledge], set[Key]]:
    """What is proven of refusals by reading less, and not by reading all."""
    found = {}
    for how in Cut:
        for knowledge in (Knowledge.RIGHT, Knowledge.MISSING):
            place = folder / f"{how.name} {knowledge.name}"
            place.mkdir()
            found[how, knowledge] = proven_refusals(Run(seed, knowledge, how, route), place)
    whole = found[Cut.NOTHING, Knowledge.RIGHT]
    return {key: proven - whole for key, proven in found.items() if proven - whole}


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("seed", range(1))
def test_who_reads_less_proves_no_more(seed: int, route: Route, tmp_path: Path) -> None:
    """No inventory, a log that bears a failure, the tail of the window, a record that cannot be read."""
    assert _more_is_proven(seed, route, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("seed", range(100, 140))
def test_who_reads_less_proves_no_more_in_many_worlds(seed: int, route: Route, tmp_path: Path) -> None:
    assert _more_is_proven(seed, route, tmp_path) == {}


def test_lines_of_a_stream(tmp_path: Path) -> None:
    """A refusal there is never proven, for nothing shows what follows; what was read before counts."""
    assert _faults(stream, _runs(range(3)), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1200, 20))
def test_lines_of_many_streams(first: int, tmp_path: Path) -> None:
    assert _faults(stream, _runs(range(first, first + 20)), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1600, 50))
def test_thousands_of_worlds(first: int, tmp_path: Path) -> None:
    assert _faults(run, _runs(range(first, first + 50)), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("how", Cut)
def test_many_files(how: Cut, route: Route, tmp_path: Path) -> None:
    assert _faults(run, _runs(range(1000, 1040), how, route), tmp_path) == []
