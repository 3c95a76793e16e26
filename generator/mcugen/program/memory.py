# SPDX-License-Identifier: BSD-3-Clause
"""What the firmware needs of each memory region, before anything is compiled.

Sizes that follow from the `.pte` are exact and become the sizes of the firmware's sections. Engine
flash and static RAM are only known after a build: until then their upper limits stand in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcugen.base.errors import DoesNotFitError
from mcugen.boards.load import list_boards
from mcugen.boards.spec import BoardSpec, MemoryRegion
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.operator_table import operator
from mcugen.program.placement import Placement, place

#: Alignment of every pool and of each tensor in the I/O staging area.
ALIGNMENT = 16

#: Limit of `.text + .rodata` without the model; a test holds the built firmware to it.
ENGINE_LIMIT_BYTES = 52 * 1024

#: Limit of `.data + .bss` outside the pools and the stack; a test holds the built firmware to it.
STATIC_RAM_LIMIT_BYTES = 4 * 1024

# The most stack on any core, as `python tests/firmware/stack_bound.py IMAGE.elf` reads it from
# machine code, rounded up; tests hold images to it. A file that does not load is refused with a log
# line: that is the deepest of all that is no operator.
#: Boot, loading, answering, and an operator whose entry says nothing.
STACK_BASE_BYTES = 1600
#: The same with MCUGEN_RUNTIME_FULL.
STACK_FULL_BASE_BYTES = 1728
#: What is in use when an operator is called.
STACK_AT_CALL_BYTES = 512
#: An interrupt: 27 words that a core with an FPU pushes, and its handler; and the words at the
#: stack's end that tell of an overflow.
STACK_INTERRUPT_BYTES = 160
#: For another compiler than the one measured with.
STACK_MARGIN_BYTES = 192

_LABELS = {
    "planned": "planned memory",
    "method": "the method allocator",
    "temp": "the temp allocator",
    "io": "input/output staging",
    "stack": "the stack",
    "data": "static data (estimate)",
    "code": "the engine (estimate)",
    "model": "the model",
}


@dataclass(frozen=True)
class RegionUse:
    """What goes into one region of the board."""

    region: MemoryRegion
    role_bytes: tuple[tuple[str, int], ...]  #: (role, bytes), in the board's order of roles

    @property
    def used_bytes(self) -> int:
        """Bytes of all roles together."""
        return sum(size for _, size in self.role_bytes)

    @property
    def free_bytes(self) -> int:
        """What is left; negative when it does not fit."""
        return self.region.size_bytes - self.used_bytes


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes of each pool, and where they go."""

    planned_bytes: tuple[int, ...]  #: per memory-planned buffer, in order of memory id from 1 on
    method_bytes: int
    temp_bytes: int
    io_bytes: int  #: see `io_bytes`
    stack_bytes: int
    model_bytes: int
    engine_estimate_bytes: int
    regions: tuple[RegionUse, ...]
    planned_bound_bytes: int | None = None  #: no plan of the model's tensors has less, if known
    placements: tuple[Placement, ...] = ()  #: of each role; none: where the board says first

    def region_of(self, role: str, board: BoardSpec) -> MemoryRegion:
        """Return where a role's bytes lie."""
        for placement in self.placements:
            if placement.role == role:
                return placement.region
        return board.region_for(role)


def align_up(size: int) -> int:
    """Return `size` rounded up to a multiple of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def io_tensors(artifact: PteArtifact) -> tuple[TensorSpec, ...]:
    """Return the tensors of the staging area, in order: all inputs, then unplanned outputs."""
    return (*artifact.inputs, *(spec for spec in artifact.outputs if not spec.planned))


def io_bytes(artifact: PteArtifact) -> int:
    """Return the size of the staging area, each tensor on its own 16-byte boundary.

    Inputs are kept here and handed to the method before each inference, because planned memory may
    reuse their bytes; outputs that the memory plan leaves to the caller live here.
    """
    return sum(align_up(spec.nbytes) for spec in io_tensors(artifact))


def stack_bytes(operators: Iterable[str], *, full_runtime: bool = False) -> int:
    """Return the size of the stack for a model that calls these operators, in steps of 64 B."""
    base = STACK_FULL_BASE_BYTES if full_runtime else STACK_BASE_BYTES
    deepest = max((operator(name).stack_bytes for name in operators), default=0)
    most = max(base, STACK_AT_CALL_BYTES + deepest) + STACK_INTERRUPT_BYTES + STACK_MARGIN_BYTES
    return -(-most // 64) * 64


def plan_memory(artifact: PteArtifact, board: BoardSpec) -> MemoryPlan:
    """Return the bytes of each pool and the use of each region.

    Raises DoesNotFitError with what is needed, what there is, and what would help.
    """
    plan = _plan(artifact, board)
    for use in plan.regions:
        if use.free_bytes < 0:
            raise DoesNotFitError(_shortage(use, board), hint=_hint(artifact, board))
    return plan


def free_bytes(artifact: PteArtifact, board: BoardSpec, role: str) -> int:
    """Return what is left of the region where a role is, negative where too little is there."""
    return next(
        use.free_bytes for use in _plan(artifact, board).regions if role in dict(use.role_bytes)
    )


def _plan(artifact: PteArtifact, board: BoardSpec) -> MemoryPlan:
    sizes = {
        "code": ENGINE_LIMIT_BYTES,
        "model": align_up(len(artifact.pte)),
        "data": STATIC_RAM_LIMIT_BYTES,
        "stack": max(
            stack_bytes(
                (use.name for use in artifact.operators), full_runtime=artifact.full_runtime
            ),
            artifact.least_stack_bytes,
        ),
        "planned": sum(align_up(size) for size in artifact.planned_buffers),
        "method": align_up(artifact.method_bytes),
        "temp": align_up(artifact.temp_bytes),
        "io": io_bytes(artifact),
    }
    placements = place(sizes, board)
    return MemoryPlan(
        planned_bytes=tuple(align_up(size) for size in artifact.planned_buffers),
        method_bytes=sizes["method"],
        temp_bytes=sizes["temp"],
        io_bytes=sizes["io"],
        stack_bytes=sizes["stack"],
        model_bytes=len(artifact.pte),
        engine_estimate_bytes=sizes["code"],
        regions=tuple(
            RegionUse(
                region,
                tuple(
                    (role, sizes[role])
                    for role in region.roles
                    if any(p.role == role and p.region == region for p in placements)
                ),
            )
            for region in board.regions
        ),
        placements=placements,
        planned_bound_bytes=artifact.planned.bound_bytes if artifact.planned else None,
    )


def _shortage(use: RegionUse, board: BoardSpec) -> str:
    role, size = max(use.role_bytes, key=lambda item: item[1])
    others = [(name, n) for name, n in use.role_bytes if name != role and n]
    message = (
        f"{_LABELS[role]} needs {size:,} B; region '{use.region.name}' of {board.id} "
        f"has {use.region.size_bytes:,} B"
    )
    if others:
        listed = ", ".join(f"{_LABELS[name]} {n:,}" for name, n in others)
        message += f" ({sum(n for _, n in others):,} used by {listed})"
    return f"{message}: {-use.free_bytes:,} B too much"


def _hint(artifact: PteArtifact, board: BoardSpec) -> str:
    advice = []
    if artifact.io == "float":
        # A user's .pte (no ISA on record) keeps the inputs and outputs it was exported with.
        how = "--io int8" if artifact.isa is not None else "exporting with int8 inputs and outputs"
        advice.append(f"{how} (smaller inputs and outputs)")
    fitting = [
        other.id
        for other in list_boards()
        if other.id != board.id
        and all(use.free_bytes >= 0 for use in _plan(artifact, other).regions)
    ]
    advice.append("a smaller input or fewer channels")
    if fitting:
        advice.append("a board where it fits: " + ", ".join(f"--board {name}" for name in fitting))
    return "What would help: " + "; ".join(advice) + "."
