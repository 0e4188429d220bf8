"""A user's rows: laid over the known ones, or refused with file, line and column."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.tables import Knowledge, load_knowledge
from hvdegraded.knowledge.vocabulary import Outcome, Role

KNOWLEDGE = load_knowledge()
HYPER_V = "Microsoft-Windows-Hyper-V-"
ROW = f"""
[{HYPER_V}VMMS.65001]
role = "problem"
meaning = "Our own check failed."
remedy = "Call us."
source = "our runbook"
certainty = "verified"
"""
PROVIDER = '[[provider]]\nname = "{name}"\nfamily = "vmms"\nsource = "x"\ncertainty = "verified"\n'


def test_three_lines_add_an_event_where_the_file_names_the_rest() -> None:
    top = f'provider = "{HYPER_V}VMMS"\nsource = "our wiki"\ncertainty = "verified"\n'
    own = KNOWLEDGE.extended(
        top + '[41010]\nrole = "information"\nmeaning = "The nightly export has begun."\n'
    )
    row = own.event(HYPER_V + "vmms", 41010)
    assert row is not None
    assert (row.role, row.meaning) == (Role.INFORMATION, "The nightly export has begun.")
    assert row.references == ("our wiki",)


def test_a_user_adds_a_provider_with_events() -> None:
    text = PROVIDER.format(name="AcmeBackup") + ROW.replace(f"{HYPER_V}VMMS.65001", "acmebackup.7")
    own = KNOWLEDGE.extended(text)
    row = own.event("ACMEBACKUP", 7)
    assert row is not None
    assert row.role is Role.PROBLEM
    assert own.provider_filter().matches("AcmeBackup")
    assert KNOWLEDGE.event("AcmeBackup", 7) is None  # the library's own facts stay as they are
    assert len(own.events) == len(KNOWLEDGE.events) + 1


def test_one_row_may_name_several_events() -> None:
    text = (
        f'[[event]]\nproviders = ["{HYPER_V}VMMS", "{HYPER_V}Worker"]\nids = [65001, 65002]\nrole = "watch"\n'
        'meaning = "Ours."\nremedy = "Look."\nsource = "us"\ncertainty = "verified"\n'
    )
    own = KNOWLEDGE.extended(text)
    for provider in ("VMMS", "Worker"):
        for number in (65001, 65002):
            assert own.event(HYPER_V + provider, number) is not None


def test_a_row_takes_what_another_says() -> None:
    own = KNOWLEDGE.extended(ROW + f'\n[{HYPER_V}VMMS.65002]\nlike = 65001\nremedy = "Wait."\n')
    row = own.event(HYPER_V + "VMMS", 65002)
    assert row is not None
    assert (row.meaning, row.remedy) == ("Our own check failed.", "Wait.")


def test_a_remedy_depends_on_a_code_or_a_field() -> None:
    case = 'cases = [\n{ codes = [0x80070005], remedy = "Rights." },\n'
    case += '{ field = "Device", contains = ["GPU"], remedy = "Take the GPU away." }]\n'
    row = KNOWLEDGE.extended(ROW + case).event(HYPER_V + "VMMS", 65001)
    assert row is not None
    by_code, by_field = row.cases
    assert by_code.applies({0x80070005}, None)
    assert not by_code.applies({0x80070020}, None)
    assert by_field.applies((), "Virtual gpu partition")
    assert not by_field.applies((), None)


def test_a_user_names_a_code() -> None:
    own = KNOWLEDGE.extended('[codes.0x80071234]\nmeaning = "ours"\nsource = "us"\ncertainty = "verified"\n')
    found = own.code(0x80071234)
    assert found is not None
    assert found.meaning == "ours"
    assert KNOWLEDGE.code(0x80071234) is None


def test_a_user_file_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ROW.replace("\n", "\r\n").encode())
    for source in (path, str(path)):
        assert KNOWLEDGE.extended(source).event(HYPER_V + "VMMS", 65001) is not None


def test_knowledge_with_rows_of_a_user_goes_to_another_process() -> None:
    own = pickle.loads(pickle.dumps(KNOWLEDGE.extended(ROW)))
    assert own.event(HYPER_V + "VMMS", 65001) == KNOWLEDGE.extended(ROW).event(HYPER_V + "VMMS", 65001)
    assert own.event("storvsp", 6) == KNOWLEDGE.event("storvsp", 6)


def test_an_empty_user_text_changes_nothing() -> None:
    assert KNOWLEDGE.extended("").events == KNOWLEDGE.events


def test_a_user_changes_words_of_one_known_event() -> None:
    own = KNOWLEDGE.extended(f'[{HYPER_V}Integration-VSS.4010]\nremedy = "Ask the backup team."\n')
    changed = own.event(HYPER_V + "Integration-VSS", 4010)
    other = own.event(HYPER_V + "Integration-RDV", 4010)
    assert changed is not None
    assert other is not None
    assert changed.remedy == "Ask the backup team."
    assert changed.outcome is Outcome.LOADED
    assert other.remedy != changed.remedy


def test_defaults_of_a_file_do_not_change_what_is_known() -> None:
    known = KNOWLEDGE.event("storvsp", 6)
    own = KNOWLEDGE.extended('provider = "storvsp"\nfields = ["X"]\nsource = "us"\n[6]\nremedy = "Ask us."\n')
    changed = own.event("storvsp", 6)
    assert changed is not None
    assert known is not None
    assert (changed.fields, changed.source, changed.remedy) == (known.fields, known.source, "Ask us.")


def test_a_user_describes_a_known_provider_again() -> None:
    own = KNOWLEDGE.extended(PROVIDER.format(name="STORVSP") + '[storvsp.6]\nremedy = "Ask us."\n')
    row = own.event("storvsp", 6)
    assert row is not None
    assert row.remedy == "Ask us."


def test_a_user_makes_a_version_event_a_problem_without_force() -> None:
    row = KNOWLEDGE.extended('[storvsp.6]\nrole = "problem"\n').event("storvsp", 6)
    assert row is not None
    assert (row.role, row.outcome) == (Role.PROBLEM, None)


LOADED = 'role = "version"\noutcome = "loaded"\ncomponent = "storage"'


@pytest.mark.parametrize(
    "text",
    [
        ROW.replace('role = "problem"', LOADED),
        ROW.replace('role = "problem"', LOADED.replace("loaded", "refused")),
        f"[{HYPER_V}StorageVSP.6]\n{LOADED}\n",
        f'provider = "{HYPER_V}StorageVSP"\n[6]\n{LOADED}\n',
        f'[[event]]\nproviders = ["{HYPER_V}StorageVSP"]\nids = [6]\n{LOADED}\n',
        f"[{HYPER_V}StorageVSP.65001]\nlike = 6\n[{HYPER_V}StorageVSP.6]\n{LOADED}\n",
        '[storvsp.5]\noutcome = "loaded"\n',
        '[storvsp.5]\ncomponent = "network"\n',
        '[storvsp.5]\nfields = ["ClientVersion", "ServerVersion"]\n',
        '[VMSMP.27]\ncertainty = "verified"\n',
    ],
)
def test_what_could_make_more_ignorable_needs_the_word_force(text: str) -> None:
    if "like" in text:
        with pytest.raises(KnowledgeError, match="no row above"):
            KNOWLEDGE.extended(text)
        return
    with pytest.raises(KnowledgeError, match="force = true") as caught:
        KNOWLEDGE.extended(text)
    assert caught.value.line is not None
    forced = KNOWLEDGE.extended(text + "force = true\n")
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
        ("[[acknowledge]]\nuntil = 2027-01\n", (2, 13), "write a day"),
        ("[[acknowledge]]\nuntil = 2027-1-31\n", (2, 13), "write a day"),
        ("[[acknowledge]]\nuntil = 2027-02-30\n", (2, 9), "write a day"),
        ("[[acknowledge]]\nuntil = 31.01.2027\n", (2, 14), "write a day"),
        ("x = 1\n[[event]]\nids = [1\n", (4, 1), "not TOML"),
        ('[[acknowledge]]\nwhy = "C:\\evidence"\n', (2, 12), "not TOML"),  # an escape of TOML 1.1
        ('[[acknowledge]]\nwhy = "\\x41"\n', (2, 10), "not TOML"),
        ("[[acknowledge]]\nuntil = 07:32\n", (2, 10), "not TOML"),
        ("x = {a = 1,}\n", (1, 12), "not TOML"),
        ("[[version]]\n", (1, 1), "is not a list of tables"),
        ("\n\n[14070]\nremedy = 'x'\n", (3, 1), "does not name its provider"),
        (ROW.replace("65001", "65536"), (2, 1), "'event_id'"),
        (ROW.replace("65001", "9" * 400), (2, 1), "'event_id'"),
        (ROW.replace("65001", "many"), (2, 1), "is not an event id"),
        (ROW.replace('role = "problem"', '   role = "harmless"'), (3, 4), "'role'"),
        (ROW.replace('source = "our runbook"\n', ""), (2, 1), "'source'"),
        (ROW.replace('"our runbook"', '""'), (6, 1), "'source'"),
        (ROW.replace('"Call us."', '"call-us"'), (5, 1), "no phrase"),
        (ROW + 'example = { level = "bad" }\n', (8, 1), "'example.level'"),
        (ROW + f"[{HYPER_V}VMMS.65001.example]\nlevels = 2\n", (8, 1), "'example"),
        (ROW + "cases = [{ remedy = 'x y' }]\n", (8, 1), "'cases.0'"),
        (ROW + 'cases = [{ field = "Device", remedy = "x y" }]\n', (8, 1), "belongs together"),
        (ROW + "like = 65001\n", (8, 1), "no row above"),
        (ROW + "also = 5\n", (8, 1), "'also'"),
        (ROW + ROW.replace("certainty", "certainity").replace("65001", "65002"), (14, 1), "'certainity'"),
        (ROW.replace(HYPER_V + "VMMS", "Nobody"), (2, 1), "no row describes the provider Nobody"),
        (ROW + 'also = ["storvsp", "STORVSP"]\n', (2, 1), "another row describes"),
        (
            ROW + f'[[event]]\nproviders = ["{HYPER_V}VMMS"]\nids = [65001]\n',
            (10, 1),
            "another row describes",
        ),
        ('[[event]]\nproviders = ["storvsp"]\n', (1, 1), "needs a list 'ids'"),
        ('[[event]]\nproviders = "storvsp"\nids = [5]\n', (2, 1), "needs a list 'providers'"),
        ('[[event]]\nids = [true]\nproviders = ["storvsp"]\n', (2, 1), "needs a list 'ids'"),
        ('[storvsp.5]\nrol = "x"\n', (2, 1), "'rol'"),
        ("[storvsp.4242]\nremedy = 'x'\n", (2, 1), "no phrase"),
        ("[storvsp.4242]\nremedy = 'x y'\n", (1, 1), "is missing"),
        (PROVIDER.format(name="x") + 'aliases = ["vmbus"]\n', (2, 1), "taken by another row"),
        (PROVIDER.format(name="x").replace("vmms", "toaster"), (3, 1), "'family'"),
        ("event = [{ids = [1]}]\n", (1, 1), "needs a list 'providers'"),
        ("[codes.zero]\nmeaning = 'x'\n", (1, 1), "is not a code"),
        ("[codes.0x80070005]\nmeaning = 'x'\n", (1, 1), "'source'"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(text: str, place: tuple[int, int], match: str) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(match)) as caught:
        KNOWLEDGE.extended(text)
    assert (caught.value.line, caught.value.column) == place


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(ROW.replace("65001", "65536"), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        KNOWLEDGE.extended(path)
    assert str(caught.value).startswith(f"{path}:2:1: ")


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


_ODD = st.sampled_from(
    ["[5]", "[storvsp.5]", "[codes]", "[[event]]", "[a.b.c]", "provider = 5", "x = [{}]", "like = 5", "\n"]
)


@given(st.text(max_size=200) | st.lists(_ODD, max_size=6).map("\n".join))
def test_any_text_is_knowledge_or_refused(text: str) -> None:
    try:
        own = KNOWLEDGE.extended(text + "\n")
    except KnowledgeError:
        return
    assert isinstance(own, Knowledge)
