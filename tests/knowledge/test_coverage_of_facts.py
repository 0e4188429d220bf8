"""What public sources know of a host's events is in the tables, and no row contradicts them."""

from __future__ import annotations

import pytest

from hvdegraded.events.field_mapping import field_key
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.knowledge.vocabulary import Role
from tests.tools.corpus import ROOT
from tests.tools.coverage_of_facts import PAIRS, coverage, table

KNOWLEDGE = load_knowledge()
CLUSTER = "Microsoft-Windows-FailoverClustering"
# What a manifest calls otherwise than the rules about versions do, which read fields by their meaning.
OTHER_NAMES = {"devicename": "device"}


def test_nearly_all_events_of_public_sources_are_known_with_an_answer() -> None:
    found = [row for row in coverage(KNOWLEDGE) if row.provider != CLUSTER]
    pairs, answered = sum(row.pairs for row in found), sum(row.answered for row in found)
    assert answered >= 0.95 * pairs


def test_of_the_cluster_the_events_about_vms_storage_and_networks_are_known() -> None:
    for number in (1069, 1135, 1146, 1205, 1230, 1254, 1255, 5120, 5121, 5125, 5142, 5150):
        assert KNOWLEDGE.event(CLUSTER, number) is not None


@pytest.mark.parametrize("provider", dict.fromkeys(pair.provider for pair in PAIRS))
def test_no_row_contradicts_a_manifest(provider: str) -> None:
    for pair in (pair for pair in PAIRS if pair.provider == provider):
        row = KNOWLEDGE.event(provider, pair.event_id)
        if row is None:
            continue
        if pair.level and row.level:
            assert row.level.name.lower() == pair.level, pair
        if pair.presumed:
            assert row.level is None, pair
        wanted = [OTHER_NAMES.get(field_key(name), field_key(name)) for name in pair.fields]
        given = [OTHER_NAMES.get(field_key(name), field_key(name)) for name in row.fields]
        if wanted and given:
            assert given == wanted[: len(given)], pair


def test_a_row_that_asks_for_something_says_what() -> None:
    for row in KNOWLEDGE.events:
        if row.role in (Role.PROBLEM, Role.WATCH):
            assert row.remedy, (row.providers, row.event_id)
        assert row.source
        assert row.certainty


def test_the_page_shows_the_table_of_today() -> None:
    page = (ROOT / "hvdegraded" / "docs" / "known_events.md").read_text(encoding="utf-8")
    assert table(KNOWLEDGE) in page
