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
from mcugen.program.artifact import PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.planning.arrange import FOREIGN, Passes, arrange, arrange_plan, check_same
from mcugen.program.planning.lifetimes import find_blocks
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
    """Of two inferences with the same memory: the second starts with what the first has left."""
    reference = Reference(artifact)
    rows = [reference.run(some_inputs(artifact, seed)) for seed in (1, 2)]
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
    assert arrange(after).pte == after.pte


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
