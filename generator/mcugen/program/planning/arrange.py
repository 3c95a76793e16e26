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
from mcugen.boards.spec import Isa
from mcugen.program import calls, runtime_layout
from mcugen.program.artifact import OperatorUse, PlannedMemory, PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.describe import operator_uses
from mcugen.program.level import Level
from mcugen.program.memory import ALIGNMENT
from mcugen.program.operator_table import operator
from mcugen.program.packing.conv import Room
from mcugen.program.packing.conv_depthwise import Rewritten
from mcugen.program.packing.pack import pack
from mcugen.program.planning.copies import drop_copies, remove
from mcugen.program.planning.gathering import gather
from mcugen.program.planning.in_place import join_in_place
from mcugen.program.planning.lifetimes import Block, find_blocks
from mcugen.program.planning.order import reorder
from mcugen.program.planning.overlap import (
    find_overlaps,
    find_widened,
    rename_in_place,
    rename_standard,
)
from mcugen.program.planning.overlapping import Overlap, bound_overlapping, place_overlapping
from mcugen.program.planning.placement import Placement, place
from mcugen.program.planning.sharing import part_values, share_values
from mcugen.program.planning.work_space import (
    grow_scratch,
    intervals_of,
    set_offset,
    size_scratch,
    temp_wanted,
)
from mcugen.program.scratch import Need
from mcugen.program.strip import serialize, strip, strip_plan
from mcugen.program.structure import check_structure
from mcugen.program.values import call_name, instructions, kernel_calls, tensor_bytes

if TYPE_CHECKING:
    import numpy as np

#: Files whose change makes a kept result stale.
SOURCES = ("program",)


@dataclass(frozen=True)
class Passes:
    """Which are made."""

    #: Operators prepared ahead of time and scratch as this instruction set's kernels want it; None:
    #: neither.
    isa: Isa | None = None
    level: Level = Level.BALANCED  #: what our kernels do without
    #: For weights of convolutions as the loops read them; None: they stay as they are.
    room: Room | None = None
    #: Bytes that planned memory may have without harm: for scratch, as far as it makes calls
    #: quicker. Where it takes more all the same, it does.
    memory: int = 0
    scratch: bool = True  #: the size that our own kernels want
    #: Where memory is short: no scratch but what is free besides, however slow that makes a call.
    lean: bool = False
    wide: bool = False  #: Weights may take twice their bytes where that saves instructions.
    #: A convolution and the depthwise one behind it may become one call, as far as that takes no
    #: more memory than either.
    joins: bool = True
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
    uses = {use["name"]: use for use in changes["operators"]}
    kept = [
        replace(use, calls=int(uses.pop(use.name)["calls"]))
        for use in artifact.operators
        if use.name in uses
    ]
    return replace(
        artifact,
        pte=data,
        sha256=cache.sha256_hex(data),
        operators=(*kept, *(OperatorUse(**use, layers=()) for use in uses.values())),
        planned_buffers=tuple(int(size) for size in changes["planned_buffers"]),
        method_bytes=int(changes["method_bytes"]),
        temp_bytes=int(changes["temp_bytes"]),
        stripped_bytes=artifact.stripped_bytes + len(artifact.pte) - len(data),
        planned=PlannedMemory.from_json(changes["planned"]),
    )


def _arrange(artifact: PteArtifact, passes: Passes) -> tuple[bytes, dict[str, Any]]:
    file = deserialize(artifact.pte, name=artifact.name)
    plan = find_method(file.program, name=artifact.name)
    before = list(plan.non_const_buffer_sizes)
    isa = passes.isa
    joined: list[Rewritten] = []
    if isa is not None:
        scratch: dict[int, int] = {}
        if find_blocks(plan) is None:  # Packed convolutions want scratch of their own.
            passes = replace(passes, room=None)
        if passes.room is not None:
            # Those that are not packed are to have no less than without.
            scratch, total = _scratch_of(artifact, passes)
            passes = replace(passes, memory=max(passes.memory, total))
        memory = passes.memory if passes.joins and find_blocks(plan) is not None else 0
        joined = pack(
            *(file.program, plan, isa, passes.room, scratch), wide=passes.wide, memory=memory
        )
        remove(plan, [each for one in joined for each in one.gone])
        calls.check_calls(plan)
    count = sum(len(chain.instructions) for chain in plan.chains)
    arranged = arrange_plan(plan, passes)
    if joined and sum(plan.non_const_buffer_sizes[1:]) > passes.memory:
        return _arrange(artifact, replace(passes, joins=False))
    gone = {each for one in joined for each in one.gone}
    kept = [i for i in range(count + len(gone)) if i not in gone]
    keeps = arranged.bound is None and passes.scratch and not passes.lean
    for each in file.program.execution_plan:
        strip_plan(each)
    data = strip(serialize(file), name=artifact.name)
    check_structure(data, name=artifact.name)
    return data, {
        "operators": [
            {"name": use.name, "calls": use.calls, "int8": use.int8} for use in operator_uses(plan)
        ],
        "planned_buffers": plan.non_const_buffer_sizes[1:],
        "method_bytes": runtime_layout.method_allocator_bytes(file.program, plan.name),
        "temp_bytes": temp_wanted(plan, isa, passes.level) if keeps else 0,
        "planned": {
            "exported_bytes": sum(before[1:]),
            "bound_bytes": arranged.bound,
            "dropped_calls": sorted(gone | {kept[each] for each in arranged.dropped}),
            "order": [kept[each] for each in arranged.order],
            "joined_calls": [(each.first, each.second) for each in joined],
        },
    }


def _scratch_of(artifact: PteArtifact, passes: Passes) -> tuple[dict[int, int], int]:
    """Return what a plan has without packed convolutions.

    The scratch of each call, by value of its output, and all planned memory, 0 if it is several.
    """
    file = deserialize(artifact.pte, name=artifact.name)
    plan = find_method(file.program, name=artifact.name)
    assert passes.isa is not None
    pack(file.program, plan, passes.isa)
    arrange_plan(plan, passes)
    found = {}
    for call in kernel_calls(plan):
        for argument, index in zip(
            operator(call_name(plan, call)).arguments, call.args, strict=False
        ):
            if argument.name == "scratch" and not argument.written:
                tensor = plan.values[index].val
                found[call.args[-1]] = tensor_bytes(tensor) if hasattr(tensor, "sizes") else 0
    sizes = plan.non_const_buffer_sizes[1:]
    return found, sizes[0] if len(sizes) == 1 else 0


@dataclass(frozen=True)
class Arranged:
    """What was done to a method."""

    bound: int | None  #: no plan of these blocks has less; None: the exporter's plan was kept
    dropped: Sequence[int]  #: instructions, as they were numbered before
    order: Sequence[int] = ()  #: what they were numbered before, the dropped ones too; (): the same


def arrange_plan(plan: Any, passes: Passes) -> Arranged:
    """Change a method's offsets, sizes and instructions."""
    if find_blocks(plan) is None:
        return Arranged(None, ())
    part_values(plan)
    # What our kernels can do with the memory is known of this set only.
    order = reorder(plan) if passes.isa is Isa.DSP else list(range(len(instructions(plan))))
    needs = size_scratch(plan, passes.isa, passes.level, lean=passes.lean) if passes.scratch else {}
    blocks = find_blocks(plan)
    assert blocks is not None  # smaller work space overlaps no more than before
    dropped = drop_copies(plan, blocks) if passes.copies else []
    rename_standard(plan)
    plans = [blocks, join_in_place(plan, blocks)] if passes.in_place else [blocks]
    bound = 0
    for memory_id in range(1, len(plan.non_const_buffer_sizes)):
        here = [[b for b in each if b.memory_id == memory_id] for each in plans]
        overlaps = [
            find_overlaps(plan, each, passes.isa) if passes.in_place else () for each in here
        ]
        most = passes.memory & -ALIGNMENT
        variants = list(zip(here, overlaps, strict=True))
        widened = [find_widened(plan, each, passes.isa) for each in here if passes.in_place]
        if any(widened):
            more = zip(here, overlaps, widened, strict=True)
            variants = [*((each, [*some, *others]) for each, some, others in more), *variants]
        chosen, placed, least = _place_best(variants, needs, most)
        rename_in_place(plan, placed.overlapping)
        bound += least
        for block, offset in zip(chosen, placed.offsets, strict=True):
            for index, inside in block.members.items():
                set_offset(plan.values[index].val.allocation_info, offset + inside)
        end = grow_scratch(plan, needs, chosen, replace(placed, total=max(placed.total, most)))
        plan.non_const_buffer_sizes[memory_id] = max(placed.total, end)
        loose = find_widened(plan, chosen, passes.isa) if any(widened) else []
        fixed = {*placed.overlapping} - {each.call for each in loose}
        gather(plan, chosen, plan.non_const_buffer_sizes[memory_id], fixed, loose)
    remove(plan, dropped)
    share_values(plan)
    moved = order if order != sorted(order) else ()
    return Arranged(bound, [order[each] for each in dropped], moved)


def _place_best(
    plans: Sequence[tuple[Sequence[Block], Sequence[Overlap]]], needs: dict[int, Need], room: int
) -> tuple[Sequence[Block], Placement, int]:
    """Return the blocks of the plan that needs least, the last one of such, and a bound for all.

    Sharing leaves fewer blocks but longer ones: it need not be better.
    """
    best: tuple[Sequence[Block], Placement] | None = None
    bounds = []
    for blocks, overlaps in reversed(plans):
        intervals = intervals_of(blocks, needs)
        bounds.append(bound_overlapping(intervals, overlaps))
        # Room is for what would grow into it.
        room = room if any(each.wish > each.size for each in intervals) else 0
        if best is not None and bounds[-1] >= best[1].total:
            continue
        if overlaps:
            placed = place_overlapping(intervals, overlaps, room)
        else:
            placed = place(intervals, search=best is None or not best[1].overlapping)
        if best is None or max(placed.total, room) < max(best[1].total, room):
            best = blocks, placed
    assert best is not None
    return *best, min(bounds)
