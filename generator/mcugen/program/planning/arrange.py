# SPDX-License-Identifier: BSD-3-Clause
"""Plan a stripped `.pte` anew: nothing for unused scratch, no needless copies, best placement.

Each pass leaves every output byte as it was. The stage after `read_pte` and the comparison with the
model, before `plan_memory`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mcugen.base import cache
from mcugen.base.errors import PteError
from mcugen.program import runtime_layout
from mcugen.program.artifact import PlannedMemory, PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.describe import operator_uses
from mcugen.program.memory import align_up
from mcugen.program.operator_table import operator
from mcugen.program.planning.copies import drop_copies, remove
from mcugen.program.planning.in_place import join_in_place
from mcugen.program.planning.lifetimes import Block, find_blocks
from mcugen.program.planning.placement import Interval, Placement, place
from mcugen.program.scratch import scratch_bytes
from mcugen.program.strip import serialize, strip_plan
from mcugen.program.structure import check_structure
from mcugen.program.values import call_name, kernel_calls, tensor_bytes

if TYPE_CHECKING:
    import numpy as np

#: Files whose change makes a kept result stale.
SOURCES = ("program",)


@dataclass(frozen=True)
class Passes:
    """Which are made."""

    scratch: bool = True  #: the size that our own kernels want
    copies: bool = True
    in_place: bool = True  #: as our own kernels allow


#: For kernels that are not ours: their scratch, and no result where an operand is.
FOREIGN = Passes(scratch=False, in_place=False)


def arrange(artifact: PteArtifact, passes: Passes | None = None) -> PteArtifact:
    """Return the artifact with planned memory planned anew, and fewer calls if some only copied.

    Two inferences on the host, before and after, must give the same bytes; kept by the file's
    sha256. Raises PteError if they do not, or the file cannot be read again.
    """
    passes = passes or Passes()
    key = cache.make_key(
        what="arrange",
        pte=artifact.sha256,
        passes=vars(passes),
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("executorch",)),
    )
    kept = cache.load("arranged", key)
    if kept is not None:
        try:
            return _changed(artifact, kept["model.pte"], json.loads(kept["changes.json"]))
        except (KeyError, TypeError, ValueError, PteError, RecursionError):
            pass
    data, changes = _arrange(artifact, passes)
    check_same(artifact, _changed(artifact, data, changes))
    cache.store(
        "arranged",
        key,
        {"model.pte": data, "changes.json": json.dumps(changes, sort_keys=True).encode()},
    )
    return _changed(artifact, data, changes)


def check_same(before: PteArtifact, after: PteArtifact) -> None:
    """Run both on the host, twice; raise PteError unless all outputs are equal in every byte.

    The host reference lays values out as the file says, so a value that is overwritten before its
    last use shows (not one that a call overwrites while it reads it: the reference computes a whole
    result first). Nothing is said where it cannot run the program, or not on random numbers.
    """
    from mcugen.program.reference.walker import Reference

    try:
        reference = Reference(before)
        wanted = [reference.run(_some_inputs(before, seed)) for seed in (0, 1)]
    except Exception:  # an index out of range, an operator that only the device has, ...
        return
    planned = Reference(after)
    for seed, outputs in enumerate(wanted):
        got = planned.run(_some_inputs(after, seed))
        if any(a.tobytes() != b.tobytes() for a, b in zip(outputs, got, strict=True)):
            raise PteError(
                f"{before.name}: planning its memory anew changed what it computes",
                hint="This is a fault of mcugen's: please report it with the .pte.",
            )


def _some_inputs(artifact: PteArtifact, seed: int) -> list[np.ndarray]:
    import numpy as np

    rng = np.random.default_rng(seed)
    found = []
    for spec in artifact.inputs:
        dtype = np.dtype(spec.dtype)
        if spec.fixed is not None:
            values = np.full(spec.memory_shape, spec.fixed)
        elif dtype.kind in "iu" and dtype.itemsize == 1:
            values = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, spec.memory_shape)
        elif dtype.kind == "f":
            values = rng.normal(0, 1, spec.memory_shape)
        else:
            values = rng.integers(0, 2, spec.memory_shape)
        found.append(values.astype(dtype))
    return found


def _changed(artifact: PteArtifact, data: bytes, changes: dict[str, Any]) -> PteArtifact:
    calls = {name: int(n) for name, n in changes["calls"].items()}
    return replace(
        artifact,
        pte=data,
        sha256=cache.sha256_hex(data),
        operators=tuple(
            replace(use, calls=calls[use.name]) for use in artifact.operators if use.name in calls
        ),
        planned_buffers=tuple(int(size) for size in changes["planned_buffers"]),
        method_bytes=int(changes["method_bytes"]),
        stripped_bytes=artifact.stripped_bytes + len(artifact.pte) - len(data),
        planned=PlannedMemory.from_json(changes["planned"]),
    )


def _arrange(artifact: PteArtifact, passes: Passes) -> tuple[bytes, dict[str, Any]]:
    file = deserialize(artifact.pte, name=artifact.name)
    plan = find_method(file.program, name=artifact.name)
    before = list(plan.non_const_buffer_sizes)
    arranged = arrange_plan(plan, passes)
    for each in file.program.execution_plan:
        strip_plan(each)
    data = serialize(file)
    check_structure(data, name=artifact.name)
    return data, {
        "calls": {use.name: use.calls for use in operator_uses(plan)},
        "planned_buffers": plan.non_const_buffer_sizes[1:],
        "method_bytes": runtime_layout.method_allocator_bytes(file.program, plan.name),
        "planned": {
            "exported_bytes": sum(before[1:]),
            "bound_bytes": arranged.bound,
            "dropped_calls": list(arranged.dropped),
        },
    }


@dataclass(frozen=True)
class Arranged:
    """What was done to a method."""

    bound: int | None  #: no plan of these blocks has less; None: the exporter's plan was kept
    dropped: Sequence[int]  #: instructions, as they were numbered before


def arrange_plan(plan: Any, passes: Passes) -> Arranged:
    """Change a method's offsets, sizes and instructions."""
    if find_blocks(plan) is None:
        return Arranged(None, ())
    if passes.scratch:
        _size_scratch(plan)
    blocks = find_blocks(plan)
    assert blocks is not None  # smaller work space overlaps no more than before
    dropped = drop_copies(plan, blocks) if passes.copies else []
    plans = [blocks, join_in_place(plan, blocks)] if passes.in_place else [blocks]
    bound = 0
    for memory_id in range(1, len(plan.non_const_buffer_sizes)):
        choices = [_place([b for b in each if b.memory_id == memory_id]) for each in plans]
        # Sharing leaves fewer blocks but longer ones: it need not be better.
        best = min(reversed(range(len(choices))), key=lambda i: choices[i].total)
        chosen = [b for b in plans[best] if b.memory_id == memory_id]
        bound += min(choice.bound for choice in choices)
        plan.non_const_buffer_sizes[memory_id] = choices[best].total
        for block, offset in zip(chosen, choices[best].offsets, strict=True):
            for index, inside in block.members.items():
                _set_offset(plan.values[index].val.allocation_info, offset + inside)
    remove(plan, dropped)
    return Arranged(bound, dropped)


def _place(blocks: Sequence[Block]) -> Placement:
    return place([Interval(align_up(b.size), b.first, b.last) for b in blocks])


def _set_offset(allocation: Any, offset: int) -> None:
    allocation.memory_offset_low = offset & 0xFFFFFFFF
    allocation.memory_offset_high = offset >> 32


def _size_scratch(plan: Any) -> None:
    """Give the scratch of each call the size that our kernel wants; one for all that want none."""
    empty = None
    for call in kernel_calls(plan):
        called = operator(call_name(plan, call))
        for position, argument in enumerate(called.arguments):
            if argument.name != "scratch" or argument.written or position >= len(call.args):
                continue
            tensor = plan.values[call.args[position]].val
            if type(tensor).__name__ != "Tensor" or tensor.allocation_info is None:
                continue
            size = scratch_bytes(plan, call)
            if size == 0 and empty is not None:
                call.args[position] = empty
                continue
            tensor.sizes, tensor.dim_order = [1], [0]
            tensor.sizes = [-(-size // tensor_bytes(tensor))]
            if size == 0:
                empty = call.args[position]
