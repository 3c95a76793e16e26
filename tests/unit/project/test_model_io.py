# SPDX-License-Identifier: BSD-3-Clause
"""include/model_io.h on the host: compiles for all tensors, converts as mcugen does."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sample_project import sample_artifact

from mcugen.base.resources import firmware_dir
from mcugen.program.artifact import TensorSpec
from mcugen.program.device_input import to_device
from mcugen.project.model_io import model_io_context
from mcugen.project.render import render

IMAGE = TensorSpec("image", (1, 3, 4, 5), (0, 2, 3, 1), "int8", 0.1, -7, True)

PROGRAM = """
#include "model_io.h"
#include <cstdio>
#include <cstdlib>

namespace mcugen {
bool model_input(size_t, TensorBytes*) { return false; }
bool model_output(size_t, TensorBytes*) { return false; }
}  // namespace mcugen

using namespace mcugen::inputs;
static_assert(image::quantize(0.0f) == image::kZeroPoint, "constant, where it is of a constant");

int main() {
  for (size_t c = 0; c < 3; ++c)
    for (size_t h = 0; h < 4; ++h)
      for (size_t w = 0; w < 5; ++w) std::printf("%zu\\n", image::offset(0, c, h, w));
  for (float value; std::scanf("%f", &value) == 1;) {
    const int element = image::quantize(value);
    std::printf("%d %a\\n", element, double{image::dequantize(static_cast<int8_t>(element))});
  }
}
"""


def header(*inputs: TensorSpec, outputs: tuple[TensorSpec, ...] = ()) -> str:
    artifact = dataclasses.replace(sample_artifact(), inputs=inputs, outputs=outputs)
    return render(model_io_context(artifact))


def compile_host(folder: Path, text: str, program: str) -> Path:
    (folder / "model_io.h").write_text(text)
    (folder / "program.cpp").write_text(program)
    flags = ("-std=gnu++17", "-Wall", "-Wextra", "-Werror", "-Wdouble-promotion", "-O1")
    checks = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    subprocess.run(
        ["g++", *flags, *checks, f"-I{firmware_dir()}", "program.cpp", "-o", "program"],
        cwd=folder,
        check=True,
    )
    return folder / "program"


def test_converts_and_finds_elements_as_mcugen_does(tmp_path: Path) -> None:
    program = compile_host(tmp_path, header(IMAGE), PROGRAM)
    # Halfway between two steps, on them, beside them, out of range; finite in all cases.
    steps = np.arange(-140, 140, 0.25)
    values = np.concatenate([steps * 0.1, steps * 0.1 + 1e-6, [1e30, -1e30]]).astype(np.float32)
    text = "\n".join(f"{value:.9g}" for value in values)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    lines = done.stdout.split("\n")[:-1]

    elements = np.arange(60).reshape(1, 4, 5, 3).transpose(0, 3, 1, 2)
    assert [int(line) for line in lines[:60]] == elements.ravel().tolist()
    padded = np.resize(values, (-(-len(values) // 60), 60))
    expected = to_device(padded, dataclasses.replace(IMAGE, dim_order=(0, 1, 2, 3)))
    got = [line.split() for line in lines[60:]]
    assert [int(element) for element, _ in got] == expected.ravel()[: len(values)].tolist()
    real = (expected.ravel()[: len(values)].astype(np.float32) + 7) * np.float32(0.1)
    assert [float.fromhex(value) for _, value in got] == real.tolist()


def test_nan_is_zero_as_on_the_device(tmp_path: Path) -> None:
    program = compile_host(tmp_path, header(IMAGE), PROGRAM)
    done = subprocess.run([program], input="nan", capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[-2].split()[0] == "0"


def test_compiles_for_every_kind_of_tensor_and_name(tmp_path: Path) -> None:
    specs = (
        TensorSpec("int16", (1, 2), (0, 1), "int16", 1e-4, 5, True),
        TensorSpec("class", (1, 2), (0, 1), "uint8", 0.5, 0, True),
        TensorSpec("kein_maß", (2, 3, 4), (0, 2, 1), "float32", None, None, True),
        TensorSpec("kein maß", (2, 3), (1, 0), "bool", None, None, True),
        TensorSpec("__x", (1,), (0,), "int64", None, None, True),
        TensorSpec("0/*\\\n", (), (), "float64", None, None, True),
        TensorSpec("", (1, 4), (0, 1), "int8", None, None, True),
        TensorSpec("number", (), (), "int64", None, None, False, fixed=3.0),
    )
    text = header(*specs, outputs=specs)
    compile_host(tmp_path, text, '#include "model_io.h"\nint main() {}\n').unlink()

    names = [line for line in text.splitlines() if line.startswith("namespace inputs::")]
    assert [line.removeprefix("namespace inputs::").removesuffix(" {") for line in names] == [
        *("int16", "class_", "kein_ma", "kein_ma_2", "x", "tensor_0", "tensor", "number")
    ]
    assert "Always 3" in text and "does not record" in text


@pytest.mark.parametrize(
    ("shape", "dim_order", "words"),
    [
        ((1, 3, 4, 5), (0, 2, 3, 1), "N, H, W, C = [1, 4, 5, 3]"),
        ((1, 3, 4, 1), (0, 2, 1, 3), "N, H, W, C = [1, 4, 1, 3]"),
        ((1, 1, 8, 8), (0, 2, 1, 3), "that of the shape"),
        ((1, 3, 4, 5), (0, 1, 2, 3), "that of the shape"),
        ((2, 3, 4), (0, 2, 1), "axes 0, 2, 1 of the shape = [2, 4, 3]"),
        ((), (), "that of the shape"),
    ],
)
def test_says_the_memory_order_in_words(shape, dim_order, words) -> None:
    spec = TensorSpec("x", shape, dim_order, "int8", 0.1, 0, True)

    assert spec.memory_order.startswith(words)
