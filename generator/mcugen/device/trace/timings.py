# SPDX-License-Identifier: BSD-3-Clause
"""How long instructions take on a core, without wait states: what Arm publishes, else a model.

docs/performance.md says what each model leaves out and how far it is known to be off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcugen.device.trace.kinds import Kind


@dataclass(frozen=True)
class CoreTimings:
    """Cycles of a core's instructions.

    cycles: of each kind; of LOAD_MANY and STORE_MANY what is added to one cycle per word.
    taken: what a BRANCH, CALL or TABLE_BRANCH that is taken, or another write to PC, adds.
    """

    source: str
    cycles: Mapping[Kind, float]
    taken: Mapping[Kind, float]
    pipelined_loads: bool = False  #: a LOAD behind a LOAD saves a cycle, unless it needs its result
    load_use: float = 0  #: what an instruction adds that needs what the one before it loaded
    issues: int = 1  #: instructions per cycle at most; 2: `latency` counts, see `cycles`
    latency: Mapping[Kind, float] = field(default_factory=dict)

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
#: 1 + P: P is 1 to 3 cycles, "depending on the alignment and width of the target"; 2 is taken.
_REFILL: dict[Kind, float] = {Kind.BRANCH: 2, Kind.CALL: 2, Kind.TABLE_BRANCH: 3}

_ARMV6M: dict[Kind, float] = {
    Kind.LOAD: 2,
    Kind.STORE: 2,
    Kind.LOAD_MANY: 1,
    Kind.STORE_MANY: 1,
    Kind.SYSTEM: 3,
}

#: By GCC's name of the CPU. A core that is not here has no estimate.
TIMINGS: Mapping[str, CoreTimings] = {
    "cortex-m0": CoreTimings(
        source="Arm DDI 0432C, table 3-1, with the multiplier that takes 1 cycle",
        cycles=_ARMV6M | {Kind.SYSTEM: 4},
        taken={Kind.BRANCH: 2, Kind.CALL: 3},
    ),
    "cortex-m0plus": CoreTimings(
        source="Arm DDI 0484C, table 3-1, with the multiplier that takes 1 cycle",
        cycles=_ARMV6M,
        taken={Kind.BRANCH: 1, Kind.CALL: 2},
    ),
    "cortex-m3": CoreTimings(
        source="Arm DDI 0337H, table 3-1; long multiplications and divisions in the middle",
        cycles=_ARMV7M
        | {
            Kind.ACCUMULATE: 2,
            Kind.MULTIPLY_LONG: 4,  # 3 to 5
            Kind.ACCUMULATE_LONG: 5.5,  # 4 to 7
        },
        taken=_REFILL,
        pipelined_loads=True,
    ),
    "cortex-m4": CoreTimings(
        source="Arm DDI 0439B, table 3-1 and section 3.3.3; divisions in the middle",
        cycles=_ARMV7M,
        taken=_REFILL,
        pipelined_loads=True,
    ),
    "cortex-m33": CoreTimings(
        source="no published table; Cortex-M4's, but loads take 1 cycle, 2 where the next "
        "instruction needs the result, and a taken branch 2 (branches are resolved a stage "
        "earlier); pairs of 16-bit instructions issued together are left out",
        cycles=_ARMV7M | {Kind.LOAD: 1, Kind.LOAD_MANY: 0, Kind.STORE_MANY: 0},
        taken={Kind.BRANCH: 1, Kind.CALL: 1, Kind.TABLE_BRANCH: 2},
        load_use=1,
    ),
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
