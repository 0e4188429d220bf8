"""Refused offers, and what gives a guest away: what the tables of protocols prove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.knowledge.facts import HostVersion, Implementation
from hvdegraded.knowledge.protocols import ProtocolTable
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, GuestFamily, ProtocolVersion

TABLE = load_knowledge().protocols


def version(text: str) -> ProtocolVersion:
    return ProtocolVersion.parse(text)


# ------------------------------------------------------------------ refused offers


@pytest.mark.parametrize(
    ("component", "server", "client", "guest", "proven"),
    [
        # KB 972108 speaks of a 2008 R2 guest on a 2008 host (below), not of any guest there: Linux up to 3.13
        # has storage 4.2 and not 2.0, and of Windows Server 2012 no source tells what it falls back to
        (Component.STORAGE, "2.0", "4.2", None, False),
        (Component.STORAGE, "2.0", "4.2", GuestFamily.WINDOWS, False),
        (Component.NETWORK, "0.2", "3.2", None, False),
        (Component.NETWORK, "0.2", "3.2", GuestFamily.WINDOWS, False),
        (Component.VMBUS, "0.13", "1.1", None, False),
        (Component.VMBUS, "0.13", "1.1", GuestFamily.WINDOWS, False),
        # Linux up to 3.13 has storage 4.2 but not 2.0: the KB does not speak of it
        (Component.STORAGE, "2.0", "4.2", GuestFamily.LINUX, False),
        (Component.STORAGE, "2.0", "4.2", GuestFamily.FREEBSD, True),
        # every Linux that was read has network 0.2; those before 3.13 were not read
        (Component.NETWORK, "0.2", "3.2", GuestFamily.LINUX, False),
        (Component.NETWORK, "0.2", "6.1", GuestFamily.LINUX, True),
        (Component.NETWORK, "3.2", "5.0", GuestFamily.LINUX, True),
        (Component.VMBUS, "0.13", "1.1", GuestFamily.LINUX, False),
        # Linux 5.19+ on a 2008 R2 host: nothing at or below 4.2 (mikopbx/Core issue 746)
        (Component.STORAGE, "4.2", "6.2", None, False),
        (Component.STORAGE, "4.2", "6.0", None, False),
        (Component.STORAGE, "4.2", "5.1", None, False),
        (Component.STORAGE, "4.2", "5.1", GuestFamily.LINUX, False),
        (Component.STORAGE, "4.2", "6.2", GuestFamily.LINUX, False),
        (Component.VMBUS, "1.1", "2.4", None, False),
        (Component.VMBUS, "1.1", "5.3", GuestFamily.LINUX, False),
        # hosts of 2012 and 2012 R2: every Linux and FreeBSD has 5.1, DragonFly has not
        (Component.STORAGE, "5.1", "6.2", GuestFamily.LINUX, True),
        (Component.STORAGE, "6.0", "6.2", GuestFamily.LINUX, True),
        (Component.STORAGE, "6.0", "6.2", GuestFamily.FREEBSD, True),
        (Component.STORAGE, "6.0", "6.2", GuestFamily.DRAGONFLY, False),
        (Component.STORAGE, "6.0", "6.2", None, False),
        # a Windows guest newer than its host: what it falls back to is inferred, and proves nothing
        (Component.STORAGE, "6.0", "6.2", GuestFamily.WINDOWS, False),
        (Component.STORAGE, "5.1", "6.2", GuestFamily.WINDOWS, False),
        (Component.STORAGE, "5.1", "6.0", None, False),
        (Component.STORAGE, "5.1", "6.0", GuestFamily.LINUX, True),
        (Component.VMBUS, "2.4", "3.0", None, False),
        (Component.VMBUS, "2.4", "3.0", GuestFamily.LINUX, True),
        # display: Linux 5.11+ offers 3.5, then 3.2; of Windows 10 it is inferred that it goes on with 3.3
        (Component.DISPLAY, "3.3", "3.5", None, False),
        (Component.DISPLAY, "3.3", "3.5", GuestFamily.LINUX, False),
        # a family that the tables do not know, and one without this device
        (Component.STORAGE, "6.0", "6.2", "openbsd", False),
        (Component.NETWORK, "0.2", "3.2", GuestFamily.FREEBSD, True),
        # no fallback case, and versions that no table knows
        (Component.STORAGE, "6.2", "6.2", GuestFamily.LINUX, False),
        (Component.STORAGE, "6.2", "5.1", GuestFamily.LINUX, False),
        (Component.STORAGE, "6.2", "6.3", None, False),
        (Component.STORAGE, "5.5", "6.0", GuestFamily.LINUX, False),
        (Component.STORAGE, "1.0", "2.0", None, False),
        (Component.DEVICE, "3.3", "3.5", None, False),
        # the tables know Linux' side of this service only
        (Component.TIME_SYNC, "3.0", "4.0", GuestFamily.LINUX, True),
        (Component.TIME_SYNC, "3.0", "4.0", None, False),
    ],
)
def test_refused_offer(
    component: Component, server: str, client: str, guest: GuestFamily | None, proven: bool
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
            component,
            version(server),
            version(offered),
            guest_family=GuestFamily.WINDOWS,
            guest_system=system,
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
        guest_family=GuestFamily.WINDOWS,
        guest_system="Windows Server 2008 R2",
    )
    assert "KB 972108" in found.sources


def test_an_unproven_refusal_names_the_implementation_that_would_be_cut_off() -> None:
    found = TABLE.refusal_is_harmless(
        Component.STORAGE, version("4.2"), version("6.2"), guest_family=GuestFamily.LINUX
    )
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
            "family": draw(st.sampled_from([GuestFamily.LINUX, GuestFamily.WINDOWS])),
        }
        rows.append(
            Implementation.model_validate(
                {**row, "offers": offers, "may_offer": may, **_fact(draw(st.sampled_from(Certainty)))}
            )
        )
    return ProtocolTable(
        [HostVersion.model_validate({"component": "storage", "version": v, **_fact()}) for v in hosts], rows
    )


@given(tables(), st.sampled_from([None, GuestFamily.LINUX, GuestFamily.WINDOWS]), st.data())
def test_proof_means_that_every_guest_that_can_have_sent_the_offer_has_a_way_out(
    table: ProtocolTable, family: GuestFamily | None, data: st.DataObject
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
        and (family is not None or any(row.family == GuestFamily.WINDOWS for row in table.implementations))
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
    assert found.families[0] == GuestFamily.LINUX
    assert GuestFamily.WINDOWS not in found.families
    assert len(found.lines) == 2


def test_display_3_5_with_data_exchange_4_0_is_linux() -> None:
    found = TABLE.infer_guest_family(_seen(display="3.5", data_exchange="4.0"), expected=KVP_5)
    assert found is not None
    assert found.families == (GuestFamily.LINUX,)


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
        assert GuestFamily.WINDOWS not in row.families
        # Windows with these devices has what the host expects, and would have negotiated it.
        kvp = next(
            r
            for r in TABLE.offers(Component.DATA_EXCHANGE, GuestFamily.WINDOWS)
            if version("5.0") in r.offers
        )
        assert row.expected[Component.DATA_EXCHANGE] in kvp.offers
