"""What a verdict says of itself."""

from __future__ import annotations

import pytest

from hvdegraded.verdicts.classifier import Classifier, classify
from tests.tools.verdict_cases import (
    HV,
    VM,
    guests,
    integration,
    record,
    storvsp,
)


def test_an_explanation_names_rule_tables_references_and_what_would_change_it() -> None:
    text = classify(storvsp(6, "6.0", "5.1"), guests("linux")).explain()
    for part in (
        "ignorable",
        "storage 6.0: Windows Server 2012 R2",
        "Linux up to 4.3",
        "reference: KB 2956569, https://support.microsoft.com/kb/2956569",
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


@pytest.mark.parametrize(
    ("system", "family"), [("freebsd", "FreeBSD"), ("windows 2012", "Windows"), ("linux", "Linux")]
)
@pytest.mark.parametrize("service", ["", "-KvpExchange"])
def test_a_derivation_is_of_the_versions_that_differ_and_of_the_guest_at_hand(
    system: str, family: str, service: str
) -> None:
    """Framework 3.0 is what both speak, and "3.0: Linux" of a FreeBSD guest contradicts what follows."""
    verdict = Classifier(guests(system)).classify(integration(service))
    said = " ".join(verdict.derivation)
    assert "4.0" in said
    assert "5.0" in said
    assert "3.0" not in said
    others = [other for other in ("Linux", "FreeBSD", "Windows Server 2012 and older") if family not in other]
    assert not any(other in said for other in others)
    assert verdict.ignorable is (family != "Windows")
