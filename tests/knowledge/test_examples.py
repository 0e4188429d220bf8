"""Every row of the knowledge files carries a source and an example that runs here; none passes without."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from hvdegraded.events import IntegrationVersionEvent, VersionEvent
from hvdegraded.events.normaliser import normalise
from hvdegraded.guests.console_status import console_status
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.knowledge.facts import (
    GuestFingerprint,
    HostVersion,
    Implementation,
    MessagePattern,
    ProviderFact,
)
from hvdegraded.knowledge.guest_systems import (
    family_from_integration,
    family_from_version,
    is_blank,
    read_os,
    windows_release,
    windows_remedy,
)
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Certainty, Component, GuestFamily, Outcome, ProtocolVersion
from hvdegraded.records.record import EventRecord
from hvdegraded.verdicts.classifier import classify
from hvdegraded.verdicts.verdict import Label, Reason
from tests.tools.event_examples import EXAMPLES, Example
from tests.tools.verdict_cases import HV, ID, VM, device, integration, network, record, storvsp, unnamed

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.protocols


def rows(file: str, table: str) -> list[dict[str, Any]]:
    text = files("hvdegraded.knowledge").joinpath(file).read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)[table]
    assert found
    return found


def name_of(row: object) -> str:
    if isinstance(row, dict):
        return " ".join(
            str(row.get(key)) for key in ("subject", "role", "name", "component", "value", "example")
        )[:60]
    return repr(row)[:60]


FILES = {
    "providers.toml": ("provider",),
    "messages.toml": ("message", "device"),
    "protocols.toml": ("version", "implementation", "fingerprint"),
    "guests.toml": ("os", "denial", "hint", "version", "release", "blank", "integration", "column", "remedy"),
    "console.toml": ("number", "text", "service"),
}
# These are examples themselves: a code, a name, versions.
OWN_EXAMPLES = {"device", "fingerprint"}


@pytest.mark.parametrize("file", FILES)
def test_every_row_has_a_source_a_certainty_and_an_example(file: str) -> None:
    text = files("hvdegraded.knowledge").joinpath(file).read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == set(FILES[file])
    for table in FILES[file]:
        for row in rows(file, table):
            assert row["source"], row
            assert row["certainty"] in list(Certainty), row
            assert table in OWN_EXAMPLES or row["example"], row


# ------------------------------------------------------------------ events


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.provider} {example.event_id}")
def test_example_of_an_event_gets_its_verdict(example: Example) -> None:
    event = normalise(example.record)
    assert event.known
    verdict = classify(event)
    assert verdict.reason == example.verdict
    row = KNOWLEDGE.event(example.provider, example.event_id)
    assert row is not None
    assert set(row.references) <= set(verdict.references)
    for text in example.summary:
        assert text in verdict.summary
    if row.outcome is None:
        assert verdict.label is Label.ACTIONABLE
        vms = [text for name, text in example.record.data if (name or "").lower() in ("vmname", "parameter0")]
        if vms and "VmName" in row.fields:
            assert event.vm_name == vms[0]
        return
    assert isinstance(event, VersionEvent)
    assert event.outcome is row.outcome
    assert not event.contradictions
    assert not event.unplaced
    if row.outcome is Outcome.LOADED:
        windows = GuestInventory.load([{"Name": event.vm_name, "OS": "Windows Server 2012"}])
        assert classify(event, windows).reason is Reason.LOADED_WINDOWS


@pytest.mark.parametrize("row", KNOWLEDGE.messages, ids=lambda row: row.name)
def test_example_of_a_message(row: MessagePattern) -> None:
    (match,) = re.finditer(row.pattern, row.example, re.IGNORECASE | re.ASCII)
    assert all(match.groupdict().values())


def test_codes_and_devices_are_told_in_events() -> None:
    for code in KNOWLEDGE.codes.values():
        event = record(HV + "VMMS", 19100, 2, (("ErrorMessage", f"%%{code.code}"),))
        if code.code >> 28 in (0x8, 0xC):
            assert code.meaning in classify(event).summary
    for row in KNOWLEDGE.devices:
        found = normalise(device(23014, "3.3", "3.2", name=row.name.upper()))
        assert isinstance(found, VersionEvent)
        assert found.component is row.component


# ------------------------------------------------------------------ providers.toml


@pytest.mark.parametrize("row", KNOWLEDGE.providers, ids=lambda row: row.name)
def test_example_of_a_provider(row: ProviderFact) -> None:
    assert row.example is not None
    example = EventRecord(provider=row.example.provider, event_id=row.example.event_id, level=2)
    assert KNOWLEDGE.provider(row.example.provider) is row
    names = [example, example._replace(provider="X", event_source=row.name)]
    if row.guid:
        names.append(example._replace(provider="", provider_guid=row.guid))
    for named in names:
        event = normalise(named)
        assert event.family is row.family
        assert event.known == (KNOWLEDGE.event(row.name, row.example.event_id) is not None)


# ------------------------------------------------------------------ protocols.toml

SERVICES = {
    Component.DATA_EXCHANGE: "-KvpExchange",
    Component.HEARTBEAT: "-Heartbeat",
    Component.SHUTDOWN: "-Shutdown",
    Component.TIME_SYNC: "-TimeSync",
    Component.BACKUP: "-VSS",
    Component.REMOTE_DESKTOP: "-RDV",
}


def pair(component: Component, server: str, client: str) -> EventRecord | None:
    """An event that tells both versions of a component; None where no known event does."""
    if component is Component.STORAGE:
        return storvsp(6, server, client)
    if component is Component.NETWORK:
        return network(27, server, client)
    if component is Component.DISPLAY:
        return device(23014, server, client)
    if component is Component.VMBUS:
        return record("vmbus", 3, 2, unnamed("", "3", client, server))
    if component is Component.INTEGRATION:
        return integration("-Shutdown", versions=(client, server, "3.0", "3.0"))
    if component in SERVICES:
        return integration(SERVICES[component], versions=("3.0", "3.0", client, server))
    return None


def spoken(
    event: EventRecord | None, component: Component
) -> tuple[ProtocolVersion | None, ProtocolVersion | None]:
    assert event is not None
    found = normalise(event)
    assert isinstance(found, VersionEvent)
    if isinstance(found, IntegrationVersionEvent) and component is Component.INTEGRATION:
        return found.version_pairs[0].host, found.version_pairs[0].guest
    assert found.component is component
    return found.versions.host, found.versions.guest


@pytest.mark.parametrize("row", TABLE.versions, ids=lambda row: f"{row.component} {row.version}")
def test_example_of_a_hosts_version(row: HostVersion) -> None:
    assert ProtocolVersion.parse(row.example, row.component) == row.version
    event = pair(row.component, row.example, "0.1")
    if event is not None:
        server, _ = spoken(event, row.component)
        assert server == row.version
        assert set(row.hosts) == set(TABLE.host_releases(row.component, row.version))
        assert all(host in TABLE.describe_host(row.component, row.version) for host in row.hosts)


@pytest.mark.parametrize("row", TABLE.implementations, ids=lambda row: f"{row.component} {row.label}")
def test_example_of_an_implementation(row: Implementation) -> None:
    sent = ProtocolVersion.parse(row.example, row.component)
    event = pair(row.component, "65535.0", row.example)
    if event is not None and row.component is not Component.STORAGE:
        assert spoken(event, row.component)[1] == sent
    if row.newest is None:
        assert TABLE.cannot_speak(row.family, row.component, sent)
        return
    assert row.may_have_sent(sent)
    assert row in TABLE.speakers(row.component, sent)
    assert not TABLE.cannot_speak(row.family, row.component, sent)
    assert row.newest is not None
    assert row.name in TABLE.describe_client(row.component, row.newest)


@pytest.mark.parametrize("row", TABLE.fingerprints, ids=lambda row: " ".join(row.seen))
def test_example_of_what_gives_a_guest_away(row: GuestFingerprint) -> None:
    found = TABLE.infer_guest_family(
        {component: frozenset({version}) for component, version in row.seen.items()},
        expected={component: frozenset({version}) for component, version in row.expected.items()},
    )
    assert found is not None
    assert found.families == row.families


# ------------------------------------------------------------------ guests.toml


@pytest.mark.parametrize("row", rows("guests.toml", "os"), ids=name_of)
def test_example_of_a_system(row: dict[str, Any]) -> None:
    assert read_os(row["example"]).family == row["family"]
    assert any(word in row["example"].casefold() for word in (*row["words"], *row.get("anywhere", ())))


def test_examples_of_other_guest_rows() -> None:
    for row in rows("guests.toml", "denial"):
        assert read_os(row["example"]).family is GuestFamily.UNKNOWN
    for row in rows("guests.toml", "hint"):
        reading = read_os(row["example"])
        assert reading.family is GuestFamily.UNKNOWN
        assert reading.possible == {row["family"]}
        assert read_os(f"{row['example']} Debian").family is GuestFamily.UNKNOWN
    for row in rows("guests.toml", "version"):
        assert family_from_version(row["example"]) == row["family"]
    for row in rows("guests.toml", "blank"):
        assert is_blank(row["example"])
    for row in rows("guests.toml", "release"):
        assert windows_release(row["example"]) == row["name"]
    for row in rows("guests.toml", "integration"):
        assert family_from_integration(row["example"]) == row["family"]
    for row in rows("guests.toml", "remedy"):
        assert windows_remedy(row["example"]) == row["text"]


@pytest.mark.parametrize("row", rows("guests.toml", "column"), ids=name_of)
def test_example_of_a_column(row: dict[str, Any]) -> None:
    attributes = {
        "name": "name", "id": "vm_id", "host": "host", "system": "os_name", "version": "os_version",
        "integration": "integration_version", "items": "os_name",
        "taken": "taken",
    }  # fmt: skip
    ((key, value),) = row["example"].items()
    assert key in row["names"]
    wanted = value["OSName"] if isinstance(value, dict) else value
    wanted = datetime.fromisoformat(value) if row["role"] == "taken" else wanted
    system = {} if row["role"] in ("system", "items") else {"OS": "NetBSD"}
    for name in row["names"]:
        others = {"Generation": 2} if row["role"] == "name" else {"VM": "web09"}
        (guest,) = GuestInventory.load([system | others | {name.upper(): value}])
        assert getattr(guest, attributes[row["role"]]) == wanted, name


# ------------------------------------------------------------------ console.toml


@pytest.mark.parametrize("row", rows("console.toml", "number"), ids=name_of)
def test_example_of_a_status_number(row: dict[str, Any]) -> None:
    found = console_status(row["example"])
    assert found is not None
    assert (found.subject, found.state) == (row["subject"], row["state"])
    assert row["meaning"] in found.meanings
    assert row["value"] in found.numbers


@pytest.mark.parametrize("row", rows("console.toml", "text"), ids=name_of)
def test_example_of_a_status_text(row: dict[str, Any]) -> None:
    found = console_status(row["example"])
    assert found is not None
    assert found.state == row["state"]
    assert row["meaning"] in found.meanings
    assert found.numbers == ()


@pytest.mark.parametrize("row", rows("console.toml", "service"), ids=name_of)
def test_example_of_a_service(row: dict[str, Any]) -> None:
    found = console_status(row["example"])
    assert found is not None
    assert found.component == row["component"]
    assert found.vm_id or found.vm_name == VM
    for name in row.get("names", ()):
        by_name = console_status({"VMName": VM, "VMId": ID, "Name": name, "PrimaryOperationalStatus": 2})
        assert by_name is not None
        assert by_name.component == row["component"]
