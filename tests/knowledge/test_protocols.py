"""Protocol versions and what the tables prove; expectations are derived by hand from the sources' tables."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from hvdegraded.knowledge.facts import HostVersion, Implementation
from hvdegraded.knowledge.protocols import ProtocolTable
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, ProtocolVersion

WORD = st.integers(0, 0xFFFF)
TABLE = load_knowledge().protocols


def version(text: str) -> ProtocolVersion:
    return ProtocolVersion.parse(text)


# ------------------------------------------------------------------ how versions are written


@pytest.mark.parametrize(
    ("written", "component", "expected"),
    [
        ("6.2", None, (6, 2)),
        (" 0.13 ", Component.VMBUS, (0, 13)),
        ("2", Component.NETWORK, (0, 2)),  # KB 972108: "Server version 2"
        ("196610", Component.NETWORK, (3, 2)),  # KB 972108: "Client version 196610" is 3.2
        (196610, None, (3, 2)),
        ("0x30002", None, (3, 2)),
        ("0X00060001", Component.NETWORK, (6, 1)),
        ("393217", Component.NETWORK, (6, 1)),
        ("0x10004", Component.VPCI, (1, 4)),
        ("0x0602", Component.STORAGE, (6, 2)),
        ("1538", Component.STORAGE, (6, 2)),
        (0x0501, Component.STORAGE, (5, 1)),
        ("6.2", Component.STORAGE, (6, 2)),
        ("0x0602", Component.NETWORK, (0, 0x602)),
        ("4294967295", None, (0xFFFF, 0xFFFF)),
    ],
)
def test_reads_every_spelling(
    written: str | int, component: Component | None, expected: tuple[int, int]
) -> None:
    assert ProtocolVersion.parse(written, component) == expected


@pytest.mark.parametrize(
    "garbage",
    [
        *("", "  ", "6.", ".2", "6.2.1", "65536.0", "0.65536", "-1.2", "6,2", "v6.2", "+6.2", "6.2\x00"),
        *("0x", "0x1FFFFFFFF", "4294967296", "1e3", "６.２", "Ⅵ", "9" * 40, " " * 40 + "6.2"),
    ],
)
def test_what_is_no_version_is_refused(garbage: str) -> None:
    with pytest.raises(ValueError, match="version"):
        ProtocolVersion.parse(garbage)
    assert ProtocolVersion.try_parse(garbage) is None


@pytest.mark.parametrize("value", [-1, 1 << 32, True])
def test_numbers_out_of_range_are_refused(value: int) -> None:
    assert ProtocolVersion.try_parse(value) is None


def test_storage_number_beyond_its_sixteen_bits_is_refused() -> None:
    assert ProtocolVersion.try_parse("0x60002", Component.STORAGE) is None


def test_absent_text_is_no_version() -> None:
    assert ProtocolVersion.try_parse(None) is None


@given(WORD, WORD)
def test_every_spelling_of_a_version_is_read_back(major: int, minor: int) -> None:
    expected = ProtocolVersion(major, minor)
    word = major << 16 | minor
    for spelling in (str(expected), str(word), hex(word), word):
        assert ProtocolVersion.parse(spelling) == expected


@given(st.integers(0, 255), st.integers(0, 255))
def test_storage_is_read_back_from_its_wire_form(major: int, minor: int) -> None:
    expected = ProtocolVersion(major, minor)
    wire = major << 8 | minor
    for spelling in (str(expected), str(wire), hex(wire), wire):
        assert ProtocolVersion.parse(spelling, Component.STORAGE) == expected


@given(WORD, WORD, WORD, WORD)
def test_versions_are_ordered_by_number_not_by_text(a: int, b: int, c: int, d: int) -> None:
    assert (ProtocolVersion(a, b) < ProtocolVersion(c, d)) == ((a << 16 | b) < (c << 16 | d))


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    found = ProtocolVersion.try_parse(text)
    assert found is None or ProtocolVersion.parse(str(found)) == found


def test_0_13_is_older_than_1_1_and_newer_than_0_2() -> None:
    assert version("0.2") < version("0.13") < version("1.1")


def test_a_model_carries_a_version_through_json() -> None:
    class Model(BaseModel):
        version: ProtocolVersion

    model = Model(version=ProtocolVersion(6, 2))
    assert model.model_dump_json() == '{"version":"6.2"}'
    assert Model.model_validate_json(model.model_dump_json()) == model


# ------------------------------------------------------------------ who has what


@pytest.mark.parametrize(
    ("component", "text", "releases"),
    [
        (Component.STORAGE, "2.0", {"Windows Server 2008"}),
        (Component.STORAGE, "4.2", {"Windows Server 2008 R2", "Windows 7"}),
        (Component.STORAGE, "5.1", {"Windows Server 2012", "Windows 8"}),
        (Component.STORAGE, "6.0", {"Windows Server 2012 R2", "Windows 8.1"}),
        (Component.STORAGE, "6.2", {"Windows Server 2016 to 2022", "Windows 10 and 11 up to 21H2"}),
        (Component.NETWORK, "0.2", {"Windows Server 2008"}),
        (Component.NETWORK, "5.0", {"Windows Server 2012 R2"}),
        (Component.VMBUS, "0.13", {"Windows Server 2008"}),
        (Component.VMBUS, "5.3", {"Windows Server 2022"}),
        (Component.DISPLAY, "3.3", {"Windows Server 2012 R2"}),
        (Component.STORAGE, "9.9", set()),
    ],
)
def test_releases_of_a_host_version(component: Component, text: str, releases: set[str]) -> None:
    assert set(TABLE.host_releases(component, version(text))) == releases


def test_versions_are_told_in_words() -> None:
    host = TABLE.describe_host(Component.STORAGE, version("6.0"))
    guest = TABLE.describe_client(Component.STORAGE, version("5.1"))
    assert host == "this host speaks storage 6.0: Windows Server 2012 R2 or Windows 8.1"
    assert guest == "this guest speaks storage 5.1: Linux up to 3.13 or Windows Server 2012 / Windows 8"


def test_neighbouring_kernel_ranges_are_told_as_one() -> None:
    assert ": Linux 3.14 and later, FreeBSD," in TABLE.describe_client(Component.STORAGE, version("6.2"))


def test_an_unknown_version_is_said_to_be_unknown() -> None:
    for text in (
        TABLE.describe_host(Component.STORAGE, version("9.9")),
        TABLE.describe_client(Component.STORAGE, version("9.9")),
    ):
        assert text.endswith("9.9, which the tables do not place")


def test_linux_never_has_display_3_3_nor_data_exchange_5_0() -> None:
    assert TABLE.guest_families_offering(Component.DISPLAY, version("3.3")) == {"windows"}
    assert TABLE.guest_families_offering(Component.DATA_EXCHANGE, version("5.0")) == {"windows"}
    assert "linux" in TABLE.guest_families_offering(Component.DISPLAY, version("3.5"))


def test_dragonfly_offers_only_storage_6_2() -> None:
    (row,) = TABLE.offers(Component.STORAGE, "dragonfly")
    assert row.offers == (version("6.2"),)
    assert not row.may_offer


def test_linux_5_19_dropped_the_old_versions() -> None:
    for component, oldest in ((Component.STORAGE, "5.1"), (Component.VMBUS, "2.4")):
        row = next(row for row in TABLE.offers(component, "linux") if row.since == "5.19")
        assert min(row.offers) == version(oldest)
        assert not row.may_offer


def test_kernel_ranges_follow_each_other_without_gap_or_overlap() -> None:
    for component in Component:
        rows = [row for row in TABLE.offers(component, "linux") if not row.services]
        if not rows:
            continue
        assert rows[0].since is None
        assert rows[-1].until is None
        for older, newer in pairwise(rows):
            assert older.until is not None
            assert newer.since is not None
            end, start = (tuple(map(int, text.split("."))) for text in (older.until, newer.since))
            assert start in ((end[0], end[1] + 1), (end[0] + 1, 0))


def test_offers_are_sorted_newest_first_and_certain_or_not() -> None:
    for row in TABLE.implementations:
        assert list(row.offers) == sorted(row.offers, reverse=True)
        assert not set(row.offers) & set(row.may_offer)
        assert row.source


# ------------------------------------------------------------------ refused offers


@pytest.mark.parametrize(
    ("component", "server", "client", "guest", "proven"),
    [
        # KB 972108 speaks of a 2008 R2 guest on a 2008 host (below), not of any guest there: Linux up to 3.13
        # has storage 4.2 and not 2.0, and of Windows Server 2012 no source tells what it falls back to
        (Component.STORAGE, "2.0", "4.2", None, False),
        (Component.STORAGE, "2.0", "4.2", "windows", False),
        (Component.NETWORK, "0.2", "3.2", None, False),
        (Component.NETWORK, "0.2", "3.2", "windows", False),
        (Component.VMBUS, "0.13", "1.1", None, False),
        (Component.VMBUS, "0.13", "1.1", "windows", False),
        # Linux up to 3.13 has storage 4.2 but not 2.0: the KB does not speak of it
        (Component.STORAGE, "2.0", "4.2", "linux", False),
        (Component.STORAGE, "2.0", "4.2", "freebsd", False),
        # every Linux that was read has network 0.2; those before 3.13 were not read
        (Component.NETWORK, "0.2", "3.2", "linux", False),
        (Component.NETWORK, "0.2", "6.1", "linux", True),
        (Component.NETWORK, "3.2", "5.0", "linux", True),
        (Component.VMBUS, "0.13", "1.1", "linux", False),
        # Linux 5.19+ on a 2008 R2 host: nothing at or below 4.2 (mikopbx/Core issue 746)
        (Component.STORAGE, "4.2", "6.2", None, False),
        (Component.STORAGE, "4.2", "6.0", None, False),
        (Component.STORAGE, "4.2", "5.1", None, False),
        (Component.STORAGE, "4.2", "5.1", "linux", False),
        (Component.STORAGE, "4.2", "6.2", "linux", False),
        (Component.VMBUS, "1.1", "2.4", None, False),
        (Component.VMBUS, "1.1", "5.3", "linux", False),
        # hosts of 2012 and 2012 R2: every Linux and FreeBSD has 5.1, DragonFly has not
        (Component.STORAGE, "5.1", "6.2", "linux", True),
        (Component.STORAGE, "6.0", "6.2", "linux", True),
        (Component.STORAGE, "6.0", "6.2", "LINUX", True),
        (Component.STORAGE, "6.0", "6.2", "freebsd", True),
        (Component.STORAGE, "6.0", "6.2", "dragonfly", False),
        (Component.STORAGE, "6.0", "6.2", None, False),
        # a Windows guest newer than its host: what it falls back to is inferred, and proves nothing
        (Component.STORAGE, "6.0", "6.2", "windows", False),
        (Component.STORAGE, "5.1", "6.2", "windows", False),
        (Component.STORAGE, "5.1", "6.0", None, False),
        (Component.STORAGE, "5.1", "6.0", "linux", True),
        (Component.VMBUS, "2.4", "3.0", None, False),
        (Component.VMBUS, "2.4", "3.0", "linux", True),
        # display: Linux 5.11+ offers 3.5, then 3.2; of Windows 10 it is inferred that it goes on with 3.3
        (Component.DISPLAY, "3.3", "3.5", None, False),
        (Component.DISPLAY, "3.3", "3.5", "linux", True),
        # a family that the tables do not know, and one without this device
        (Component.STORAGE, "6.0", "6.2", "openbsd", False),
        (Component.NETWORK, "0.2", "3.2", "freebsd", False),
        # no fallback case, and versions that no table knows
        (Component.STORAGE, "6.2", "6.2", "linux", False),
        (Component.STORAGE, "6.2", "5.1", "linux", False),
        (Component.STORAGE, "6.2", "6.3", None, False),
        (Component.STORAGE, "5.5", "6.0", "linux", False),
        (Component.STORAGE, "1.0", "2.0", None, False),
        (Component.DEVICE, "3.3", "3.5", None, False),
        # the tables know Linux' side of this service only
        (Component.TIME_SYNC, "3.0", "4.0", "linux", True),
        (Component.TIME_SYNC, "3.0", "4.0", None, False),
    ],
)
def test_refused_offer(
    component: Component, server: str, client: str, guest: str | None, proven: bool
) -> None:
    found = TABLE.refusal_is_harmless(component, version(server), version(client), guest_family=guest)
    assert found.proven is proven, found.lines
    assert found.lines


@pytest.mark.parametrize(
    ("component", "server", "client"),
    [(Component.STORAGE, "2.0", "4.2"), (Component.NETWORK, "0.2", "3.2"), (Component.VMBUS, "0.13", "1.1")],
)
def test_kb_972108_covers_2008_r2_guests_on_2008_hosts(
    component: Component, server: str, client: str
) -> None:
    def proven(system: str | None, offered: str = client) -> bool:
        return TABLE.refusal_is_harmless(
            component, version(server), version(offered), guest_family="windows", guest_system=system
        ).proven

    assert proven("Windows Server 2008 R2")
    assert not proven("Windows Server 2012")
    assert not proven("Windows Server 2008")
    assert not proven(None)
    assert not proven("Windows Server 2008 R2", "5.1")
    found = TABLE.refusal_is_harmless(
        component,
        version(server),
        version(client),
        guest_family="windows",
        guest_system="Windows Server 2008 R2",
    )
    assert "KB 972108" in found.sources


def test_an_unproven_refusal_names_the_implementation_that_would_be_cut_off() -> None:
    found = TABLE.refusal_is_harmless(Component.STORAGE, version("4.2"), version("6.2"), guest_family="linux")
    assert found.exceptions == ("Linux 5.19 and later",)


def test_a_refusal_that_names_no_versions_proves_nothing() -> None:
    for server, client in ((None, None), (version("2.0"), None), (None, version("4.2"))):
        assert not TABLE.refusal_is_harmless(Component.VMBUS, server, client).proven


def test_knowing_more_of_the_guest_never_needs_more_implementations() -> None:
    for component in Component:
        versions = [row.version for row in TABLE.host_versions(component)]
        for server in versions:
            for client in versions:
                unknown = TABLE.refusal_is_harmless(component, server, client)
                if not unknown.proven:
                    continue
                for family in {row.family for row in TABLE.offers(component) if row.may_have_sent(client)}:
                    assert TABLE.refusal_is_harmless(component, server, client, guest_family=family).proven


def _fact(certainty: Certainty = Certainty.VERIFIED) -> dict[str, object]:
    return {"source": "made up", "certainty": certainty, "example": "1.0"}


VERSIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: ProtocolVersion(*pair)),
    min_size=1,
    unique=True,
)


@st.composite
def tables(draw: st.DrawFn) -> ProtocolTable:
    hosts = draw(VERSIONS)
    rows = []
    for number in range(draw(st.integers(0, 4))):
        offers = draw(VERSIONS)
        may = [v for v in draw(VERSIONS) if v not in offers]
        row = {
            "component": "storage",
            "name": f"guest {number}",
            "family": draw(st.sampled_from(["linux", "windows"])),
        }
        rows.append(
            Implementation.model_validate(
                {**row, "offers": offers, "may_offer": may, **_fact(draw(st.sampled_from(Certainty)))}
            )
        )
    return ProtocolTable(
        [HostVersion.model_validate({"component": "storage", "version": v, **_fact()}) for v in hosts], rows
    )


@given(tables(), st.sampled_from([None, "linux", "windows"]), st.data())
def test_proof_means_that_every_guest_that_can_have_sent_the_offer_has_a_way_out(
    table: ProtocolTable, family: str | None, data: st.DataObject
) -> None:
    pair = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda item: ProtocolVersion(*item))
    server, client = data.draw(pair), data.draw(pair)
    host_has = {row.version for row in table.versions if row.version <= server}
    senders = [
        row
        for row in table.implementations
        if client in row.offers + row.may_offer and family in (None, row.family)
    ]
    safe = (
        client > server
        and server in host_has
        and bool(senders)
        and all(host_has & set(row.offers) and row.certainty == "verified" for row in senders)
        and (family is not None or any(row.family == "windows" for row in table.implementations))
    )
    found = table.refusal_is_harmless(Component.STORAGE, server, client, guest_family=family)
    assert found.proven == safe


# ------------------------------------------------------------------ what gives a guest away


def _seen(**versions: str) -> dict[Component, frozenset[ProtocolVersion]]:
    return {
        Component[name.upper()]: frozenset(version(text) for text in texts.split())
        for name, texts in versions.items()
    }


KVP_5 = _seen(data_exchange="5.0")


def test_storage_6_2_with_data_exchange_4_0_is_no_windows() -> None:
    found = TABLE.infer_guest_family(_seen(storage="6.2", data_exchange="4.0"), expected=KVP_5)
    assert found is not None
    assert found.families[0] == "linux"
    assert "windows" not in found.families
    assert len(found.lines) == 2


def test_display_3_5_with_data_exchange_4_0_is_linux() -> None:
    found = TABLE.infer_guest_family(_seen(display="3.5", data_exchange="4.0"), expected=KVP_5)
    assert found is not None
    assert found.families == ("linux",)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (_seen(data_exchange="4.0"), KVP_5),  # Windows Server 2012 shows it too
        (_seen(storage="5.1", data_exchange="4.0"), KVP_5),
        (_seen(storage="6.0", display="3.3", data_exchange="4.0"), KVP_5),
        (_seen(storage="6.2"), KVP_5),
        (_seen(storage="6.2", data_exchange="5.0"), KVP_5),
        (_seen(storage="6.2", data_exchange="4.0"), _seen(data_exchange="4.0")),  # a host that has no 5.0
        (_seen(storage="6.2", data_exchange="4.0"), _seen(data_exchange="4.0 5.0")),  # the VM moved
        (_seen(storage="6.2", data_exchange="4.0 5.0"), KVP_5),  # another guest was installed
        (_seen(storage="6.2", data_exchange="4.0"), None),
        ({}, KVP_5),
    ],
)
def test_what_a_windows_guest_can_show_infers_nothing(
    seen: dict[Component, frozenset[ProtocolVersion]],
    expected: dict[Component, frozenset[ProtocolVersion]] | None,
) -> None:
    assert TABLE.infer_guest_family(seen, expected=expected) is None


def test_no_giveaway_fits_a_windows_implementation_of_the_tables() -> None:
    for row in TABLE.fingerprints:
        assert "windows" not in row.families
        # Windows with these devices has what the host expects, and would have negotiated it.
        kvp = next(r for r in TABLE.offers(Component.DATA_EXCHANGE, "windows") if version("5.0") in r.offers)
        assert row.expected[Component.DATA_EXCHANGE] in kvp.offers


# ------------------------------------------------------------------ the table, fact by fact

# Section 4 of the domain facts: the host releases of a version, and Linux' side of it: absent in the first
# kernel, present from the second on, gone with the third. "-" before: not known when it came.
FACTS = """
storage 2.0 | Windows Server 2008 | 3.13 4.4 5.19
storage 4.2 | Windows Server 2008 R2; Windows 7 | - 3.13 5.19
storage 5.1 | Windows Server 2012; Windows 8 | - 3.13 -
storage 6.0 | Windows Server 2012 R2; Windows 8.1 | 3.13 4.4 -
storage 6.2 | Windows Server 2016 to 2022; Windows 10 and 11 up to 21H2 | 3.13 4.4 -
network 0.2 | Windows Server 2008 | - 3.13 -
network 3.2 | Windows Server 2008 R2 | - 3.13 -
network 4.0 | Windows Server 2012 | 3.13 4.4 -
network 5.0 | Windows Server 2012 R2 | 3.13 4.4 -
network 6.0 | Windows of the Windows 10 era | 4.15 5.4 -
network 6.1 | Windows of the Windows 10 era, later releases | 4.15 5.4 -
VMBus 0.13 | Windows Server 2008 | - 3.13 5.19
VMBus 1.1 | Windows Server 2008 R2 | - 3.13 5.19
VMBus 2.4 | Windows Server 2012 | - 3.13 -
VMBus 3.0 | Windows Server 2012 R2 | 3.13 4.4 -
VMBus 4.0 | Windows Server 2016 | 3.13 4.4 -
VMBus 4.1 | Windows 1709 | 5.4 5.11 -
VMBus 5.0 | Windows 1709 | 4.15 5.4 -
VMBus 5.1 | Windows 1803 | 5.4 5.11 -
VMBus 5.2 | Windows Server 2019; Windows 1809 | 5.4 5.11 -
VMBus 5.3 | Windows Server 2022 | 5.11 5.15 -
VMBus 6.0 | Windows after Server 2022 | never
integration service 1.0 | | - 3.13 -
integration service 3.0 | | - 3.13 -
shutdown 1.0 | | - 3.13 -
shutdown 3.0 | | - 3.13 -
shutdown 3.1 | | 5.4 5.11 -
shutdown 3.2 | | 5.4 5.11 -
time synchronisation 1.0 | | - 3.13 -
time synchronisation 3.0 | | - 3.13 -
time synchronisation 4.0 | | 4.4 4.15 -
heartbeat 3.0 | | - 3.13 -
heartbeat 3.1 | | never
data exchange 3.0 | | - 3.13 -
data exchange 4.0 | Windows Server 2012 | - 3.13 -
data exchange 5.0 | Windows Server 2012 R2 and later | never
backup 5.0 | | - 3.13 -
file copy 1.1 | | - 3.13 -
remote desktop 1.0 | | never
remote desktop 3.0 | | never
display 3.0 | Windows 7 | - 3.13 -
display 3.2 | Windows Server 2012; Windows 8 | - 3.13 -
display 3.3 | Windows Server 2012 R2 | never
display 3.4 | Windows 10 | never
display 3.5 | Windows 10 | 5.4 5.11 -
keyboard 1.0 | | unknown
mouse 2.0 | | unknown
dynamic memory 0.3 | Windows Server 2008 R2 SP1 | unknown
dynamic memory 1.0 | Windows Server 2012 | unknown
dynamic memory 2.0 | Windows 10 | unknown
virtual PCI 1.1 | | unknown
virtual PCI 1.2 | | unknown
virtual PCI 1.3 | | unknown
virtual PCI 1.4 | | unknown
"""
LINES = [[part.strip() for part in line.split("|")] for line in FACTS.strip().splitlines()]
KERNELS = ("3.13", "4.4", "4.15", "5.4", "5.11", "5.15", "5.19", "6.12", "6.17")


def number(kernel: str) -> tuple[int, ...]:
    return tuple(map(int, kernel.split(".")))


def linux_row(component: Component, kernel: str) -> Implementation:
    (row,) = [
        row
        for row in TABLE.offers(component, "linux")
        if not row.services
        and (row.since is None or number(row.since) <= number(kernel))
        and (row.until is None or number(kernel) <= number(row.until))
    ]
    return row


@pytest.mark.parametrize(("what", "hosts", "linux"), LINES)
def test_each_fact_of_the_protocol_tables(what: str, hosts: str, linux: str) -> None:
    name, _, text = what.rpartition(" ")
    component, wanted = Component(name), version(text)
    assert set(TABLE.host_releases(component, wanted)) == {
        host.strip() for host in hosts.split(";") if host.strip()
    }
    if linux == "unknown":
        assert not TABLE.offers(component, "linux")
        return
    if linux == "never":
        assert TABLE.cannot_speak("linux", component, wanted)
        return
    absent, present, gone = linux.split()
    for kernel in KERNELS:  # those that were read
        row = linux_row(component, kernel)
        if absent != "-" and number(kernel) <= number(absent):
            # A row of a range of kernels may hold what the later ones of it offer, but is not sure of it.
            assert wanted not in row.offers
        elif gone != "-" and number(kernel) >= number(gone):
            assert not row.may_have_sent(wanted)
        elif number(kernel) > number("3.13"):
            assert number(kernel) < number(present) or wanted in row.offers
        else:
            assert row.may_have_sent(wanted)  # of kernels before 3.13 not all is known


def test_there_is_no_version_that_the_facts_do_not_name() -> None:
    assert {f"{row.component} {row.version}" for row in TABLE.versions} == {line[0] for line in LINES}


def test_other_guests() -> None:
    (freebsd,) = TABLE.offers(Component.STORAGE, "freebsd")
    assert freebsd.offers == (version("6.2"), version("6.0"), version("5.1"))
    (ipxe,) = TABLE.offers(Component.VMBUS, "ipxe")
    assert ipxe.offers == (version("0.13"),)
    assert TABLE.cannot_speak("linux", Component.INTEGRATION, version("1.0"), Component.BACKUP)
    assert TABLE.cannot_speak("linux", Component.INTEGRATION, version("1.0"), Component.FILE_COPY)
    assert not TABLE.cannot_speak("linux", Component.INTEGRATION, version("1.0"), Component.SHUTDOWN)
