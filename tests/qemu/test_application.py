# SPDX-License-Identifier: BSD-3-Clause
"""A project with code of its owner: the README's example computes what mcugen does."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

MODEL = f"{Path(__file__).parent / 'application_model.py'}:make"
BUILD = (MODEL, "--board", "qemu-m4", "-o", "project")


@pytest.fixture(scope="module")
def project(mcugen, tmp_path_factory) -> Path:
    cwd = tmp_path_factory.mktemp("application")
    mcugen("build", *BUILD, cwd=cwd)
    return cwd / "project"


def readings(tensor: dict) -> np.ndarray:
    """Return what the example's reading() gives, as an input's elements in memory order."""
    real = np.float32(0.01) * (np.arange(np.prod(tensor["shape"])) % 100).astype(np.float32)
    steps = np.rint(real * np.float32(1 / tensor["scale"])) + tensor["zero_point"]
    shape = [tensor["shape"][axis] for axis in tensor["dim_order"]]
    return np.clip(steps, -128, 127).astype(np.int8).reshape(shape)


def console_after_boot(elf: str) -> str:
    """Return what an image prints before it waits for commands: mcugen connects only then."""
    machine = ("qemu-system-arm", "-M", "mps2-an386", "-kernel", elf, "-nographic")
    with subprocess.Popen(
        [*machine, "-monitor", "none", "-serial", "stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            return "".join(itertools.takewhile(lambda line: "m-ready" not in line, lines))
        finally:
            process.kill()


def test_inputs_and_outputs_are_called_what_the_model_calls_them(project: Path) -> None:
    manifest = json.loads((project / "mcugen" / "manifest.json").read_text())
    image, light = manifest["inputs"]
    found, classes = manifest["outputs"]
    header = (project / "include" / "model_io.h").read_text()

    assert [each["name"] for each in (image, light, found, classes)] == [
        *("image", "light", "map", "class")
    ]
    assert image["memory_order"].startswith("N, H, W, C = [1, 6, 5, 3]")
    assert image["bytes"] == 90 and image["dtype"] == "int8" and image["scale"] > 0
    for name in ("inputs::image", "inputs::light", "outputs::map", "outputs::class_"):
        assert f"namespace {name} {{" in header


def test_the_example_computes_what_infer_does(project: Path, mcugen) -> None:
    """And the command server still answers once application() has returned."""
    manifest = json.loads((project / "mcugen" / "manifest.json").read_text())
    readme = (project / "README.md").read_text()
    (example,) = re.findall(r"```cpp\n(.*?)```", readme, re.DOTALL)
    (project / "src" / "application.cpp").write_text(example)
    cwd = project.parent
    for tensor in manifest["inputs"]:
        np.save(cwd / f"{tensor['name']}.npy", readings(tensor))
    done = mcugen(
        *("infer", *BUILD, "--json"),
        *("--input", "image.npy", "--input", "light.npy"),
        *("--output", "map.bin", "--output", "class.bin"),
        cwd=cwd,
    )
    printed = console_after_boot(json.loads(done.stdout)["firmware"]["elf"])

    for tensor, name in zip(manifest["outputs"], ("map", "class_"), strict=True):
        (line,) = re.findall(rf"^{name} ([-\d. ]+)$", printed, re.MULTILINE)
        steps = np.fromfile(cwd / f"{tensor['name']}.bin", np.int8).astype(np.int32)
        real = (steps - tensor["zero_point"]) * tensor["scale"]
        assert len(np.unique(steps)) > 3
        np.testing.assert_allclose(np.array(line.split(), float), real, atol=0.00051)
