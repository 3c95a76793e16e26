# SPDX-License-Identifier: BSD-3-Clause
"""Stripping, and files that are not what they should be."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlperf_tiny_vectors import MODELS, golden_artifact, golden_pte

from mcugen.base.errors import ExportError, PteError, UnsupportedOperatorError
from mcugen.base.quiet import quiet
from mcugen.program import container, strip, validate
from mcugen.program.read import read_pte

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "runtime"))

import programs

# Counted in the files of the published exporter, int8 I/O, M4.
DEAD_CONSTANT_BYTES = {"kws": 10_240, "vww": 37_344, "ic": 77_424, "ad": 0}
VALUES = {"kws": (277, 90), "vww": (691, 189), "ic": (278, 96), "ad": (131, 63)}


@pytest.mark.parametrize("model", MODELS)
def test_constants_nothing_uses_are_gone(model):
    data = golden_pte(model, "int8", "m4")

    artifact = read_pte(data, name=model)

    assert strip.dead_constant_bytes(data, name=model) == DEAD_CONSTANT_BYTES[model]
    assert strip.dead_constant_bytes(artifact.pte, name=model) == 0
    assert artifact.stripped_bytes == len(data) - len(artifact.pte) > DEAD_CONSTANT_BYTES[model]


@pytest.mark.parametrize("model", MODELS)
def test_values_nothing_uses_are_gone(model):
    before, after = (
        container.find_method(container.deserialize(data, name=model).program, name=model)
        for data in (golden_pte(model, "int8", "m4"), golden_artifact(model, "int8", "m4").pte)
    )

    assert (len(before.values), len(after.values)) == VALUES[model]


@pytest.mark.parametrize("cpu", ["m4", "m55"])
@pytest.mark.parametrize("model", MODELS)
def test_stripping_twice_changes_nothing(model, cpu):
    once = strip.strip(golden_pte(model, "int8", cpu), name=model)

    assert strip.strip(once, name=model) == once
    again = read_pte(once, name=model)
    first = golden_artifact(model, "int8", cpu)
    assert replace(again, source_sha256="", stripped_bytes=0) == replace(
        first, source_sha256="", stripped_bytes=0
    )


def test_constants_stay_aligned():
    data = golden_artifact("vww", "int8", "m4").pte
    base = int.from_bytes(data[24:32], "little")
    with quiet():
        from executorch.exir._serialize._flatbuffer_program import _flatbuffer_to_program

    program = _flatbuffer_to_program(data[: int.from_bytes(data[16:24], "little")])
    starts = [base + s.offset for s in program.segments]
    starts += [base + offset for offset in program.constant_segment.offsets]

    assert all(start % container.CONSTANT_ALIGNMENT == 0 for start in starts)


def test_description_of_a_published_file():
    artifact = golden_artifact("kws", "int8", "m4")

    assert artifact.method_name == "forward"
    assert artifact.io == "int8" and artifact.isa is None
    (spec,) = artifact.inputs
    assert (spec.shape, spec.dtype, spec.zero_point) == ((1, 1, 49, 10), "int8", 0)
    assert spec.scale == pytest.approx(0.007826240733265877)
    assert artifact.outputs[0].zero_point == 8
    assert artifact.planned_buffers == (16_000,)
    assert artifact.macs == 2_656_768
    assert artifact.softmax_output
    uses = {use.name: use.calls for use in artifact.operators}
    assert uses["cortex_m::quantized_depthwise_conv2d.out"] == 5
    assert all(use.int8 for use in artifact.operators)


def test_autoencoder_is_no_classifier():
    assert not golden_artifact("ad", "float", "m4").softmax_output
    assert golden_artifact("ad", "float", "m4").io == "float"


def serialized(file) -> bytes:
    from executorch.exir._serialize._program import serialize_pte_binary

    return bytes(serialize_pte_binary(file, extract_delegate_segments=True))


def changed(change) -> bytes:
    """The KWS file with its deserialized program changed and written again."""
    file = container.deserialize(golden_pte("kws", "int8", "m4"), name="kws")
    plan = container.find_method(file.program, name="kws")
    change(file.program, plan)
    return serialized(file)


def test_newer_schema_is_refused():
    def newer(program, plan):
        program.version = 7

    with pytest.raises(PteError, match=r"schema version 7.*newer"):
        read_pte(changed(newer), name="kws")


def test_missing_method_lists_those_there():
    def rename(program, plan):
        plan.name = "a"
        program.execution_plan.append(replace(plan, name="b"))

    with pytest.raises(PteError, match=r"no method 'forward' \(methods: a, b"):
        read_pte(changed(rename), name="kws")


def test_delegates_are_refused_by_name():
    from executorch.exir import schema

    def delegate(program, plan):
        program.backend_delegate_data.append(schema.BackendDelegateInlineData(data=b"x"))
        where = schema.BackendDelegateDataReference(schema.DataLocation.INLINE, 0)
        plan.delegates.append(schema.BackendDelegate("EthosUBackend", where, []))

    with pytest.raises(PteError, match="delegated to EthosUBackend"):
        read_pte(changed(delegate), name="kws")


def test_another_releases_argument_count_is_refused():
    """conv2d had 12 arguments before `scratch` came; the published runtime fails in execute."""

    def older(program, plan):
        for instruction in plan.chains[0].instructions:
            call = instruction.instr_args
            if plan.operators[call.op_index].name == "cortex_m::quantized_conv2d":
                del call.args[12]

    with pytest.raises(PteError, match=r"quantized_conv2d.*argument"):
        read_pte(changed(older), name="kws")


def test_operator_the_firmware_lacks_is_named():
    def other(program, plan):
        plan.operators[0].name = "aten::quantum_sort"

    with pytest.raises(UnsupportedOperatorError, match=r"aten::quantum_sort\.out"):
        read_pte(changed(other), name="kws")


@pytest.mark.parametrize(
    "change, words",
    [
        pytest.param(
            lambda program, plan: plan.inputs.append(10_000), "value 10000 of", id="input-index"
        ),
        pytest.param(
            lambda program, plan: plan.chains[0].instructions[3].instr_args.args.append(9999),
            "uses value 9999",
            id="argument-index",
        ),
        pytest.param(
            lambda program, plan: setattr(
                plan.chains[0].instructions[3].instr_args, "op_index", 50
            ),
            "calls operator 50",
            id="operator-index",
        ),
        pytest.param(
            lambda program, plan: setattr(
                plan.values[plan.inputs[0]].val.allocation_info, "memory_offset_low", 1 << 20
            ),
            "outside planned memory",
            id="planned-offset",
        ),
        pytest.param(
            lambda program, plan: setattr(
                plan.values[plan.inputs[0]].val, "sizes", [1, 1, 4900, 1000]
            ),
            "outside planned memory",
            id="planned-size",
        ),
        pytest.param(
            lambda program, plan: setattr(
                plan.values[plan.inputs[0]].val, "dim_order", [0, 0, 1, 2]
            ),
            "dimension order",
            id="dim-order",
        ),
        pytest.param(
            lambda program, plan: setattr(plan.values[0].val, "data_buffer_idx", 200),
            "constant 200 of",
            id="constant-index",
        ),
        pytest.param(
            lambda program, plan: setattr(plan.values[0].val, "sizes", [100_000]),
            "of constant data",
            id="constant-size",
        ),
    ],
)
def test_inconsistent_program_names_the_cause(change, words):
    with pytest.raises(PteError, match=words):
        read_pte(changed(change), name="kws")


def test_what_the_device_would_not_load_is_refused():
    """Generated projects load without these checks: MCUGEN_CHECK_PROGRAM.

    Of operators, and what calls write to, `check_calls` knows, with other names than these.
    """
    damaged = {
        name: data
        for name, data in programs.all_programs().items()
        if name.startswith("bad_")
        and not name.startswith(("bad_operator_", "bad_write_", "bad_view_", "bad_input_moved"))
    }
    assert len(damaged) > 30
    for name, data in damaged.items():
        with pytest.raises(PteError, match=f"^{name}: "):
            _check_file(data, name)


def _check_file(data, name):
    file = container.deserialize(data, name=name)
    validate.check_supported(file, name)
    for plan in file.program.execution_plan:
        validate.check_plan(plan, file, name)


@pytest.mark.parametrize("keep", [0.05, 0.3, 0.6, 0.95, 0.999])
def test_truncated_file_is_refused(keep):
    data = golden_pte("kws", "int8", "m4")

    with pytest.raises(PteError, match="truncated"):
        read_pte(data[: int(len(data) * keep)], name="kws")


def test_flipped_bits_never_leak_a_traceback():
    """A damaged program is refused in words or still well-formed; nothing else may come out."""
    data = bytearray(golden_pte("ad", "int8", "m4"))
    program_end = int.from_bytes(data[16:24], "little")
    rng = random.Random(11)
    refused = 0
    for _ in range(60):
        position = rng.randrange(40, program_end)
        flipped = bytes(data[:position]) + bytes([data[position] ^ (1 << rng.randrange(8))])
        flipped += bytes(data[position + 1 :])
        try:
            read_pte(flipped, name="ad")
        except ExportError:
            refused += 1

    assert refused > 0
