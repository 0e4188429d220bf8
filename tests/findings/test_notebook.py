"""The notebook beside the sample logs: kept without outputs; nbmake runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.tools.sample_logs import FOLDER

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOK = FOLDER / "triage.ipynb"


def test_it_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def outputs(*cells: str) -> list[list[Any]]:
    """What a kernel shows below each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(FOLDER))
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.slow
def test_a_triage_shows_itself_once_and_a_bar_comes_and_goes() -> None:
    """The bar is drawn by a thread, into the cell that reads."""
    show, read, text = outputs(
        "import hvdegraded as hv, hvdegraded.reading.progress as progress\nhv.triage('hv2022')",
        "\n".join(
            (
                "import io, threading",
                "from IPython.display import DisplayHandle",
                "progress._AFTER, progress._EVERY = 0, 0.001",
                "seen, drawn, update = [], threading.Event(), DisplayHandle.update",
                "def told(self, html):",
                "    update(self, html)",
                "    seen.append(html.data)",
                "    drawn.set()",
                "DisplayHandle.update = told",
                "class Log(io.BytesIO):",
                "    def read(self, size=-1):",
                "        drawn.wait(20)",
                "        return super().read(size)",
                "found = hv.triage(Log(open('hv2022/System.evtx', 'rb').read()))",
                "assert any(html.startswith('reading input: ') for html in seen) and seen[-1] == '', seen",
            )
        ),
        "print(found)",
    )
    (shown,) = show
    assert shown.output_type == "execute_result"
    assert {"text/html", "text/plain"} <= set(shown.data)
    assert "4 to act on" in shown.data["text/plain"]
    assert [output.output_type for output in read] == ["display_data"]
    assert read[0].data["text/html"] == ""
    assert "records" in text[0].text
