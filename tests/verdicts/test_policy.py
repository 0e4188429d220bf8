"""Rows and policies of a user."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvdegraded.errors import KnowledgeError
from hvdegraded.knowledge.tables import load_knowledge
from hvdegraded.verdicts.classifier import Classifier, classify
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.verdict import Label, Reason
from tests.tools.verdict_cases import (
    REFUSED,
    at,
    guests,
    plain,
    storvsp,
)

KNOWLEDGE = load_knowledge()


def test_a_row_cannot_hide_a_failure_without_force() -> None:
    row = "[Microsoft-Windows-Hyper-V-Chipset.18605]\n"
    text = row + "vm_failure = false\n"
    for hidden in (text, row + 'fields = ["VmId", "VmName"]\n'):  # or whose failure it is
        with pytest.raises(KnowledgeError, match="force = true") as caught:
            KNOWLEDGE.extended(hidden)
        assert caught.value.line == 2
    policy = Policy(knowledge=KNOWLEDGE.extended(text + "force = true\n"))
    events = [REFUSED, at(plain("Chipset", 18605), 1)]
    assert next(Classifier(guests("linux"), policy).classify_all(events))[1].ignorable


@pytest.mark.parametrize(
    "text",
    [
        '[[provider]]\nname = "stor2"\naliases = ["storvsp"]\nfamily = "storvsp"\nsource = "x"\ncertainty = "verified"\n',
        '[[version]]\ncomponent = "storage"\nversion = "9.9"\nsource = "x"\ncertainty = "verified"\n',
        '[[implementation]]\ncomponent = "storage"\n',
        '[[fingerprint]]\nfamilies = ["Linux"]\n',
        '[[device]]\nname = "x"\ncomponent = "storage"\n',
        '[[message]]\nname = "x"\npattern = "x"\n',
        '[storvsp.5]\noutcome = "loaded"\n',
        '[Microsoft-Windows-Hyper-V-Worker.33101]\noutcome = "loaded"\n',
        '[Microsoft-Windows-Hyper-V-StorageVSP.6]\nrole = "version"\noutcome = "loaded"\n',
        '[VMSMP.27]\ncertainty = "verified"\n',
    ],
)
def test_no_row_of_a_user_makes_more_ignorable(text: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        KNOWLEDGE.extended(text)
    assert caught.value.line is not None
    assert caught.value.column is not None


def test_a_provider_of_a_user_has_no_events_of_another() -> None:
    text = '[[provider]]\nname = "stor2"\nfamily = "storvsp"\ncomponent = "storage"\nsource = "x"\ncertainty = "verified"\n'
    policy = Policy(knowledge=KNOWLEDGE.extended(text))
    event = storvsp(6, "6.0", "5.1")._replace(provider="stor2")
    assert classify(event, guests("linux"), policy).reason is Reason.UNKNOWN_EVENT


def test_unknown_guests_can_count_as_actionable() -> None:
    policy = Policy(unknown_guest=Label.ACTIONABLE)
    verdict = classify(storvsp(6, "6.0", "5.1"), policy=policy)
    assert verdict.actionable
    assert not verdict.assumed
    assert classify(storvsp(6, "6.0", "5.1"), guests("linux"), policy).ignorable


def test_rows_of_a_user(tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    rows.write_text(
        '[Microsoft-Windows-Hyper-V-VMMS.41010]\nrole = "information"\n'
        'meaning = "Ours says hello."\nsource = "us"\ncertainty = "verified"\n'
    )
    verdict = classify(plain("VMMS", 41010, 3), policy=Policy.load(rows))
    assert (verdict.reason, verdict.label) == (Reason.NOT_A_PROBLEM_REPORT, Label.ACTIONABLE)


def test_a_row_cannot_make_an_event_ignorable_without_force(tmp_path: Path) -> None:
    rows = tmp_path / "rows.toml"
    text = (
        '[Microsoft-Windows-Hyper-V-VMMS.41010]\nrole = "version"\n'
        'outcome = "loaded"\ncomponent = "storage"\nmeaning = "Ours."\nsource = "us"\ncertainty = "verified"\n'
        "{force}"
    )
    rows.write_text(text.format(force=""))
    with pytest.raises(KnowledgeError) as caught:
        Policy.load(rows)
    assert caught.value.line == 2
    rows.write_text(text.format(force="force = true\n"))
    assert classify(plain("VMMS", 41010, 3), guests("linux"), Policy.load(rows)).ignorable
