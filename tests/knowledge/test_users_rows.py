"""Rows of a user: what they may change, and what is refused with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hvdegraded.knowledge
from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.loader import load
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.knowledge.vocabulary import Outcome, Role

KNOWLEDGE = load_knowledge()

HYPER_V = "Microsoft-Windows-Hyper-V-"
FOLDER = Path(hvdegraded.knowledge.__file__).parent

EXAMPLE = 'example = { level = 2, data = [["VmName", "web01"]] }'

ROW = f"""
[[event]]
providers = ["{HYPER_V}VMMS"]
ids = [65001]
role = "problem"
meaning = "Our own check failed."
source = "our runbook"
certainty = "verified"
{EXAMPLE}
"""


def test_a_user_adds_a_provider_with_events() -> None:
    text = f"""
[[provider]]
name = "AcmeBackup"
family = "vmms"
source = "Acme manual"
certainty = "verified"

[[event]]
providers = ["acmebackup"]
ids = [7]
role = "watch"
meaning = "Acme waited for a checkpoint."
source = "Acme manual"
certainty = "verified"
{EXAMPLE}
"""
    own = KNOWLEDGE.extended(text)
    row = own.event("ACMEBACKUP", 7)
    assert row is not None
    assert row.role is Role.WATCH
    assert own.provider_filter().matches("AcmeBackup")
    assert KNOWLEDGE.event("AcmeBackup", 7) is None  # the library's own facts stay as they are
    assert len(own.events) == len(KNOWLEDGE.events) + 1


def test_a_user_file_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ROW.replace("\n", "\r\n").encode())
    for source in (path, str(path)):
        assert KNOWLEDGE.extended(source).event(HYPER_V + "VMMS", 65001) is not None


def test_an_empty_user_text_changes_nothing() -> None:
    assert KNOWLEDGE.extended("").events == KNOWLEDGE.events


def test_a_user_changes_words_of_one_known_event() -> None:
    text = f"""
[[override]]
providers = ["{HYPER_V}Integration-VSS"]
ids = [4010]
remedy = "Ask the backup team."
"""
    own = KNOWLEDGE.extended(text)
    changed, other = (
        own.event(HYPER_V + "Integration-VSS", 4010),
        own.event(HYPER_V + "Integration-RDV", 4010),
    )
    assert changed is not None
    assert changed.remedy == "Ask the backup team."
    assert changed.outcome is Outcome.LOADED
    assert other is not None
    assert other.remedy != changed.remedy


def test_a_user_makes_a_version_event_a_problem_without_force() -> None:
    own = KNOWLEDGE.extended('[[override]]\nproviders = ["storvsp"]\nids = [6]\nrole = "problem"\n')
    row = own.event("storvsp", 6)
    assert row is not None
    assert (row.role, row.outcome) == (Role.PROBLEM, None)


LOADED = 'role = "version"\noutcome = "loaded"\ncomponent = "storage"'


@pytest.mark.parametrize(
    "text",
    [
        ROW.replace('role = "problem"', LOADED),
        ROW.replace('role = "problem"', LOADED.replace("loaded", "refused")),
        f'[[override]]\nproviders = ["{HYPER_V}StorageVSP"]\nids = [6]\n{LOADED}\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\noutcome = "loaded"\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\ncomponent = "network"\n',
        '[[override]]\nproviders = ["storvsp"]\nids = [5]\nfields = ["ClientVersion", "ServerVersion"]\n',
        '[[override]]\nproviders = ["VMSMP"]\nids = [27]\ncertainty = "verified"\n',
    ],
)
def test_what_could_make_more_ignorable_needs_the_word_force(text: str) -> None:
    with pytest.raises(KnowledgeError, match="force = true") as caught:
        KNOWLEDGE.extended(text)
    assert caught.value.line is not None
    forced = KNOWLEDGE.extended(text.replace("\nids =", "\nforce = true\nids ="))
    assert sum(row.forced for row in forced.events) == 1


def test_force_does_not_come_by_another_word() -> None:
    with pytest.raises(KnowledgeError, match="force = true"):
        KNOWLEDGE.extended(ROW.replace('role = "problem"', LOADED + "\nforced = true"))
    with pytest.raises(KnowledgeError, match="true or false"):
        KNOWLEDGE.extended(ROW.replace('role = "problem"', LOADED + '\nforce = "yes"'))


@pytest.mark.parametrize(
    ("text", "place", "match"),
    [
        ("a = \n", (1, 5), "not TOML"),
        ("x = 1\n[[event]]\nids = [1\n", (4, 1), "not TOML"),
        ("[[version]]\n", (1, 1), "no list of tables"),
        ("\n\n[event]\nids = [1]\n", (3, 1), "no list of tables"),
        (ROW.replace("65001", '"many"'), (4, 1), "'ids.0'"),
        (ROW.replace("65001", "65536"), (4, 1), "'ids.0'"),
        (ROW.replace("65001", "true"), (4, 1), "'ids.0'"),
        ('[[override]]\nids = [true]\nproviders = ["storvsp"]\n', (2, 1), "needs a list 'ids'"),
        (ROW.replace("[65001]", "[]"), (4, 1), "'ids'"),
        (ROW.replace('role = "problem"', '   role = "harmless"'), (5, 4), "'role'"),
        (ROW.replace('source = "our runbook"\n', ""), (2, 1), "'source'"),
        (ROW.replace('"our runbook"', '""'), (7, 1), "'source'"),
        (ROW.replace(EXAMPLE, ""), (2, 1), "'example'"),
        (ROW.replace("level = 2", 'level = "bad"'), (9, 1), "'example.level'"),
        (ROW.replace(EXAMPLE, "[event.example]\nlevels = 2"), (9, 1), "'example"),
        (ROW + ROW.replace("certainty", "certainity").replace("65001", "65002"), (17, 1), "'certainity'"),
        (ROW.replace(HYPER_V + "VMMS", "Nobody"), (3, 1), "no row describes the provider Nobody"),
        (ROW + ROW, (13, 1), "another row describes"),
        (ROW.replace("65001", "13002"), (4, 1), "another row describes"),
        (
            ROW.replace(f'["{HYPER_V}VMMS"]', f'["storvsp", "{HYPER_V}StorVSP"]'),
            (4, 1),
            "another row describes",
        ),
        ('[[override]]\nids = [1]\nproviders = ["storvsp"]\n', (2, 1), "no row describes storvsp 1"),
        ('[[override]]\nproviders = ["storvsp"]\n', (1, 1), "needs a list 'ids'"),
        ('[[override]]\nproviders = "storvsp"\nids = [5]\n', (2, 1), "needs a list 'providers'"),
        ('[[override]]\nids = [5]\nproviders = ["storvsp"]\nrol = "x"\n', (4, 1), "'rol'"),
        (
            '[[provider]]\nname = "STORVSP"\nfamily = "storvsp"\nsource = "x"\ncertainty = "verified"\n',
            (2, 1),
            "taken by another row",
        ),
        (
            (
                '[[provider]]\nname = "x"\naliases = ["vmbus"]\nfamily = "vid"\n'
                'source = "x"\ncertainty = "verified"\n'
            ),
            (2, 1),
            "taken by another row",
        ),
        (
            '[[provider]]\nname = "x"\nfamily = "toaster"\nsource = "x"\ncertainty = "verified"\n',
            (3, 1),
            "'family'",
        ),
        ("event = [{ids = [1]}]\n", (1, 1), "'source'"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(text: str, place: tuple[int, int], match: str) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(match)) as caught:
        KNOWLEDGE.extended(text)
    assert (caught.value.line, caught.value.column) == place


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ROW.replace("65001", "-1"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        KNOWLEDGE.extended(path)
    assert str(caught.value).startswith(f"{path}:4:1: ")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"# one\n# \xe9t\xe9\n")
    with pytest.raises(KnowledgeError, match="UTF-8") as caught:
        KNOWLEDGE.extended(path)
    assert (caught.value.line, caught.value.column) == (2, 3)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KnowledgeError, match="cannot be opened"):
        KNOWLEDGE.extended(tmp_path / name)


def test_a_number_of_too_many_digits_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="not TOML"):
        KNOWLEDGE.extended("[[event]]\nids = [" + "9" * 10_000 + "]\n")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(KnowledgeError):
        KNOWLEDGE.extended("\na = " + "[" * 100_000)


@given(st.text(max_size=200))
def test_any_text_is_knowledge_or_refused(text: str) -> None:
    try:
        own = KNOWLEDGE.extended(text + "\n")
    except KnowledgeError:
        return
    assert isinstance(own, Knowledge)


def test_a_row_without_source_or_example_in_our_own_files_is_refused(tmp_path: Path) -> None:
    for name in ("providers.toml", "protocols.toml"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    text = (FOLDER / "events.toml").read_text(encoding="utf-8")
    (tmp_path / "events.toml").write_text(text, encoding="utf-8")
    assert len(load(tmp_path).events) == len(KNOWLEDGE.events)
    cut = text.replace('source = "KB 972108"\n', "", 1)
    (tmp_path / "events.toml").write_text(cut, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="'source'"):
        load(tmp_path)
