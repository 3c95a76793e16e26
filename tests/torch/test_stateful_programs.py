# SPDX-License-Identifier: BSD-3-Clause
"""Programs with mutable buffers, jumps and moves, and numbers as inputs and outputs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mlperf_tiny_vectors import MODELS, golden_artifact
from stateful_programs import Smooth, expected, exported, samples

from mcugen.base.errors import ConfigError, ExportError, PteError, QuantizationError
from mcugen.program import container, strip, tensor_files
from mcugen.program.artifact import PteArtifact
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference, reference_outputs

KINDS = ("zeros", "start", "branch")


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_keeps_state_and_takes_branches(kind):
    reference = Reference(read_pte(exported(kind), name=kind))

    outputs = [reference.run([x.numpy()])[0] for x in samples(4)]

    assert np.allclose(outputs, expected(kind, 4), rtol=1e-6, atol=1e-6)
    if kind == "branch":
        assert len({bool(x.sum() > 0) for x in samples(4)}) == 2


def test_a_batch_starts_with_the_initial_state():
    artifact = read_pte(exported("start"), name="start")
    batch = np.stack([x.numpy() for x in samples(4)])

    for _ in range(2):
        assert np.allclose(reference_outputs(artifact, [batch])[0], expected("start", 4), atol=1e-6)


@pytest.mark.parametrize("kind", (*KINDS, "numbers"))
def test_stripping_twice_changes_nothing(kind):
    artifact = read_pte(exported(kind), name=kind)

    assert artifact.stripped_bytes > 0
    assert strip.strip(artifact.pte, name=kind) == artifact.pte
    assert artifact.keeps_state == (kind in ("zeros", "start"))
    assert artifact.full_runtime == (kind == "numbers")
    document = json.loads(json.dumps(artifact.to_json()))
    assert PteArtifact.from_json(document, artifact.pte) == artifact


def test_stripping_keeps_the_initial_state_alone():
    before, after = (
        container.deserialize(data, name="x").mutable_data
        for data in (exported("start"), read_pte(exported("start"), name="x").pte)
    )

    assert [bytes(b.storage) for b in after] == [b"", np.full(4, 3.0, "<f4").tobytes()]
    assert len(before) == 2
    assert (
        container.deserialize(read_pte(exported("zeros"), name="x").pte, name="x").mutable_data
        is None
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_programs_without_buffers_keep_no_state(model, cpu):
    artifact = golden_artifact(model, "int8", cpu)

    assert not artifact.keeps_state and not artifact.full_runtime


def test_numbers_are_described_and_computed():
    artifact = read_pte(exported("numbers"), name="numbers")
    number = artifact.inputs[1]

    assert (number.shape, number.dtype, number.nbytes, number.fixed) == ((), "int64", 8, 3)
    assert [(o.dtype, o.nbytes) for o in artifact.outputs[1:]] == [
        *(("int64", 8), ("bool", 1), ("float64", 8), ("uint8", 0))
    ]
    x = np.ones((1, 4), np.float32)
    outputs = Reference(artifact).run([x, np.array(3, np.int64)])
    assert (outputs[0] == 3).all() and [o.tolist() for o in outputs[1:]] == [4, True, 2.5, []]
    with pytest.raises(ConfigError, match="not the value that was traced, 3"):
        Reference(artifact).run([x, np.array(4, np.int64)])


def test_a_fixed_number_needs_no_file(tmp_path):
    artifact = read_pte(exported("numbers"), name="numbers")
    file = tmp_path / "x.bin"
    file.write_bytes(bytes(16))

    assert tensor_files.read_inputs([file], artifact.inputs) == (
        bytes(16),
        (3).to_bytes(8, "little"),
    )


def changed(kind, change) -> bytes:
    """A program with its deserialized form changed and written again."""
    from executorch.exir._serialize._program import serialize_pte_binary

    file = container.deserialize(exported(kind), name=kind)
    file = change(file, container.find_method(file.program, name=kind)) or file
    return bytes(serialize_pte_binary(file, extract_delegate_segments=True))


def of_kind(plan, kind):
    """The first instruction of a kind."""
    instructions = (each.instr_args for each in plan.chains[0].instructions)
    return next(each for each in instructions if type(each).__name__ == kind)


def state_of(plan):
    return next(v.val for v in plan.values if getattr(v.val, "allocation_info", None))


def write_to_moved(file, plan):
    target = of_kind(plan, "MoveCall").move_to
    call = of_kind(plan, "KernelCall")
    call.args[-2:] = [target, target]


def move_to_input(file, plan):
    of_kind(plan, "MoveCall").move_to = plan.inputs[0]


def free(file, plan):
    from executorch.exir.schema import FreeCall, Instruction

    number = next(i for i, v in enumerate(plan.values) if type(v.val).__name__ == "Int")
    plan.chains[0].instructions.append(Instruction(FreeCall(number)))


@pytest.mark.parametrize(
    "kind, change, words",
    [
        pytest.param(
            "branch",
            lambda file, plan: setattr(
                of_kind(plan, "JumpFalseCall"), "destination_instruction", 11
            ),
            "jumps to instruction 11 of 10",
            id="jump",
        ),
        pytest.param(
            "branch",
            lambda file, plan: setattr(of_kind(plan, "JumpFalseCall"), "cond_value_index", 0),
            "jumps on value 0, no bool",
            id="condition",
        ),
        pytest.param(
            "branch",
            lambda file, plan: setattr(of_kind(plan, "JumpFalseCall"), "cond_value_index", 999),
            "uses value 999",
            id="condition-index",
        ),
        pytest.param(
            "branch",
            lambda file, plan: setattr(of_kind(plan, "MoveCall"), "move_to", -1),
            "uses value -1",
            id="move-index",
        ),
        pytest.param(
            "branch",
            lambda file, plan: setattr(of_kind(plan, "MoveCall"), "move_from", 2),
            "moves a IntList to a Tensor",
            id="move-types",
        ),
        pytest.param("branch", move_to_input, "is an input and the target", id="move-to-input"),
        pytest.param("branch", write_to_moved, "the target of a move or view", id="write"),
        pytest.param("branch", free, "frees a Int", id="free"),
        pytest.param(
            "start",
            lambda file, plan: setattr(state_of(plan), "data_buffer_idx", 7),
            "initial state 7 of 2",
            id="state-index",
        ),
        pytest.param(
            "start",
            lambda file, plan: replace(
                file,
                mutable_data=[file.mutable_data[0], replace(file.mutable_data[1], storage=b"1234")],
            ),
            "of initial state data, the file has 4 B",
            id="state-size",
        ),
    ],
)
def test_inconsistent_program_names_the_cause(kind, change, words):
    with pytest.raises(PteError, match=words):
        read_pte(changed(kind, change), name=kind)


def test_a_loop_without_end_ends(monkeypatch):
    def forever(file, plan):
        of_kind(plan, "JumpFalseCall").destination_instruction = 0

    monkeypatch.setattr("mcugen.program.reference.walker._MAX_INSTRUCTIONS", 1000)
    reference = Reference(read_pte(changed("branch", forever), name="branch"))
    with pytest.raises(ExportError, match="does not end"):
        reference.run([np.full((1, 4), -1, np.float32)])


def test_quantization_refuses_to_freeze_a_buffer():
    from mcugen.export.calibration import Calibration
    from mcugen.export.quantize import quantize
    from mcugen.model.source import ModelSource

    x = torch.zeros(1, 4)
    fields = {field: None for field in ModelSource.__dataclass_fields__}
    source = ModelSource(
        **{**fields, "name": "smooth", "module": Smooth().eval(), "example_inputs": (x,)}
    )
    with pytest.raises(
        QuantizationError, match=r"changes buffers 'count'.*, 'state'.*; quantization would"
    ):
        quantize(source, Calibration(((x,),), "zeros", False))
