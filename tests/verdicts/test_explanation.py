"""What a verdict says of itself."""

from __future__ import annotations

from hvdegraded.verdicts.classifier import classify
from tests.tools.verdict_cases import (
    HV,
    VM,
    guests,
    record,
    storvsp,
)


def test_an_explanation_names_rule_tables_references_and_what_would_change_it() -> None:
    text = classify(storvsp(6, "6.0", "5.1"), guests("linux")).explain()
    for part in (
        "ignorable",
        "storage 6.0: Windows Server 2012 R2",
        "Linux up to 3.13",
        "KB 2956569",
        "Ubuntu 22.04",
    ):
        assert part in text
    assert "if this VM runs Windows: actionable" in text


def test_an_unknown_event_shows_its_fields() -> None:
    event = record(HV + "VMMS", 41010, 2, (("Reason", "out of luck"),))
    assert "Reason='out of luck'" in classify(event).summary


def test_an_error_code_is_told_with_its_meaning() -> None:
    event = record(HV + "VMMS", 19100, 2, (("VmName", VM), ("ErrorMessage", "%%2147942432")))
    assert "0x80070020" in classify(event).summary
