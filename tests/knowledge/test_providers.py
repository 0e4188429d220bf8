"""How a provider is found, and which are alike but apart."""

from __future__ import annotations

import pytest

from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Component, Family

KNOWLEDGE = load_knowledge()

HYPER_V = "Microsoft-Windows-Hyper-V-"

INTEGRATION = ["Integration"] + [
    f"Integration-{name}" for name in ("KvpExchange", "Heartbeat", "Shutdown", "TimeSync", "VSS", "RDV")
]


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("storvsp", "storvsp"),
        ("STORVSP", "storvsp"),
        ("microsoft-windows-hyper-v-storvsp", "storvsp"),
        ("vmsmp", "VMSMP"),
        ("vmbusr", "vmbusr"),
        ("microsoft-windows-hyper-v-vmms", HYPER_V + "VMMS"),
        ("51ddfa29-d5c8-4803-be4b-2ecb715570fe", HYPER_V + "Worker"),
        ("{6066F867-7CA1-4418-85FD-36E3F9C0600C}", HYPER_V + "VMMS"),
        ("{10b3d268-9782-49a4-aacc-a93c5482cb6f}", HYPER_V + "StorageVSP"),
    ],
)
def test_a_provider_is_found_by_name_alias_and_guid(name: str, canonical: str) -> None:
    found = KNOWLEDGE.provider(name)
    assert found is not None
    assert found.name == canonical


@pytest.mark.parametrize("name", ["", "disk", "stor", "storvsp2", HYPER_V, "{}"])
def test_other_providers_are_unknown(name: str) -> None:
    assert KNOWLEDGE.provider(name) is None
    assert KNOWLEDGE.event(name, 5) is None


def test_providers_that_look_alike_stay_apart() -> None:
    assert KNOWLEDGE.provider("netvsc") != KNOWLEDGE.provider(HYPER_V + "Netvsc")
    assert KNOWLEDGE.provider("storvsp") != KNOWLEDGE.provider(HYPER_V + "StorageVSP")
    assert KNOWLEDGE.provider("VMSMP") != KNOWLEDGE.provider(HYPER_V + "VmSwitch")


def test_integration_providers_know_their_service() -> None:
    components = {}
    for name in INTEGRATION:
        row = KNOWLEDGE.provider(HYPER_V + name)
        assert row is not None
        assert row.family is Family.INTEGRATION
        components[name.removeprefix("Integration-")] = row.component
    assert components == {
        "Integration": None,
        "KvpExchange": Component.DATA_EXCHANGE,
        "Heartbeat": Component.HEARTBEAT,
        "Shutdown": Component.SHUTDOWN,
        "TimeSync": Component.TIME_SYNC,
        "VSS": Component.BACKUP,
        "RDV": Component.REMOTE_DESKTOP,
    }


def test_the_filter_takes_every_known_provider_and_no_other() -> None:
    wanted = KNOWLEDGE.provider_filter()
    for row in KNOWLEDGE.providers:
        for name in (row.name, row.name.upper(), *row.aliases):
            assert wanted.matches(name)
    assert wanted.matches(HYPER_V + "Compute")
    assert not wanted.matches("disk")
    assert wanted.marks == ("Hyper-V", "failoverclustering", "vhdmp")
    assert wanted.matches("Hyper-V-VMMS")
    assert all(prefix == prefix.lower() for prefix in wanted.prefixes)


def test_every_family_has_a_provider() -> None:
    assert {row.family for row in KNOWLEDGE.providers} == set(Family)
