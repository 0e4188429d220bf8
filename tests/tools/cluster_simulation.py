"""A triage of very many hosts by measured costs: python -m tests.tools.cluster_simulation

Draws hosts with sizes of logs, VMs and skew, adds up the work of each stage in tasks, and lays the tasks out on
cores. The costs were measured (docs/scale.md); what is simulated is how they add up, and which one decides.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

MB = 1 << 20


@dataclass(frozen=True)
class Costs:
    """Seconds of a core, as measured; bytes that a host's part has in a shuffle."""

    per_file: float = 0.034  # 0.0045 without Spark
    per_mb: float = 0.0575
    per_mb_skipped: float = 0.0026
    per_vm_shared: float = 0.0003
    per_host: float = 0.035
    per_task: float = 0.02
    listing: float = 0.00016  # of a file, by the driver
    request: float = 0.03  # until the first byte of an object
    bandwidth_mb: float = 80.0  # of a core's stream from object storage
    part_bytes: int = 52_000
    list_bytes: int = 300


@dataclass(frozen=True)
class Host:
    files: int
    hyper_v_mb: float
    other_mb: float
    vms: int
    shared_vms: int


def hosts(count: int, random: Random) -> Iterator[Host]:
    """Hosts as they are: most quiet, some loud; sizes are log-normal; one in a thousand forwards for others."""
    for number in range(count):
        loud = random.lognormvariate(0, 1.2)
        collector = 40 if number % 1000 == 999 else 1
        vms = max(1, min(400, int(random.lognormvariate(3.2, 0.7))))
        yield Host(
            files=12 * (3 if collector > 1 else 1),
            hyper_v_mb=min(4096, 0.8 * loud * collector),
            other_mb=20 + 20 * random.random(),
            vms=vms,
            shared_vms=int(vms * random.betavariate(2, 6)),
        )


def laid_out(tasks: Iterable[float], cores: int) -> float:
    """The time until tasks of these seconds are done, each taken by the core that is free first."""
    ends = [0.0] * cores
    for task in tasks:
        heapq.heapreplace(ends, ends[0] + task)
    return max(ends)


def stages(found: list[Host], cores: int, costs: Costs) -> dict[str, float]:
    """Seconds of each stage."""
    files = sum(host.files for host in found)
    read = []
    for host in found:
        mb = host.hyper_v_mb + host.other_mb
        work = costs.per_mb * host.hyper_v_mb + costs.per_mb_skipped * host.other_mb
        wait = costs.request * host.files + mb / costs.bandwidth_mb
        total = work + wait + costs.per_file * host.files
        stretches = max(1, int(mb / 8 if mb > 16 else 1))
        read += [costs.per_task / 16 + total / stretches] * stretches
    judged = [costs.per_host + 0.1 * costs.per_mb * host.hyper_v_mb for host in found]
    shared = [costs.per_vm_shared * host.shared_vms * 2 for host in found]
    return {
        "list files (driver)": files * costs.listing,
        "read and map": laid_out(read, cores),
        "share what is known of VMs": laid_out(shared, cores),
        "merge and judge": laid_out(judged, cores),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--hosts", type=int, nargs="*", default=[10_000, 1_000_000])
    options = parser.parse_args()
    costs = Costs()
    for count in options.hosts:
        found = list(hosts(count, Random(21)))
        size = sum(host.hyper_v_mb + host.other_mb for host in found)
        largest = max(host.hyper_v_mb for host in found)
        print(
            f"{count:,} hosts, {sum(host.files for host in found):,} files, {size / 1e6:.1f} TB, {options.cores} cores"
        )
        took = stages(found, options.cores, costs)
        for name, seconds in took.items():
            print(f"  {name:28} {seconds / 60:9.1f} min")
        print(
            f"  largest host: {largest:,.0f} MB of Hyper-V events, {largest * costs.per_mb / 60:.1f} min if read by one task"
        )
        print(f"  through the shuffle: {count * costs.part_bytes / 1e9:.1f} GB; driver: {took['list files (driver)'] / 60:.1f} min and "
              f"{sum(host.files for host in found) * costs.list_bytes / 1e9:.1f} GB for the list")  # fmt: skip
        print(
            f"  decides: {max(took, key=lambda name: took[name])}; core hours: {sum(took.values()) * options.cores / 3600:,.0f}"
        )


if __name__ == "__main__":
    main()
