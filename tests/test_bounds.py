"""The page of bounds says what the code does."""

from __future__ import annotations

import contextlib
import importlib
import re

import pytest

import hvdegraded
from tests.tools.corpus import ROOT

PAGE = (ROOT / "hvdegraded" / "docs" / "bounds.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| .+? \| ([\d,]+(?: [KMG]iB)?) \| `([\w.]+)` \|", PAGE, re.MULTILINE)
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def test_every_row_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"^\| [^|]+ \| [^|]*\d[^|]* \|", PAGE, re.MULTILINE)) > 30


@pytest.mark.parametrize(("value", "place"), ROWS, ids=[place for _, place in ROWS])
def test_a_bound_is_that_of_the_code(value: str, place: str) -> None:
    number, _, unit = value.partition(" ")
    holder: object = hvdegraded
    path = "hvdegraded"
    for part in place.split("."):
        path += f".{part}"
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(path)
        holder = getattr(holder, part)
    assert holder == int(number.replace(",", "")) * UNITS[unit]


def test_every_bound_of_the_code_is_on_the_page() -> None:
    """Bounds of what is shown in reports, and of the other readers, are not bounds of an input."""
    listed = {place for _, place in ROWS}
    package = ROOT / "hvdegraded"
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        if not module.startswith(("cli.", "findings.", "verify.")):
            names = re.findall(
                r"^(_?(?:MAX|MOST|LONGEST)[A-Z_]*) = [\d_ <*x]+",
                path.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
            assert {f"{module}.{name}" for name in names} <= listed, (
                "add it to docs/bounds.md, with its reason"
            )
