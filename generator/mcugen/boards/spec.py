# SPDX-License-Identifier: BSD-3-Clause
"""What is known of a board: plain data, checked when it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mcugen.boards.upload import Probe, Upload


class Isa(StrEnum):
    """What the kernels may use. SCALAR: base instructions; DSP: SMLAD and friends; MVE: Helium."""

    SCALAR = "scalar"
    DSP = "dsp"
    MVE = "mve"


class MemoryKind(StrEnum):
    """FLASH holds bytes of the image; RAM is written at run time."""

    FLASH = "flash"
    RAM = "ram"


#: Cores on which loops that load less per product take fewer cycles, though more instructions:
#: N words take 1 + N cycles, or one each (tests/kernels/test_dear_loads.py).
_LOADS_ARE_DEAR = frozenset({"cortex-m4", "cortex-m33"})
# What each core can have, most capable first, and the FPUs GCC accepts for it.
CPU_ISAS: Mapping[str, tuple[Isa, ...]] = {
    "cortex-m0": (Isa.SCALAR,),
    "cortex-m0plus": (Isa.SCALAR,),
    "cortex-m3": (Isa.SCALAR,),
    "cortex-m4": (Isa.DSP, Isa.SCALAR),
    "cortex-m7": (Isa.DSP, Isa.SCALAR),
    "cortex-m23": (Isa.SCALAR,),
    "cortex-m33": (Isa.DSP, Isa.SCALAR),
    "cortex-m55": (Isa.MVE, Isa.DSP, Isa.SCALAR),
    "cortex-m85": (Isa.MVE, Isa.DSP, Isa.SCALAR),
}
CPU_FPUS: Mapping[str, tuple[str, ...]] = {
    "cortex-m4": ("fpv4-sp-d16",),
    "cortex-m7": ("fpv5-sp-d16", "fpv5-d16"),
    "cortex-m33": ("fpv5-sp-d16",),
    "cortex-m55": ("auto",),
    "cortex-m85": ("auto",),
}
# Roles and the kind of memory each needs.
ROLES: Mapping[str, MemoryKind] = {
    "code": MemoryKind.FLASH,
    "model": MemoryKind.FLASH,
    "data": MemoryKind.RAM,
    "stack": MemoryKind.RAM,
    "planned": MemoryKind.RAM,
    "method": MemoryKind.RAM,
    "temp": MemoryKind.RAM,
    "io": MemoryKind.RAM,
}
#: Those that may have several regions, fastest first: a plan chooses by what has room. In the order
#: of how much an inference does with each byte of them.
MOVABLE_ROLES = ("planned", "temp", "method", "io")
#: A region with this role alone is used by the runner image only, which keeps the model it is sent
#: and all its memory there. Without one, the runner takes what is left of the region for "planned".
ARENA = "arena"
CYCLE_COUNTERS = ("dwt", "systick")
FLOAT_ABIS = ("soft", "softfp", "hard")
VERIFIED_LEVELS = ("builds", "qemu", "hardware")


@dataclass(frozen=True)
class ReadWait:
    """How much slower than the core a memory is read, and what hides it."""

    step_hz: int  #: one more wait state for each such step of the core clock that is begun
    line_bytes: int  #: read at once
    code_lines: int  #: lines of instructions that are kept; 0: none

    def wait_states(self, clock_hz: int) -> int:
        """Return the cycles that a line is waited for at a core clock."""
        return (clock_hz - 1) // self.step_hz


@dataclass(frozen=True)
class MemoryRegion:
    """A contiguous stretch of memory and what is placed there."""

    name: str
    start: int
    size_bytes: int
    kind: MemoryKind
    roles: tuple[str, ...]
    wait: ReadWait | None = None  #: None: as fast as the core, or not known

    @property
    def end(self) -> int:
        """First address behind the region."""
        return self.start + self.size_bytes


@dataclass(frozen=True)
class Console:
    """The UART the firmware talks on. `tx`, `rx` are None where there are no pins to set."""

    uart: str
    tx: str | None
    rx: str | None
    baud: int
    base: int


@dataclass(frozen=True)
class Qemu:
    """The machine that runs the image. `counter_hz`: SysTick there.

    With `-icount shift=0`, instructions = ticks · 10⁹ / counter_hz.
    """

    machine: str
    cpu: str | None
    serial_index: int
    counter_hz: int
    extra_args: tuple[str, ...]
    #: Size of the machine's main RAM, where the runner's arena lies at the start of that.
    arena_ram_mib: int | None = None
    #: The first QEMU that has what the image needs of the machine; None: any.
    min_version: str | None = None


@dataclass(frozen=True)
class BoardSpec:
    """One board, checked: every role has a region, and the cpu has what the file claims."""

    id: str
    aliases: tuple[str, ...]
    name: str
    vendor: str
    url: str
    mcu: str
    cpu: str
    isa: Isa
    fpu: str | None
    float_abi: str
    clock_hz: int
    bsp: str
    defines: tuple[tuple[str, str], ...]
    regions: tuple[MemoryRegion, ...]
    console: Console
    cycle_counter: str
    probe: Probe | None
    qemu: Qemu | None
    simulated_only: bool
    verified_level: str
    verified_evidence: str
    sources: Mapping[str, str] = field(hash=False)
    upload: Upload | None = None  #: None: exists in QEMU only
    arena: MemoryRegion | None = None  #: memory that only the runner image uses
    file: str | None = field(default=None, compare=False)  #: of a user's own board

    @property
    def reference(self) -> str:
        """What `load_board` finds it by."""
        return self.file or self.id

    @property
    def arena_region(self) -> MemoryRegion:
        """Where the runner image keeps the model it is sent: the largest that holds a plan."""
        return self.arena or max(self.regions_for("planned"), key=lambda r: r.size_bytes)

    def region_for(self, role: str) -> MemoryRegion:
        """Return the region that carries `role` (a key of ROLES), the fastest of several."""
        return self.regions_for(role)[0]

    def regions_for(self, role: str) -> tuple[MemoryRegion, ...]:
        """Return the regions that may carry `role`, fastest first: those of `MOVABLE_ROLES`."""
        regions = tuple(region for region in self.regions if role in region.roles)
        if not regions:
            raise ValueError(f"no such role: {role!r} (roles: {', '.join(ROLES)})")
        return regions

    @property
    def loads_are_dear(self) -> bool:
        """Whether kernels are chosen by cycles, and those by loads.

        What exists in QEMU only has no cycles: there, instructions count.
        """
        return not self.simulated_only and self.isa is Isa.DSP and self.cpu in _LOADS_ARE_DEAR

    @property
    def machine_flags(self) -> tuple[str, ...]:
        """The flags that tell GCC the core: the same for compiling and linking."""
        cpu = self.cpu
        if self.isa is not CPU_ISAS[cpu][0]:
            # Of the cores that can go below their best, GCC has a switch for these only.
            if cpu in ("cortex-m55", "cortex-m85"):
                cpu += "+nomve" if self.isa is Isa.DSP else "+nomve+nodsp"
            elif cpu == "cortex-m33":
                cpu += "+nodsp"
        flags = [f"-mcpu={cpu}", "-mthumb", f"-mfloat-abi={self.float_abi}"]
        if self.fpu is not None:
            flags.append(f"-mfpu={self.fpu}")
        return tuple(flags)
