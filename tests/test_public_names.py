"""Every public name explains itself, by a docstring whose example works as it stands there."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from typing import get_type_hints

import pytest

import hvdegraded as hv
from tests.tools.corpus import ROOT

UNIONS = {"AnyEvent"}  # which cannot carry a docstring
NEEDS_POLARS = {"annotate_frame"}


@pytest.mark.parametrize("name", sorted(set(hv.__all__) - UNIONS))
def test_every_public_name_has_an_example_that_works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in NEEDS_POLARS:
        pytest.importorskip("polars")
    monkeypatch.chdir(ROOT)
    text = inspect.getdoc(getattr(hv, name)) or ""
    assert getattr(hv, name).__doc__, name
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, "its docstring shows no use of it"
    told: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(example, out=told.append)
    assert not runner.failures, "".join(told)


def test_the_public_names_are_all_that_completion_shows() -> None:
    assert [name for name in dir(hv) if name not in hv.__all__] == []
    assert not [name for name in hv.__all__ if name.startswith("_")]


def test_methods_of_public_classes_have_docstrings() -> None:
    for name in hv.__all__:
        holder = getattr(hv, name)
        if inspect.isclass(holder) and Path(inspect.getfile(holder)).is_relative_to(Path(hv.__file__).parent):
            for method, value in vars(holder).items():
                if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{method}"


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "a\x1b[31m\n\u202eb", "x" * 5000])
def test_notebooks_show_events_verdicts_and_findings_with_what_logs_contain_escaped(hostile: str) -> None:
    record = hv.EventRecord(
        "Microsoft-Windows-Hyper-V-VMMS", 19100, computer=hostile, data=(("VmName", hostile), (None, "%%1"))
    )
    event = hv.normalise(record)
    for shown in (event, hv.classify(event), hv.triage([event]).findings[0]):
        page = shown._repr_html_()
        assert page.count("<table>") == page.count("</table>") > 0
        assert "<script" not in page
        assert not {"\x1b", "\u202e"} & set(page + repr(shown))
        assert "\n" not in repr(shown)


@pytest.mark.parametrize("name", [name for name in hv.__all__ if isinstance(getattr(hv, name), type)])
def test_the_types_of_a_public_class_can_be_looked_up(name: str) -> None:
    """As pydantic and others do, whose models have fields of these classes."""
    assert isinstance(get_type_hints(getattr(hv, name)), dict)
