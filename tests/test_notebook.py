"""The notebook beside the sample logs: kept without outputs; nbmake runs it."""

from __future__ import annotations

import json

from tests.make_sample_logs import FOLDER

NOTEBOOK = FOLDER / "triage.ipynb"


def test_it_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
