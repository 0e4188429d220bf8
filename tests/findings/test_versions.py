"""Event, verdict, annotation, frame and page carry the same versions of guest and host."""

from __future__ import annotations

import pytest

import hvdegraded as hv
from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.vocabulary import Component, ProtocolVersion, VersionPair
from hvdegraded.records.record import EventRecord
from tests.tools.sample_logs import winlogbeat
from tests.tools.verdict_cases import device, guests, integration, storvsp

parse = ProtocolVersion.parse


@pytest.mark.parametrize(
    ("record", "guest", "host"),
    [
        (integration(), "4.0", "5.0"),  # KVP of Linux; the framework is equal
        (
            integration("-Heartbeat", versions=("1.0", "3.0", "3.0", "3.0")),
            "1.0",
            "3.0",
        ),  # the framework differs
        (storvsp(6, "6.0", "5.1"), "5.1", "6.0"),
        (device(23014, "3.3", "3.2"), "3.2", "3.3"),
    ],
)
def test_event_verdict_annotation_frame_and_page_carry_the_same_versions(
    record: EventRecord, guest: str, host: str
) -> None:
    event = hv.normalise(record)
    assert isinstance(event, VersionEvent)
    pairs = event.version_pairs
    verdict = hv.classify(event, guests("linux"))
    assert verdict.version_pairs == pairs
    assert (verdict.versions.guest, verdict.versions.host) == (parse(guest), parse(host))

    added = hv.annotate(winlogbeat(record), guests=guests("linux"))["hvdegraded"]
    assert (added["guest_version"], added["host_version"]) == (guest, host)
    assert [VersionPair.model_validate(pair) for pair in added["version_pairs"]] == list(pairs)

    found = hv.triage([record], guests=guests("linux"))
    row = found.to_arrow().to_pylist()[0]
    assert (row["guest_version"], row["host_version"]) == (guest, host)
    assert f"{guest} | {host}" in found.to_html()


def test_an_integration_4010_carries_framework_and_message() -> None:
    event = hv.normalise(integration())
    assert isinstance(event, VersionEvent)
    assert event.version_pairs == (
        VersionPair(
            component=Component.INTEGRATION,
            guest=parse("3.0"),
            host=parse("3.0"),
            service=Component.DATA_EXCHANGE,
        ),
        VersionPair(component=Component.DATA_EXCHANGE, guest=parse("4.0"), host=parse("5.0")),
    )
