"""Protocol versions: every spelling, their order, and where they are spoken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from hvdegraded.knowledge.loader import link_of
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Component, GuestFamily, ProtocolVersion

TABLE = load_knowledge().protocols


def version(text: str) -> ProtocolVersion:
    return ProtocolVersion.parse(text)


WORD = st.integers(0, 0xFFFF)


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
    assert guest == "this guest speaks storage 5.1: Linux up to 4.3 or Windows Server 2012 / Windows 8"


def test_old_linux_speaks_storage_4_2_too() -> None:
    """Kernels up to 3.13 offer it alone, unless what a distribution brought back offers 5.1 first."""
    guest = TABLE.describe_client(Component.STORAGE, version("4.2"))
    assert guest == "this guest speaks storage 4.2: Linux up to 3.13 or Windows Server 2008 R2 / Windows 7"


def test_neighbouring_kernel_ranges_are_told_as_one() -> None:
    assert ": Linux 3.14 and later, FreeBSD," in TABLE.describe_client(Component.STORAGE, version("6.2"))


def test_an_unknown_version_is_said_to_be_unknown() -> None:
    for text in (
        TABLE.describe_host(Component.STORAGE, version("9.9")),
        TABLE.describe_client(Component.STORAGE, version("9.9")),
    ):
        assert text.endswith("9.9, which the tables do not place")


def families(component: Component, version: ProtocolVersion) -> set[GuestFamily]:
    return {row.family for row in TABLE.speakers(component, version)}


def test_linux_never_has_display_3_3_nor_data_exchange_5_0() -> None:
    assert families(Component.DISPLAY, version("3.3")) == {GuestFamily.WINDOWS}
    assert families(Component.DATA_EXCHANGE, version("5.0")) == {GuestFamily.WINDOWS}
    assert GuestFamily.LINUX in families(Component.DISPLAY, version("3.5"))


def test_dragonfly_offers_only_storage_6_2() -> None:
    (row,) = TABLE.offers(Component.STORAGE, GuestFamily.DRAGONFLY)
    assert row.offers == (version("6.2"),)
    assert not row.may_offer


def test_linux_5_19_dropped_the_old_versions() -> None:
    for component, oldest in ((Component.STORAGE, "5.1"), (Component.VMBUS, "2.4")):
        row = next(row for row in TABLE.offers(component, GuestFamily.LINUX) if row.since == "5.19")
        assert min(row.offers) == version(oldest)
        assert not row.may_offer


def test_kernel_ranges_follow_each_other_without_gap_or_overlap() -> None:
    for component in Component:
        rows = [row for row in TABLE.offers(component, GuestFamily.LINUX) if not row.services]
        rows = [row for row in rows if not row.vmbus]  # of those there is one for each version of VMBus
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


def test_each_source_that_a_verdict_names_can_be_opened() -> None:
    knowledge = load_knowledge()
    titles = {title for fact in knowledge.events for title in fact.references}
    for component in Component:
        for host in knowledge.protocols.host_versions(component):
            for offer in knowledge.protocols.offers(component):
                if offer.newest is not None:
                    titles.update(
                        knowledge.protocols.refusal_is_harmless(component, host.version, offer.newest).sources
                    )
    assert len(titles) > 60
    assert not [title for title in titles if link_of(title) is None or "; " in title.partition(" (")[0]]
