"""Every row of the package's tables, made with and without checks: the same values, of the same types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import hvdegraded.knowledge
from hvdegraded.guests.console_status import NumberFact, ServiceFact, TextFact
from hvdegraded.knowledge import guest_systems
from hvdegraded.knowledge.facts import (
    ChannelFact,
    CodeFact,
    DeviceFact,
    EventFact,
    GuestFingerprint,
    HostVersion,
    Implementation,
    MessagePattern,
    ProviderFact,
)
from hvdegraded.knowledge.rows import code_rows, event_rows, package_file, with_named_sources
from hvdegraded.knowledge.trusted_rows import trusted_row

MODELS: dict[str, dict[str, type[BaseModel]]] = {
    "channels.toml": {"channel": ChannelFact},
    "console.toml": {"number": NumberFact, "text": TextFact, "service": ServiceFact},
    "guests.toml": {
        "blank": guest_systems.BlankFact,
        "column": guest_systems.ColumnFact,
        "denial": guest_systems.DenialFact,
        "hint": guest_systems.HintFact,
        "integration": guest_systems.IntegrationFact,
        "os": guest_systems.OsFact,
        "release": guest_systems.ReleaseFact,
        "remedy": guest_systems.RemedyFact,
        "version": guest_systems.VersionFact,
    },
    "messages.toml": {"device": DeviceFact, "message": MessagePattern},
    "protocols.toml": {
        "fingerprint": GuestFingerprint,
        "implementation": Implementation,
        "version": HostVersion,
    },
    "providers.toml": {"provider": ProviderFact},
}
FOLDER = Path(hvdegraded.knowledge.__file__).parent
LISTS = [path.name for path in FOLDER.glob("*.toml") if "[[" in path.read_text(encoding="utf-8")]
EVENTS = [f"events/{path.name}" for path in FOLDER.glob("events/*.toml")]


def rows(name: str) -> Iterator[tuple[type[BaseModel], Mapping[str, Any]]]:
    file = package_file(name)
    if name in EVENTS:
        for row in event_rows(file):
            yield EventFact, row.resolved()
    elif name == "codes.toml":
        for _, _, values in code_rows(file):
            yield CodeFact, with_named_sources(values)
    else:
        for heading in file.content:
            for entry in file.listed(heading):
                yield MODELS[name][heading], with_named_sources(entry.values)


@pytest.mark.parametrize("name", [*sorted(LISTS), "codes.toml", *sorted(EVENTS)])
def test_a_row_is_the_same_with_and_without_checks(name: str) -> None:
    given = list(rows(name))
    assert given
    for model, values in given:
        checked, trusted = model.model_validate(values), trusted_row(model, values)
        assert trusted == checked
        assert repr(trusted) == repr(checked)  # a name and its member are equal, and so are kinds of numbers


def test_a_row_without_checks_has_no_key_that_is_not_known() -> None:
    _, values = next(rows("providers.toml"))
    with pytest.raises(KeyError, match="colour"):
        trusted_row(ProviderFact, {**values, "colour": "red"})
