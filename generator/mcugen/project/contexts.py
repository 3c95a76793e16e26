# SPDX-License-Identifier: BSD-3-Clause
"""A frozen dataclass per template: everything the template places, nothing it computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from mcugen.project.upstream.kernels import UpstreamKernel


@dataclass(frozen=True)
class PlatformioContext:
    """platformio.ini."""

    template: ClassVar[str] = "platformio.ini.j2"
    env_name: str
    board_id: str
    upload_protocol: str  #: of plain `pio run -t upload`
    baud: int
    kernels: bool = True  #: ours, rather than those of ExecuTorch's own libraries


@dataclass(frozen=True)
class LinkerRegion:
    """One line of MEMORY."""

    name: str
    access: str  #: "rx" or "rwx"
    start: int
    length: str  #: "512K"


@dataclass(frozen=True)
class RamSection:
    """One output section (or, for data, three) in RAM."""

    kind: str  #: "stack", "data" or the section's name
    region: str


@dataclass(frozen=True)
class LinkerContext:
    """linker/memory.ld."""

    template: ClassVar[str] = "memory.ld.j2"
    regions: tuple[LinkerRegion, ...]
    code: str  #: region of code and of .data's initial values
    data: str  #: region of .data
    model: str | None  #: region of the model; None: it lies in the arena
    arena: str | None  #: region whose rest is a runner's arena
    ram_sections: tuple[RamSection, ...]  #: in order of address within each region
    stack_bytes: int
    stack_guard: bool  #: nothing lies right below the stack
    constructors: bool = False  #: static constructors are run, by firmware/upstream/main.cpp


@dataclass(frozen=True)
class Pool:
    """A static array for one role of the memory plan."""

    name: str
    section: str
    size_bytes: int


@dataclass(frozen=True)
class AppConfigContext:
    """src/app_config.cpp."""

    template: ClassVar[str] = "app_config.cpp.j2"
    firmware_id: str  #: empty while the id is being computed
    model_name: str
    profile_model: str
    method_name: str
    pte_bytes: int
    pte_crc32: int  #: CRC-32/ISO-HDLC
    pte_sha256: str
    num_operators: int
    pools: tuple[Pool, ...]  #: planned buffers first
    planned: tuple[Pool, ...]  #: by memory id, from 1 on
    method_pool: str  #: C++ expression of type Span<uint8_t>
    temp_pool: str
    io_pool: str
    output_scale: str  #: C float literal
    output_zero_point: int
    softmax: bool
    keeps_state: bool


@dataclass(frozen=True)
class RunnerConfigContext:
    """src/app_config.cpp of a runner."""

    template: ClassVar[str] = "runner_config.cpp.j2"
    firmware_id: str  #: empty while the id is being computed
    num_operators: int


@dataclass(frozen=True)
class BoardConfigContext:
    """src/board_config.cpp."""

    template: ClassVar[str] = "board_config.cpp.j2"
    id: str
    vendor: str
    clock_hz: int
    baud: int


@dataclass(frozen=True)
class OperatorRow:
    """An operator's schema name and the function in mcugen::ops that implements it."""

    name: str
    function: str


@dataclass(frozen=True)
class OperatorsContext:
    """src/operators.cpp."""

    template: ClassVar[str] = "operators.cpp.j2"
    operators: tuple[OperatorRow, ...]


@dataclass(frozen=True)
class UpstreamKernelsContext:
    """src/operators.cpp where ExecuTorch's own libraries are linked."""

    template: ClassVar[str] = "upstream_kernels.cpp.j2"
    kernels: tuple[UpstreamKernel, ...]  #: in the order of their operators
    namespaces: tuple[tuple[str, tuple[UpstreamKernel, ...]], ...]  #: functions to declare in each
    ours: tuple[OperatorRow, ...]  #: operators that ExecuTorch does not have


@dataclass(frozen=True)
class LibraryContext:
    """lib/*/library.json."""

    template: ClassVar[str] = "library.json.j2"
    name: str
    version: str
    description: str
    license: str
    dependencies: tuple[str, ...]
    flags: tuple[str, ...]  #: behind the platform's, so `-O2` here wins


@dataclass(frozen=True)
class TensorRow:
    """One input or output, in the header and in the README."""

    side: str  #: "input" or "output"
    index: int
    identifier: str  #: in C++
    title: str  #: as the model calls it
    dtype: str  #: numpy's name
    element: str  #: C++ type
    sizes: tuple[int, ...]
    elements: int
    nbytes: int
    memory: str  #: order, in words
    meaning: str  #: what an element stands for, in words
    axes: tuple[str, ...]  #: what the header calls the indices
    offset: str  #: C++ expression of an element's place, from `axes`
    scale: str | None  #: C float literal; None: not quantized
    inverse_scale: str | None
    zero_point: int
    fixed: bool  #: a number that the model was exported with


@dataclass(frozen=True)
class ModelIoContext:
    """include/model_io.h."""

    template: ClassVar[str] = "model_io.h.j2"
    model_name: str  #: in quotes
    inputs: tuple[TensorRow, ...]
    outputs: tuple[TensorRow, ...]


@dataclass(frozen=True)
class MemoryRow:
    """One line of the README's memory table."""

    role: str
    region: str
    size_bytes: int


@dataclass(frozen=True)
class ReadmeContext:
    """README.md."""

    template: ClassVar[str] = "project_readme.md.j2"
    model_name: str
    pte_bytes: int
    pte_sha256: str
    board_id: str
    board_name: str
    cpu: str
    clock_mhz: str
    baud: int
    env_name: str
    upload_protocol: str
    qemu_machine: str | None
    inputs: tuple[TensorRow, ...]
    outputs: tuple[TensorRow, ...]
    stack_bytes: int
    memory: tuple[MemoryRow, ...]
    executorch_version: str
    own_runtime: bool  #: rather than ExecuTorch's own libraries


@dataclass(frozen=True)
class RunnerReadmeContext:
    """README.md of a runner."""

    template: ClassVar[str] = "runner_readme.md.j2"
    board_id: str
    board_name: str
    env_name: str
    upload_protocol: str
    qemu_machine: str | None
    arena: str
    arena_bytes: int
    executorch_version: str


Context = (
    PlatformioContext
    | LinkerContext
    | AppConfigContext
    | RunnerConfigContext
    | RunnerReadmeContext
    | BoardConfigContext
    | OperatorsContext
    | UpstreamKernelsContext
    | LibraryContext
    | ModelIoContext
    | ReadmeContext
)
