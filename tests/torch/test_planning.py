# SPDX-License-Identifier: BSD-3-Clause
"""Planned memory planned anew: fewer bytes, and every byte of output as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from mlperf_tiny_vectors import MODELS, golden_pte
from stateful_programs import exported, samples

from mcugen.base.errors import PteError
from mcugen.boards.spec import Isa
from mcugen.program.artifact import PteArtifact
from mcugen.program.call_tensors import Call
from mcugen.program.container import deserialize, find_method
from mcugen.program.level import Level
from mcugen.program.operator_table import operator
from mcugen.program.planning.arrange import FOREIGN, Passes, arrange, arrange_plan, check_same
from mcugen.program.planning.lifetimes import find_blocks
from mcugen.program.planning.overlap import in_place_distance
from mcugen.program.planning.sharing import part_values
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference
from mcugen.program.state import keeps_state
from mcugen.program.strip import serialize
from mcugen.program.values import call_name, is_tensor, kernel_calls, tensor_bytes

NETS = sorted((Path(__file__).parents[1] / "golden" / "nets").glob("*.pte"))
NONE = Passes(scratch=False, copies=False, in_place=False)
PASSES = {
    "placement": NONE,
    "scratch": replace(NONE, scratch=True),
    "copies": replace(NONE, copies=True),
    "in_place": replace(NONE, in_place=True),
    "all": Passes(),
}


def read(path: Path) -> PteArtifact:
    return read_pte(path.read_bytes(), name=path.stem)


def plan_of(artifact: PteArtifact):
    return find_method(deserialize(artifact.pte, name="x").program, name="x")


def some_inputs(artifact: PteArtifact, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.integers(-128, 128, spec.memory_shape).astype(spec.dtype)
        if "int" in spec.dtype
        else rng.standard_normal(spec.memory_shape).astype(spec.dtype)
        for spec in artifact.inputs
    ]


def outputs(artifact: PteArtifact) -> list[bytes]:
    """Of two inferences with the same memory: the second starts with what the first has left.

    What a call works in holds anything behind it, as it does on the device.
    """
    reference = Reference(artifact)
    plan = reference.plan

    def work(position: int) -> None:
        call = plan.chains[0].instructions[position].instr_args
        if type(call).__name__ != "KernelCall":
            return
        arguments = operator(call_name(plan, call)).arguments
        for argument, index in zip(arguments, call.args, strict=False):
            tensor = plan.values[index].val
            if argument.name == "scratch" and is_tensor(plan.values[index], planned=True):
                start = tensor.allocation_info.memory_offset
                end = start + tensor_bytes(tensor)
                reference.planned[tensor.allocation_info.memory_id][start:end] = 0xA5

    rows = [reference.run(some_inputs(artifact, seed), on_step=work) for seed in (1, 2)]
    return [output.tobytes() for row in rows for output in row]


@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_networks_compute_the_same(path, passes):
    before = read(path)

    after = arrange(before, PASSES[passes])

    assert outputs(after) == outputs(before)
    assert after.planned is not None and after.planned.bound_bytes is not None
    assert sum(after.planned_buffers) >= after.planned.bound_bytes
    assert sum(after.planned_buffers) <= sum(before.planned_buffers)
    assert after.planned.dropped_calls == () or PASSES[passes].copies


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cpu", ["m4", "m55"])
def test_mlperf_tiny_needs_no_more_than_its_bound(model, cpu):
    before = read_pte(golden_pte(model, "int8", cpu), name=model)

    after = arrange(before)

    assert outputs(after) == outputs(before)
    # Lower bounds of the layers, by hand: output and input of the largest layer.
    least = {"ad": 768, "ic": 49_152, "kws": 16_000, "vww": 55_296}
    assert after.planned_buffers == (least[model],)
    assert after.planned.bound_bytes == least[model]
    assert after.method_bytes <= before.method_bytes
    assert PteArtifact.from_json(json.loads(json.dumps(after.to_json())), after.pte) == after
    again = arrange(after)
    assert again.planned_buffers == after.planned_buffers
    assert again.method_bytes == after.method_bytes


@pytest.mark.parametrize("model", MODELS)
def test_memory_to_work_in_is_taken_once(model):
    """One part above all else serves each call that finds too little below."""
    artifact = read_pte(golden_pte(model, "int8", "m4"), name=model)
    passes = Passes(Isa.DSP, Level.SPEED, joins=False)

    least = arrange(artifact, passes)
    most = arrange(artifact, replace(passes, memory=1 << 20))

    plan = plan_of(most)
    scratch = max(
        (
            tensor_bytes(plan.values[index].val)
            for call in kernel_calls(plan)
            for argument, index in zip(
                operator(call_name(plan, call)).arguments, call.args, strict=False
            )
            if argument.name == "scratch" and type(plan.values[index].val).__name__ == "Tensor"
        ),
        default=0,
    )
    assert sum(most.planned_buffers) <= sum(least.planned_buffers) + scratch
    assert outputs(most) == outputs(artifact)


@pytest.mark.parametrize("kind", ["zeros", "start", "branch", "numbers"])
def test_state_stays_from_one_inference_to_the_next(kind):
    before = read_pte(exported(kind), name=kind)

    after = arrange(before)

    if kind != "numbers":
        runs = [
            [Reference(each).run([x.numpy()])[0].tobytes() for x in samples(4)]
            for each in (before, after)
        ]
        assert runs[0] == runs[1]
        references = [Reference(each) for each in (before, after)]
        for x in samples(4):
            first, second = (each.run([x.numpy()])[0] for each in references)
            assert first.tobytes() == second.tobytes()
    assert keeps_state(plan_of(after)) == before.keeps_state
    # Branches and moves: the exporter's plan.
    kept = find_blocks(plan_of(before)) is None
    assert kept == (kind == "branch")
    assert (after.planned.bound_bytes is None) == kept
    assert not kept or after.pte == before.pte


@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_what_lives_at_one_time_lies_apart(path):
    """From the file's instructions alone: nothing is overwritten before its last use."""
    artifact = arrange(read(path), replace(Passes(), in_place=False))
    plan = plan_of(artifact)
    part_values(plan)

    blocks = find_blocks(plan)

    assert blocks is not None
    lives = [
        (b, plan.values[i].val.allocation_info.memory_offset - offset)
        for b in blocks
        for i, offset in list(b.members.items())[:1]
    ]
    for (a, at_a), (b, at_b) in combinations(lives, 2):
        together = a.first <= b.last and b.first <= a.last and a.memory_id == b.memory_id
        assert not together or at_a + a.size <= at_b or at_b + b.size <= at_a
    for value in plan.values:
        if is_tensor(value, planned=True):
            assert value.val.allocation_info.memory_offset % 16 == 0


@pytest.mark.parametrize("isa", [Isa.DSP, Isa.SCALAR])
@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_results_lie_over_operands_behind_what_is_still_read(path, isa):
    """Pixel by pixel: what a convolution writes, no later window of it reads."""
    before = read(path)
    after = arrange(before, Passes(isa))
    plan = plan_of(after)

    assert outputs(after) == outputs(before)
    for call in kernel_calls(plan):
        if "_in_place" not in call_name(plan, call):
            continue
        read_call = Call(plan, operator(call_name(plan, call)), call.args)
        operand, result = (
            plan.values[i].val.allocation_info for i in (call.args[0], call.args[-1])
        )
        apart = operand.memory_offset - result.memory_offset
        assert apart >= in_place_distance(read_call)
        assert apart >= pixel_by_pixel(read_call)
        if "depthwise" in call_name(plan, call):
            assert apart % read_call.nhwc("input")[3] == 0
            assert read_call.nhwc("input")[3] % 4 == 0


def pixel_by_pixel(call: Call) -> int:
    """The least distance, from the addresses of each pixel and of what its window may read."""
    _, in_h, in_w, in_ch = call.nhwc("input")
    _, out_h, out_w, out_ch = call.nhwc("out")
    (down, along), (top, left) = call.pair("stride"), call.pair("padding")
    distance, still_read = -(10**9), in_h * in_w * in_ch
    for y in reversed(range(out_h)):
        for x in reversed(range(out_w)):
            first = max(0, y * down - top) * in_w + max(0, x * along - left)
            still_read = min(still_read, first * in_ch)
            distance = max(distance, (y * out_w + x + 1) * out_ch - still_read)
    return distance


def test_the_distance_is_that_of_all_pixels():
    for seed in range(500):
        check_distance(np.random.default_rng(seed))


def check_distance(rng):
    (h, w), (kernel_h, kernel_w) = rng.integers(1, 14, 2), rng.integers(1, 6, 2)
    stride, padding = rng.integers(1, 4, 2), rng.integers(0, 4, 2)
    out_h = (h + 2 * padding[0] - kernel_h) // stride[0] + 1
    out_w = (w + 2 * padding[1] - kernel_w) // stride[1] + 1
    if out_h < 1 or out_w < 1:
        return
    in_ch, out_ch = rng.integers(1, 40, 2)

    class Window:
        nhwc = {"input": (1, h, w, in_ch), "out": (1, out_h, out_w, out_ch)}.__getitem__
        pair = {"stride": stride, "padding": padding}.__getitem__

    least = pixel_by_pixel(Window)

    # Windows that read nothing but padding behind the image are taken to read there.
    assert in_place_distance(Window) <= least
    beyond = (out_h - 1) * stride[0] - padding[0] >= h or (out_w - 1) * stride[1] - padding[1] >= w
    assert beyond or in_place_distance(Window) == least


def test_kws_needs_half_of_two_tensors():
    """Every layer over the one before: 8,000 B, and what windows of later rows still read."""
    after = arrange(
        read_pte(golden_pte("kws", "int8", "m4"), name="kws"), Passes(Isa.DSP, lean=True)
    )

    assert after.planned_buffers[0] <= 11_000
    assert {use.name: use.calls for use in after.operators}["mcugen::conv2d_in_place.out"] >= 4
    again = arrange(after, Passes(Isa.DSP, lean=True))
    assert again.planned_buffers == after.planned_buffers
    assert outputs(again) == outputs(after)


def test_a_foreign_runtime_keeps_its_scratch_and_its_operands():
    before = read_pte(golden_pte("ic", "int8", "m4"), name="ic")

    after = arrange(before, FOREIGN)

    def scratch(artifact):
        plan = plan_of(artifact)
        return [
            tensor_bytes(plan.values[call.args[-3]].val)
            for call in kernel_calls(plan)
            if "conv2d" in call_name(plan, call) or "avg_pool" in call_name(plan, call)
        ]

    assert scratch(after) == scratch(before)
    assert outputs(after) == outputs(before)


def test_an_addition_lies_where_its_first_operand_was():
    artifact = arrange(read_pte(golden_pte("ic", "int8", "m4"), name="ic"))
    plan = plan_of(artifact)

    adds = [c for c in kernel_calls(plan) if "add" in call_name(plan, c)]

    places = [
        [
            plan.values[i].val.allocation_info.memory_offset
            for i in (c.args[0], c.args[4], c.args[-1])
        ]
        for c in adds
    ]
    assert places
    assert all(out in (a, b) and a != b for a, b, out in places)


def test_a_wrong_plan_is_refused():
    """A fault of ours must not become the reference that the device is held to."""
    before = read_pte(golden_pte("ic", "int8", "m4"), name="ic")
    file = deserialize(before.pte, name="ic")
    plan = find_method(file.program, name="ic")
    for value in plan.values:
        if is_tensor(value, planned=True):
            value.val.allocation_info.memory_offset_low = 0

    with pytest.raises(PteError, match="changed what it computes"):
        check_same(before, replace(before, pte=serialize(file)))


def test_copies_of_kws_are_gone():
    """Two clones and a pad by nothing, 8,000 B each."""
    before = read_pte(golden_pte("kws", "int8", "m4"), name="kws")

    after = arrange(before)

    assert after.planned.dropped_calls == (1, 10, 11)
    assert {use.name: use.calls for use in after.operators} == {
        use.name: use.calls
        for use in before.operators
        if "clone" not in use.name and "pad" not in use.name
    }


def test_the_same_plan_each_time():
    plans = []
    for _ in range(2):
        plan = plan_of(read(NETS[0]))
        arrange_plan(plan, Passes())
        plans.append(
            [v.val.allocation_info.memory_offset for v in plan.values if is_tensor(v, planned=True)]
        )

    assert plans[0] == plans[1]
