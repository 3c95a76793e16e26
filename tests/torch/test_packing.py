# SPDX-License-Identifier: BSD-3-Clause
"""Programs prepared ahead of time: other operators, and every byte of output as it was.

The oracle is the program before the rewrite, on the host reference.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mlperf_tiny_vectors import MODELS, golden_artifact

from mcugen.boards.spec import Isa
from mcugen.cli.measuring import evaluation
from mcugen.cli.terminal import Terminal
from mcugen.program.artifact import PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.packing import add, linear, stem
from mcugen.program.packing.edit import Method
from mcugen.program.packing.pack import REWRITES
from mcugen.program.planning.arrange import Passes, arrange
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference
from mcugen.program.strip import serialize, strip

NETS = sorted((Path(__file__).parents[1] / "golden" / "nets").glob("*_m4.pte"))
#: Of which networks each rewrite changes something.
REWRITTEN = {
    stem.restore_stems: {"kws"},
    linear.pack_linear: {"kws", "ic", "ad"},
    add.pack_add: {"ic"},
}


def read(path: Path) -> PteArtifact:
    return read_pte(path.read_bytes(), name=path.stem)


def outputs(artifact: PteArtifact, seeds: tuple[int, ...] = (1, 2)) -> list[bytes]:
    reference = Reference(artifact)
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        inputs = [
            rng.integers(-128, 128, spec.memory_shape).astype(spec.dtype)
            if "int" in spec.dtype
            else rng.standard_normal(spec.memory_shape).astype(spec.dtype)
            for spec in artifact.inputs
        ]
        found += [output.tobytes() for output in reference.run(inputs)]
    return found


def rewritten(artifact: PteArtifact, rewrite) -> tuple[PteArtifact, int]:
    """Return the artifact after one rewrite, and how many calls it changed."""
    file = deserialize(artifact.pte, name="x")
    count = rewrite(Method(file.program, find_method(file.program, name="x")))
    return replace(artifact, pte=strip(serialize(file), name="x")), count


@pytest.mark.torch
@pytest.mark.parametrize("rewrite", REWRITES[Isa.DSP], ids=lambda each: each.__name__)
@pytest.mark.parametrize("model", MODELS)
def test_a_rewrite_changes_no_byte(model, rewrite):
    before = golden_artifact(model, "int8", "m4")

    after, count = rewritten(before, rewrite)

    assert bool(count) == (model in REWRITTEN[rewrite])
    assert outputs(after) == outputs(before)


@pytest.mark.torch
@pytest.mark.parametrize("isa", Isa)
@pytest.mark.parametrize("path", NETS[::6], ids=lambda path: path.stem)
def test_what_a_build_makes_of_a_network_computes_the_same(path, isa):
    """All rewrites, working memory and placement, for each instruction set."""
    before = read(path)

    after = arrange(before, Passes(isa))

    assert outputs(after) == outputs(before)


@pytest.mark.torch
def test_what_is_no_constant_layer_stays_as_it_is():
    """Of a model for Helium, whose linear layers have kernel_sum: packed all the same, for DSP."""
    before = golden_artifact("ad", "int8", "m55")

    after, count = rewritten(before, linear.pack_linear)

    assert count == 10
    assert outputs(after) == outputs(before)


def test_a_sum_in_linear_form_is_the_published_one_for_every_pair():
    """Random scales as the exporter derives them; without such numbers there is no rewrite."""
    rng = np.random.default_rng(20261127)
    found = 0
    for _ in range(12):
        scales = np.exp(rng.uniform(-1, 1, 2))
        out_scale = scales.max() * np.exp(rng.uniform(-0.3, 0.9))
        twice = 2 * scales.max()
        a, b = ((int(rng.integers(-128, 128)), *_fixed_point(scale / twice)) for scale in scales)
        out = (int(rng.integers(-128, 128)), *_fixed_point(twice / (2**20 * out_scale)))

        numbers = add.linear_form(a, b, out)

        if numbers is None:
            continue
        found += 1
        by_a, by_b, offset, shift = numbers
        q = np.arange(-128, 128)
        linear_sums = (by_a * q[:, None] + by_b * q[None, :] + offset) >> shift
        assert np.array_equal(linear_sums.clip(-128, 127), _published(a, b, out))
    assert found >= 10


def _fixed_point(scale: float) -> tuple[int, int]:
    mantissa, exponent = np.frexp(scale)
    multiplier = round(mantissa * 2**31)
    return (
        (multiplier // 2, int(exponent) + 1) if multiplier == 2**31 else (multiplier, int(exponent))
    )


def _published(a, b, out) -> np.ndarray:
    """The sum by the reference's own rounding, of all pairs."""
    import torch

    from mcugen.program.reference.requantize import scalar_requantize

    q = torch.arange(-128, 128)
    left, right = (scalar_requantize((q - each[0]) << 20, *each[1:]) for each in (a, b))
    total = scalar_requantize(left[:, None] + right[None, :], *out[1:]) + out[0]
    return total.clamp(-128, 127).numpy()


@pytest.mark.torch
def test_results_are_compared_with_the_program_as_it_was_exported():
    """With both sides from the prepared file, a fault in preparing it would show nowhere."""
    exported = golden_artifact("ad", "int8", "m4")
    faulty = replace(exported, pte=strip(_with_one_constant_changed(exported.pte), name="x"))
    path = Path(__file__).parents[1] / "golden" / "mlperf_tiny" / "ad_cm_q_m4.pte"
    built = SimpleNamespace(model=str(path), artifact=faulty, exported=exported)

    found = evaluation(SimpleNamespace(samples=2), built, Terminal(quiet=True), verify=True)

    inputs = [np.frombuffer(tensors[0], np.int8).reshape(1, 640) for tensors in found.inputs]
    outputs = [Reference(exported).run([each])[0].tobytes() for each in inputs]
    assert [tensors[0] for tensors in found.expected] == outputs
    assert Reference(faulty).run([inputs[0]])[0].tobytes() != outputs[0]


def _with_one_constant_changed(pte: bytes) -> bytes:
    file = deserialize(pte, name="x")
    largest = max(file.program.constant_buffer, key=lambda each: len(each.storage))
    largest.storage = bytes(255 - byte for byte in largest.storage)
    return serialize(file)
