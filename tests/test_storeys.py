"""The root loads nothing before it is asked; what it names, static tools see."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hvdegraded

ROOT = Path(hvdegraded.__file__)
HEAVY = ("pydantic", "lxml", "rich", "Evtx", "pandas", "matplotlib")


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after this code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent.parent
    )
    return set(done.stdout.split())


@pytest.mark.subprocess
def test_importing_the_package_loads_no_other() -> None:
    assert not loaded_by("import hvdegraded; dir(hvdegraded); hvdegraded.__version__") & set(HEAVY)


def typed_names() -> dict[str, str]:
    """What the block for type checkers imports, with the module that it is imported from."""
    tree = ast.parse(ROOT.read_text(encoding="utf-8"))
    (block,) = (
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for name in node.names:
            assert name.asname is None
            found[name.name] = node.module or ""
    return found


def test_all_dir_the_lazy_table_and_the_types_agree() -> None:
    assert sorted(hvdegraded.__all__) == hvdegraded.__all__ == dir(hvdegraded)
    lazy = {name: f"hvdegraded.{home}" for home, names in hvdegraded._HOMES.items() for name in names}
    assert lazy == typed_names()
    assert set(lazy) == set(hvdegraded.__all__)


def test_a_public_name_is_what_its_home_defines() -> None:
    for name, module in typed_names().items():
        home = importlib.import_module(module)
        assert getattr(hvdegraded, name) is getattr(home, name)
        assert name in home.__all__


def test_no_child_of_the_package_bears_a_public_name() -> None:
    children = {path.stem for path in ROOT.parent.iterdir()}
    assert not children & set(hvdegraded.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hvdegraded.nothing  # noqa: B018
    assert not hasattr(hvdegraded, "_nothing")


def test_no_text_of_the_library_names_an_option_of_the_command() -> None:
    for path in ROOT.parent.rglob("*.py"):
        if "cli" not in path.parts and path.name != "__main__.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            named = [text for text in texts if re.search(r"(?<![\w(])--[a-z]", text)]
            assert not named, f"{path}: {named}"
