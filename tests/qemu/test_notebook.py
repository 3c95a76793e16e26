# SPDX-License-Identifier: BSD-3-Clause
"""docs/python.md, run as a notebook: a cell for each of its Python blocks."""

from __future__ import annotations

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

from mcugen.base.cache import cache_dir

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The notebook's cells, run in a kernel of their own; an error in one is raised here."""
    folder = tmp_path_factory.mktemp("notebook")
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in blocks])
    with pytest.MonkeyPatch.context() as patch:
        # The model is exported anew, for what torch has to say; PlatformIO's files are what it was.
        patch.setenv("PLATFORMIO_CORE_DIR", str(cache_dir() / "platformio"))
        patch.setenv("MCUGEN_OBJECT_CACHE", str(cache_dir() / "objects"))
        patch.setenv("MCUGEN_CACHE_DIR", str(folder / "cache"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "jupyter"))
        client = nbclient.NotebookClient(
            notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    assert len(notebook.cells) == 4
    return notebook.cells


def test_nothing_is_printed_but_by_the_notebook_itself(cells):
    """torch, executorch and PlatformIO write to streams; here these are not file descriptors."""
    train, run, *_ = cells

    printed = [each.text for each in run.outputs if each.output_type == "stream"]
    assert train.outputs == []
    assert printed == []
    assert [each.output_type for each in run.outputs] == ["execute_result"]


def test_report_is_a_table_and_a_text(cells):
    data = cells[1].outputs[-1].data

    assert "<b>my_digits on QEMU Cortex-M4" in data["text/html"]
    assert "64 of 64 samples" in data["text/html"]
    assert data["text/plain"].startswith("my_digits on QEMU Cortex-M4")


def test_parts_of_the_report_can_be_printed(cells):
    [stream] = cells[2].outputs

    assert re.match(r"[\d,]+ instructions, [\d,]+ B of flash\nagainst your model", stream.text)


def test_error_is_an_exception_with_a_hint(cells):
    [stream] = cells[3].outputs

    assert "brings no calibration data" in stream.text
    assert "--calibrate" in stream.text
