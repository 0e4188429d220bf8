"""Events in every shape, with the label and the reason that the sources give them for each guest."""

from __future__ import annotations

from typing import NamedTuple

from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.verdict import Label, Reason
from tests.tools.verdict_cases import (
    HV,
    ID,
    VM,
    device,
    integration,
    network,
    plain,
    positional,
    record,
    storvsp,
    unnamed,
)

IGNORABLE, ACTIONABLE = Label.IGNORABLE, Label.ACTIONABLE
UNPROVEN, WITH_FALLBACK = Reason.REFUSED_UNPROVEN, Reason.REFUSED_WITH_FALLBACK
CONTRADICTED = Reason.INVENTORY_CONTRADICTED
INCOMPLETE, PROBLEM, WATCH = Reason.INCOMPLETE_EVIDENCE, Reason.KNOWN_PROBLEM, Reason.WATCH
INFORMATION, UNKNOWN, FOREIGN = Reason.NOT_A_PROBLEM_REPORT, Reason.UNKNOWN_EVENT, Reason.NOT_HYPER_V

# Where the labels come from.
MISMATCH = "KB 2956569, KB 2894285: it works; noise, but for Windows guests"
DISAGREE = "an inventory that says two things, or what nobody can read, is no proof"
LINUX_OFFERS = "Linux source tarballs 3.13 to 6.17: an older offer that this host has"
LINUX_DROPPED = "Linux source 5.15 against 5.19; mikopbx/Core issue 746"
BSD_OFFERS = "FreeBSD offers storage 6.2, 6.0, 5.1 …"
WINDOWS_2008 = "KB 972108: a 2008 R2 guest on a 2008 host"
NO_PROOF = "no table holds an older offer of such a guest"
DRAGONFLY = "DragonFly BSD offers storage 6.2 only"
FINAL = "Windows 11 21H2 manifests: no version in common was found"
WINDOWS_DISPLAY = "Linux picks its display version by that of VMBus (hyperv_fb.c, hyperv_drm_proto.c)"
NO_TABLE = "no table knows this version or device"
NAMES_NOTHING = "the event names no versions, or no VM"
VERSION_EVENTS = "Windows 11 21H2 manifests (nasbench/EVTX-ETW-Resources); KB 2956569"
PROBLEMS = "Windows 11 21H2 manifests, EvtxECmd maps, openvmm, Veeam ONE alarms, Microsoft KBs"


class Case(NamedTuple):
    host: str
    shape: str
    event: EventRecord
    guest: str
    label: Label
    reason: Reason
    source: str

    @property
    def name(self) -> str:
        event = self.event
        return f"{event.provider.removeprefix(HV)} {event.event_id} {self.shape} on {self.host}, {self.guest}"


def loaded(host: str, shape: str, event: EventRecord) -> list[Case]:
    """A mismatch that works is what the guest makes of it."""
    return [
        Case(host, shape, event, "windows", ACTIONABLE, Reason.LOADED_WINDOWS, MISMATCH),
        Case(host, shape, event, "linux", IGNORABLE, Reason.LOADED_NON_WINDOWS, MISMATCH),
        Case(host, shape, event, "freebsd", IGNORABLE, Reason.LOADED_NON_WINDOWS, MISMATCH),
        Case(host, shape, event, "unknown", IGNORABLE, Reason.LOADED_UNKNOWN, MISMATCH),
        Case(host, shape, event, "conflict", ACTIONABLE, Reason.LOADED_UNKNOWN, DISAGREE),
        Case(host, shape, event, "unread", ACTIONABLE, Reason.LOADED_UNKNOWN, DISAGREE),
        Case(host, shape, event, "other id", ACTIONABLE, Reason.LOADED_UNKNOWN, DISAGREE),
    ]


def refused(
    host: str, shape: str, event: EventRecord, source: str, harmless: str = "", contradicted: str = ""
) -> list[Case]:
    """A refusal is harmless in some guests, is no event of others, and proves nothing in the rest."""
    wanted = [guest.strip() for guest in harmless.split(",") if guest.strip()]
    foreign = [guest.strip() for guest in contradicted.split(",") if guest.strip()]
    others = ["windows", "linux", "freebsd", "unknown", "conflict"]
    return [
        *(Case(host, shape, event, guest, IGNORABLE, WITH_FALLBACK, source) for guest in wanted),
        *(Case(host, shape, event, guest, ACTIONABLE, CONTRADICTED, source) for guest in foreign),
        *(
            Case(host, shape, event, guest, ACTIONABLE, UNPROVEN, source)
            for guest in others
            if guest not in (*wanted, *foreign)
        ),
    ]


def final(host: str, shape: str, event: EventRecord) -> list[Case]:
    """A final refusal is actionable in every guest."""
    return [
        Case(host, shape, event, guest, ACTIONABLE, Reason.NO_COMMON_VERSION, FINAL)
        for guest in ("windows", "linux", "freebsd", "unknown", "conflict")
    ]


def nothing(what: str, event: EventRecord, source: str, reason: Reason = INCOMPLETE) -> list[Case]:
    """An event that proves nothing, whatever the guest."""
    return [
        Case("any", what, event, guest, ACTIONABLE, reason, source)
        for guest in ("linux", "windows", "unknown")
    ]


def known(provider: str, ids: str, level: int, reason: Reason) -> list[Case]:
    """Events of the table of known ones, of which no guest makes another thing."""
    return [
        Case("any", "named", plain(provider, int(number), level), "linux", ACTIONABLE, reason, PROBLEMS)
        for number in ids.split()
    ]


SERVICES = ("-KvpExchange", "-Heartbeat", "-Shutdown", "-TimeSync")

OLDER = {  # what Linux negotiates, and what the host expects: tables of the integration services
    "-KvpExchange": ("3.0", "3.0", "4.0", "5.0"),
    "-Heartbeat": ("3.0", "3.0", "3.0", "3.1"),
    "-Shutdown": ("3.0", "3.0", "3.0", "3.2"),
    "-TimeSync": ("3.0", "3.0", "3.0", "4.0"),
}

SWAPPED = storvsp(6, "5.1", "6.0")  # a host of 5.1 loads no 6.0
NETWORK_61 = ("327680", "393217")

CASES: list[Case] = [
    # Loaded, storage: up to 2012 R2.
    *loaded("2008 R2", "classic", storvsp(6, "4.2", "2.0")),
    *loaded("2012", "classic", storvsp(6, "5.1", "4.2")),
    *loaded("2012 R2", "classic", storvsp(6, "6.0", "5.1")),
    *loaded("2012 R2", "listed", storvsp(6, "6.0", "5.1", "listed")),
    *loaded("2012 R2", "param", storvsp(6, "6.0", "5.1", "param")),
    *loaded("2012 R2", "named", storvsp(6, "6.0", "5.1", "named")),
    *loaded("2012 R2", "message", storvsp(6, "6.0", "5.1", "message")),
    *loaded("2012 R2", "classic, on the wire", storvsp(6, "0x0600", "0x0501")),
    # Loaded, display: the real pair of a 2012 R2 host, and a 2016 one.
    *(
        case
        for provider in ("Worker", "VMMS")
        for shape in ("positional", "named", "unnamed", "message")
        for case in loaded("2012 R2", shape, device(23014, "3.3", "3.2", shape, provider))
    ),
    *loaded("2016", "positional", device(23014, "3.4", "3.2")),
    # Loaded, integration services: 2008 names no versions; one provider from 2016 on.
    *(
        case
        for service in SERVICES
        for case in loaded("2012 R2", "positional", integration(service, versions=OLDER[service]))
    ),
    *(
        case
        for shape in ("named", "unnamed", "message")
        for case in loaded("2012 R2", shape, integration(shape=shape))
    ),
    *(case for host in ("2008", "2008 R2", "2012") for case in loaded(host, "positional", integration(shape="2008"))),
    *(
        case
        for host in ("2016", "2019", "2022", "2025")
        for case in loaded(host, "positional", integration(""))
    ),
    # Linux has no remote desktop service: such an event of a Linux guest contradicts the inventory.
    Case("2012 R2", "positional", integration("-RDV", versions=("3.0", "3.0", "1.0", "3.0")), "windows",
         ACTIONABLE, Reason.LOADED_WINDOWS, MISMATCH),
    Case("2012 R2", "positional", integration("-RDV", versions=("3.0", "3.0", "1.0", "3.0")), "linux",
         ACTIONABLE, CONTRADICTED, "Linux source tarball 6.17: no such service"),
    *(
        Case("2012 R2", "positional", integration("-RDV", versions=versions), "unknown",
             ACTIONABLE, Reason.LOADED_WINDOWS, "Linux source tarball 6.17: no such service")
        for versions in (("3.0", "3.0", "1.0", "3.0"), ("1.0", "3.0"), ("", ""))
    ),
    *(
        Case("2012 R2", "positional", integration("-VSS", versions=("1.0", "3.0", "5.0", "5.0")), guest, *label)
        for guest, label in {
            "windows": (ACTIONABLE, Reason.LOADED_WINDOWS, MISMATCH),
            "linux": (ACTIONABLE, CONTRADICTED, "Linux source tarball 6.17: VSS offers framework 3.0 only"),
            "freebsd": (IGNORABLE, Reason.LOADED_NON_WINDOWS, MISMATCH),
            "unknown": (IGNORABLE, Reason.LOADED_UNKNOWN, MISMATCH),
        }.items()
    ),
    # Loaded, network: of believed id, so only where versions, level and VM bear it out.
    *(
        case
        for shape in ("classic", "listed", "message")
        for case in loaded("2012 R2", shape, network(27, "327680", "196610", shape))
    ),
    *loaded("2012 R2", "named", network(27, "327680", "196610", "named")),
    *nothing("without versions", record("VMSMP", 27, 3, unnamed("", VM, ID)), "a believed row alone"),
    *nothing("without level", network(27, "327680", "196610")._replace(level=None), "a believed row alone"),
    *nothing("as error", network(27, "327680", "196610")._replace(level=2), "a warning by the facts"),
    # Loaded, but spoken by Windows only: display 3.3 and 3.4, data exchange 5.0.
    Case("2016", "positional", device(23014, "3.5", "3.3"), "unknown", ACTIONABLE, Reason.LOADED_WINDOWS,
         "Linux never has display 3.3"),
    Case("2016", "positional", device(23014, "3.5", "3.3"), "linux", ACTIONABLE, CONTRADICTED,
         "Linux never has display 3.3"),
    Case("2016", "positional", device(23014, "3.5", "3.3"), "windows", ACTIONABLE, Reason.LOADED_WINDOWS, MISMATCH),
    Case("2016", "positional", integration(versions=("1.0", "3.0", "5.0", "5.0")), "unknown", ACTIONABLE,
         Reason.LOADED_WINDOWS, "Linux never has data exchange 5.0"),
    Case("2016", "positional", integration(versions=("1.0", "3.0", "5.0", "5.0")), "linux", ACTIONABLE, CONTRADICTED,
         "Linux never has data exchange 5.0"),
    # Loaded, but contradicted, or without a VM.
    *nothing("as error", storvsp(6, "6.0", "5.1")._replace(level=2), "a warning by the facts"),
    *nothing("as information", storvsp(6, "6.0", "5.1")._replace(level=4), "a warning by the facts"),
    *nothing("error by qualifiers", storvsp(6, "6.0", "5.1")._replace(qualifiers=0xC004), "0x8004 is a warning"),
    *nothing("equal versions", storvsp(6, "6.0", "6.0"), "no mismatch"),
    *nothing("guest newer", SWAPPED, "a host has no version newer than its own"),
    *nothing("guest newer", integration(versions=("3.0", "3.0", "5.0", "4.0")), "a host has none newer than its own"),
    *nothing("all equal", integration(versions=("3.0", "3.0", "4.0", "4.0")), "no mismatch"),
    *nothing("empty", record("storvsp", 6, 3, ()), NAMES_NOTHING),
    *nothing("empty", record(HV + "Worker", 23014, 3, ()), NAMES_NOTHING),
    *nothing("blank VM", record(HV + "Worker", 23014, 3, positional(" ", "", "x", "3.3", "3.2")), NAMES_NOTHING),
    *nothing("no version in its place", device(23014, "3.3", "3.x"), "mangled"),
    *nothing("no id in its place", record(HV + "Worker", 23014, 3, positional(VM, "9FC1", "x", "3.3", "3.2")), "mangled"),
    # Refused: the two traps.
    *refused("2008", "classic", storvsp(5, "2.0", "4.2"), WINDOWS_2008, "windows 2008 r2, freebsd"),
    *refused("2008", "message", storvsp(5, "2.0", "4.2", "message"), WINDOWS_2008, "windows 2008 r2, freebsd"),
    *refused("2008", "named", storvsp(5, "2.0", "4.2", "named"), WINDOWS_2008, "windows 2008 r2, freebsd"),
    *refused("2008", "classic", network(26, "2", "196610"), WINDOWS_2008, "windows 2008 r2, freebsd"),
    *refused("2008", "message", network(26, "2", "196610", "message"), WINDOWS_2008, "windows 2008 r2, freebsd"),
    Case("2008", "classic", storvsp(5, "2.0", "4.2"), "windows 2012", ACTIONABLE, UNPROVEN, NO_PROOF),
    Case("2008", "classic", storvsp(5, "2.0", "5.1"), "windows 2008 r2", ACTIONABLE, UNPROVEN, NO_PROOF),
    *refused("2008 R2", "classic", storvsp(5, "4.2", "6.2"), LINUX_DROPPED, "freebsd"),
    *refused("2008 R2", "named", storvsp(5, "4.2", "6.0", "named"), LINUX_DROPPED, "freebsd"),
    *refused("2008 R2", "message", storvsp(5, "4.2", "5.1", "message"), LINUX_DROPPED, "freebsd"),
    # Refused: Linux and FreeBSD go on with an older offer; of Windows and DragonFly nothing proves it.
    *refused("2012", "classic", storvsp(5, "5.1", "6.2"), LINUX_OFFERS, "linux, freebsd"),
    *refused("2012", "param", storvsp(5, "5.1", "6.0", "param"), LINUX_OFFERS, "linux, freebsd"),
    *refused("2012 R2", "classic", storvsp(5, "6.0", "6.2"), DRAGONFLY, "linux, freebsd"),
    *refused("2012 R2", "listed", storvsp(5, "6.0", "6.2", "listed"), BSD_OFFERS, "linux, freebsd"),
    *refused("2012 R2", "named", storvsp(5, "6.0", "6.2", "named"), LINUX_OFFERS, "linux, freebsd"),
    *refused("2012 R2", "message", storvsp(5, "6.0", "6.2", "message"), LINUX_OFFERS, "linux, freebsd"),
    *refused("2012 R2", "positional", device(23012, "3.3", "3.5"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012 R2", "named", device(23012, "3.3", "3.5", "named"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012 R2", "unnamed", device(23012, "3.3", "3.5", "unnamed"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012 R2", "message", device(23012, "3.3", "3.5", "message"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012", "positional", device(23012, "3.2", "3.5"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012 R2", "positional", device(23012, "3.3", "3.5", "positional", "VMMS"), WINDOWS_DISPLAY, contradicted="linux, freebsd"),
    *refused("2012 R2", "classic", network(26, *NETWORK_61), LINUX_OFFERS, "linux", contradicted="freebsd"),
    *refused("2012 R2", "listed", network(26, *NETWORK_61, "listed"), LINUX_OFFERS, "linux", contradicted="freebsd"),
    *refused("2012 R2", "named", network(26, *NETWORK_61, "named"), LINUX_OFFERS, "linux", contradicted="freebsd"),
    *refused("2012 R2", "positional", network(26, *NETWORK_61, "positional"), LINUX_OFFERS, "linux", contradicted="freebsd"),
    *refused("2012 R2", "message", network(26, *NETWORK_61, "message"), LINUX_OFFERS, "linux", contradicted="freebsd"),
    *final("2022", "named", device(32719, "3.4", "3.5", "named", "UiDevices")),
    *final("2022", "positional", device(32719, "3.4", "3.5", "positional", "UiDevices")),
    # Refused: versions and devices that no table knows.
    *refused("2019", "classic", storvsp(5, "6.2", "7.0"), NO_TABLE),
    *refused("2019", "classic", storvsp(5, "6.1", "6.2"), NO_TABLE),
    *refused("2019", "classic", storvsp(5, "6.2", "6.0"), "an offer that is not newer needs no fallback"),
    *(
        case
        for provider, number, name in (
            ("VmbusVdev", 23012, "Microsoft Synthetic Keyboard"),
            ("Serial", 12322, "Microsoft Virtual Serial Port"),
            ("Chipset", 18608, "Microsoft Virtual Chipset"),
        )
        for shape in ("named", "positional")
        for case in final("2022", shape, device(number, "1.0", "2.0", shape, provider, name))
    ),
    *(
        case
        for provider, number in (("VmbusVdev", 23013), ("UiDevices", 32720), ("Serial", 12323), ("Chipset", 18609))
        for case in final("2022", "named", record(HV + provider, number, 2, (("Device", "x"),)))
    ),
    *refused(
        "2022", "named",
        record(HV + "StorageVSP", 3, 2, (("AdapterName", VM), ("AdapterId", ID), ("ServerVersion", "6.2"), ("ClientVersion", "6.3"))),
        NO_TABLE,
    ),
    *refused("2022", "positional", record(HV + "StorageVSP", 3, 2, positional(VM, ID, "6.2", "6.3")), NO_TABLE),
    *refused("2025", "message", record(HV + "Worker", 33101, 2, positional(), f"'{VM}' protocol version 0x10004"),
             "microsoft/WSL issues 10649, 12388: harmless only by a success whose id is unknown"),
    *(
        case
        for service in (*SERVICES, "-RDV", "-VSS", "")
        for number in (4000, 4002, 4011)
        for case in refused("2012 R2", "positional", record(f"{HV}Integration{service}", number, 2, positional(VM, ID)), NAMES_NOTHING)[:2]
    ),
    # Refused: VMBus names partitions, not VMs.
    *(
        case
        for driver in ("vmbus", "vmbusr")
        for case in (
            *refused("2008", "classic", record(driver, 2, 2, unnamed("")), "KB 972108; the event names nothing")[:3],
            *refused("2008", "classic", record(driver, 3, 2, unnamed("", "3", "1.1", "0.13")), NAMES_NOTHING),
            *refused("2008", "classic", record(driver, 4, 2, unnamed("", "3", "1.1")), NAMES_NOTHING),
            *refused("2008", "classic", record(driver, 5, 2, unnamed("", "3")), NAMES_NOTHING),
        )
    ),
    Case("2012", "classic", record("vmbus", 3, 2, unnamed("", "3", "5.3", "2.4")), "linux", ACTIONABLE, UNPROVEN,
         NAMES_NOTHING),
    *refused("2008", "classic", record("netvsc", 12, 3, unnamed("", "3.2")), "KB 972108; logged inside the guest"),
    *refused("2008", "message", record("netvsc", 12, 3, (), "use protocol version '3.2'."), "KB 972108; logged inside the guest"),
    *refused("2012 R2", "empty", record("storvsp", 5, 2, unnamed("", VM, ID)), NAMES_NOTHING),
    # Refused, but contradicted.
    Case("2012 R2", "no VM", record("storvsp", 5, 2, unnamed("", "", "6.0", "6.2")), "linux", ACTIONABLE, INCOMPLETE,
         NAMES_NOTHING),
    Case("2012 R2", "as warning", storvsp(5, "6.0", "6.2")._replace(level=3), "linux", ACTIONABLE, INCOMPLETE,
         "an error by the facts"),
    Case("2012 R2", "warning by qualifiers", storvsp(5, "6.0", "6.2")._replace(qualifiers=0x8004), "linux",
         ACTIONABLE, INCOMPLETE, "0xC004 is an error"),
    # Negotiated: no mismatch.
    *(
        Case("2022", "named", plain("VmSwitch", 102, 4), guest, ACTIONABLE, INFORMATION, VERSION_EVENTS)
        for guest in ("linux", "windows", "unknown")
    ),
    # No version events, though they look so.
    *nothing("trap", record(HV + "StorageVSP", 6, 3, storvsp(6, "6.0", "5.1").data), VERSION_EVENTS, WATCH),
    *nothing("trap", record(HV + "StorageVSP", 5, 2, storvsp(5, "6.0", "6.2").data), VERSION_EVENTS, WATCH),
    *nothing("trap", device(18608, "3.3", "3.5", "named"), VERSION_EVENTS, INFORMATION),
    *nothing("trap", device(3074, "3.3", "3.5", "named"), VERSION_EVENTS, PROBLEM),
    *nothing("trap", device(3075, "3.3", "3.5", "named"), VERSION_EVENTS, PROBLEM),
    *nothing("trap", device(32716, "3.3", "3.5", "named", "UiDevices"), VERSION_EVENTS, WATCH),
    *nothing("trap", device(32717, "3.3", "3.5", "named", "UiDevices"), VERSION_EVENTS, WATCH),
    *nothing("trap", device(12540, "3.3", "3.5", "named", "UiDevices"), VERSION_EVENTS, PROBLEM),
    *nothing("trap", plain("SynthNic", 12615), VERSION_EVENTS, WATCH),
    *nothing("trap", plain("Integration-KvpExchange", 4096), "KB 2989430", WATCH),
    *nothing("trap", plain("Config", 4096), PROBLEMS, PROBLEM),
    *nothing("trap", record("disk", 6, 3, storvsp(6, "6.0", "5.1").data), "no Hyper-V provider", FOREIGN),
    *nothing("trap", record("storvsp", 7, 3, storvsp(6, "6.0", "5.1").data), "in no table", UNKNOWN),
    *nothing("trap", device(4010, "3.3", "3.2", "named"), "in no table", UNKNOWN),
    *nothing("trap", device(23014, "3.3", "3.2", "named", "SynthStor"), "in no table", UNKNOWN),
    *nothing("trap", device(23014, "3.3", "3.2", "named", "VmbusVdev"), "in no table", UNKNOWN),
    *nothing("trap", device(12603, "3.3", "3.2", "named", "SynthNic"), "Windows 11 21H2 manifest", INFORMATION),
    # Known events: provider, ids, level.
    *known("VMMS", "13002 13003 18304 19070 19080 20415 1101 1102", 4, INFORMATION),
    *known("Worker", "18500 18502 18504 18508 18512 18514 18515 3048 3049", 4, INFORMATION),
    *known("Chipset", "18601 18606", 4, INFORMATION),
    *known("Chipset", "18602 18603 18604 18605 18600", 2, PROBLEM),
    *known("Worker", "18524 18528 18539 18540 18550 18560 18590 18602 18604 18610 18620", 1, PROBLEM),
    *known("VMMS", "14050 14070 14098 16310", 2, PROBLEM),
    *known("Worker", "3020 3054 3056", 2, WATCH),
    *known("Worker", "3030 3050 3122 3040 3070 3072 12010 12030 12040 12050 12054 12080", 2, PROBLEM),
    *known("SynthStor", "12140 12240 12246 12142 12144 12244 12280 12290", 2, PROBLEM),
    *known("SynthStor", "12148", 4, INFORMATION),
    *known("SynthStor", "12602", 3, WATCH),
    *known("SynthNic", "12560 12562 12564 12572 12570 12670", 2, PROBLEM),
    *known("SynthNic", "12585 12605 12606 12607 12608 12609", 3, WATCH),
    *known("SynthNic", "12582 12597 12598", 4, INFORMATION),
    *known("UiDevices", "12541", 1, PROBLEM),
    *known("DynMem", "12540 12541", 1, PROBLEM),
    *known("UiDevices", "12480", 2, WATCH),
    *known("VmSwitch", "21 23", 4, INFORMATION),
    *known("VmSwitch", "22 24 25 28 252", 3, WATCH),
    *known("VmSwitch", "30 33", 3, PROBLEM),
    *known("StorageVSP", "9 4", 3, WATCH),
    *known("StorageVSP", "7 8", 2, PROBLEM),
    *known("Integration-VSS", "4093", 3, WATCH),
    *known("Integration", "4096 4093", 3, WATCH),
    *known("VMMS", "10102 10103 15252 15140 16050 16060 16210 16300 16400 16410 18190 19100", 2, PROBLEM),
    *known("VMMS", "15268 16000 16010 16020 19090 20417", 3, WATCH),
    *known("VMMS", " ".join(map(str, range(19050, 19065))), 3, WATCH),
    *known("Hypervisor", "1 2 129 156 165", 4, INFORMATION),
]  # fmt: skip
