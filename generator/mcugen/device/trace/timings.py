# SPDX-License-Identifier: BSD-3-Clause
"""How long instructions take on a core, without wait states: what Arm publishes, else a model.

docs/performance.md says what each model leaves out and how far it is known to be off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mcugen.device.trace.kinds import Kind


@dataclass(frozen=True)
class CoreTimings:
    """Cycles of a core's instructions.

    cycles: of each kind; of LOAD_MANY and STORE_MANY what is added to one cycle per word.
    taken: what a BRANCH, CALL or TABLE_BRANCH that is taken adds; what else writes PC adds its own,
        or what a BRANCH does.
    """

    source: str
    cycles: Mapping[Kind, float]
    taken: Mapping[Kind, float]
    pipelined_loads: bool = False  #: a LOAD behind a LOAD saves a cycle, unless it needs its result
    updates_alone: bool = False  #: no cycle is saved where one moves its base
    address_wait: float = 0  #: what an address adds that the instruction before computed
    indexed_store: float = 0  #: what a STORE to [Rn, Rm] adds, but behind a LOAD
    load_use: float = 0  #: what an instruction adds that needs what the one before it loaded
    issues: int = 1  #: instructions per cycle at most; 2: `latency` counts, see `cycles`
    latency: Mapping[Kind, float] = field(default_factory=dict)
    #: Where Arm publishes a range, its ends: of `cycles`, and of what a taken branch adds.
    least: Mapping[Kind, float] = field(default_factory=dict)
    most: Mapping[Kind, float] = field(default_factory=dict)
    refill: float = 0  #: what is added to or taken off `taken`
    published: bool = False  #: by Arm; else a model

    def bounds(self) -> tuple[CoreTimings, CoreTimings] | None:
        """Return the timings with the least and the most of each range; None for a model."""
        if not self.published:
            return None
        low = {kind: cycles - self.refill for kind, cycles in self.taken.items()}
        high = {kind: cycles + self.refill for kind, cycles in self.taken.items()}
        return (
            replace(self, cycles={**self.cycles, **self.least}, taken=low),
            replace(self, cycles={**self.cycles, **self.most}, taken=high),
        )

    def of(self, kind: Kind) -> float:
        """Return the cycles of a kind, 1 where nothing is said."""
        return self.cycles.get(kind, 1)


_ARMV7M: dict[Kind, float] = {
    Kind.LOAD: 2,
    Kind.LOAD_MANY: 1,
    Kind.STORE_MANY: 1,
    Kind.DIVIDE: 7,  # 2 to 12, by the operands: the middle
    Kind.SYSTEM: 2,
    Kind.FLOAT_ACCUMULATE: 3,
    Kind.FLOAT_DIVIDE: 14,
}
#: Behind 1 (TBB: 2) + P. P is 1 to 3 cycles, "depending on the alignment and width of the target";
#: 2 is taken. (The section on loads says "at least six" of TBB, where the table says 2 + P.)
_REFILL: dict[Kind, float] = {Kind.BRANCH: 2, Kind.CALL: 2, Kind.TABLE_BRANCH: 3}

_ARMV6M: dict[Kind, float] = {
    Kind.LOAD: 2,
    Kind.STORE: 2,
    Kind.LOAD_MANY: 1,
    Kind.STORE_MANY: 1,
    Kind.SYSTEM: 3,
}

#: What each was compared with, value by value, is said above it.
#: By GCC's name of the CPU. A core that is not here has no estimate.
TIMINGS: Mapping[str, CoreTimings] = {
    # All of table 3-1, as quoted from infocenter.arm.com, ddi0432c/CHDCICDF. CPS, SEV, YIELD:
    # 1 there, here what MRS, MSR and barriers take.
    "cortex-m0": CoreTimings(
        source="Arm DDI 0432C, table 3-1, with the multiplier that takes 1 cycle",
        cycles=_ARMV6M | {Kind.SYSTEM: 4},
        taken={Kind.BRANCH: 2, Kind.CALL: 3, Kind.LOAD_MANY: 3},
        published=True,
    ),
    # Table 3-1 on infocenter.arm.com, ddi0484c/CHDCICDF, and in NXP's LPC800 user manual, from the
    # top down to single loads (2; 1 from the I/O port) and writes to PC (2). Stores, LDM, POP with
    # PC (3 + N), calls (3) and MRS (3) could not be read there: they are as remembered.
    "cortex-m0plus": CoreTimings(
        source="Arm DDI 0484C, table 3-1, with the multiplier that takes 1 cycle",
        cycles=_ARMV6M,
        taken={Kind.BRANCH: 1, Kind.CALL: 2, Kind.LOAD_MANY: 2},
        published=True,
    ),
    # Arithmetic, multiplications, divisions and P: table 3-1 on infocenter.arm.com,
    # ddi0337h/CHDDIGAC. Loads and stores in pairs: section 3.3.2, ddi0337i/CHDIJAFG.
    "cortex-m3": CoreTimings(
        source="Arm DDI 0337H, table 3-1, and DDI 0337I, 3.3.2; long multiplications and divisions "
        "in the middle",
        cycles=_ARMV7M
        | {
            Kind.ACCUMULATE: 2,
            Kind.MULTIPLY_LONG: 4,  # 3 to 5
            Kind.ACCUMULATE_LONG: 5.5,  # 4 to 7
        },
        taken=_REFILL,
        pipelined_loads=True,
        updates_alone=True,
        address_wait=1,
        indexed_store=1,
        least={Kind.DIVIDE: 2, Kind.MULTIPLY_LONG: 3, Kind.ACCUMULATE_LONG: 4},
        most={Kind.DIVIDE: 12, Kind.MULTIPLY_LONG: 5, Kind.ACCUMULATE_LONG: 7},
        refill=1,
        published=True,
    ),
    # Table 3-1 of Arm 100166_0001 (the same manual, r0p1) and as 3-25 and 3-27 (FPU) in TI SWCU192:
    # multiplications, divisions, P, and floats but for stores. Loads and stores in pairs: TI
    # SWCU185, which does not have the M3's sentence about loads that move their base.
    "cortex-m4": CoreTimings(
        source="Arm DDI 0439B, table 3-1 and section 3.3.3; divisions in the middle",
        cycles=_ARMV7M,
        taken=_REFILL,
        pipelined_loads=True,
        address_wait=1,
        indexed_store=1,
        least={Kind.DIVIDE: 2},
        most={Kind.DIVIDE: 12},
        refill=1,
        published=True,
    ),
    # Nothing was found to compare it with.
    "cortex-m33": CoreTimings(
        source="no published table; Cortex-M4's, but loads take 1 cycle, 2 where the next "
        "instruction needs the result, and a taken branch 2 (branches are resolved a stage "
        "earlier); pairs of 16-bit instructions issued together are left out",
        cycles=_ARMV7M | {Kind.LOAD: 1, Kind.LOAD_MANY: 0, Kind.STORE_MANY: 0},
        taken={Kind.BRANCH: 1, Kind.CALL: 1, Kind.TABLE_BRANCH: 2},
        load_use=1,
    ),
    # Latencies of floats (3, 6, 16): as in LLVM's ARMScheduleM7.td, reviews.llvm.org/D94605. The
    # others were not found. quinapalus.com/cm7cycles.html has pairs measured on an STM32H730.
    "cortex-m7": CoreTimings(
        source="no published table; two instructions a cycle in order, with the units and "
        "latencies that compilers assume (LLVM ARMScheduleM7.td, GCC cortex-m7.md), taken branches "
        "predicted, everything in tightly coupled memory",
        cycles={
            Kind.LOAD_MANY: 0,  # words in pairs, see `cycles`
            Kind.STORE_MANY: 0,
            Kind.DIVIDE: 7,
            Kind.SYSTEM: 3,
            Kind.FLOAT_DIVIDE: 16,
            Kind.TABLE_BRANCH: 2,
        },
        taken={Kind.BRANCH: 1, Kind.CALL: 1, Kind.TABLE_BRANCH: 1},
        issues=2,
        latency={
            Kind.LOAD: 2,
            Kind.LOAD_MANY: 2,
            Kind.MULTIPLY: 2,
            Kind.ACCUMULATE: 2,
            Kind.MULTIPLY_LONG: 2,
            Kind.ACCUMULATE_LONG: 2,
            Kind.FLOAT: 3,
            Kind.FLOAT_ACCUMULATE: 6,
            Kind.FLOAT_DIVIDE: 16,
        },
    ),
}
