# SPDX-License-Identifier: BSD-3-Clause
"""A model, a board and an image small enough to reason about, for tests without a compiler."""

from __future__ import annotations

from pathlib import Path

from mcugen.base.cache import sha256_hex
from mcugen.boards.load import load_board
from mcugen.boards.spec import BoardSpec, Isa
from mcugen.program.artifact import OperatorUse, PteArtifact, TensorSpec
from mcugen.program.memory import MemoryPlan, plan_memory
from mcugen.project.build import BuiltImage
from mcugen.project.manifest import FirmwareProject

FIRMWARE_ID = "0123456789abcdef"


def tensor(name: str = "x", dtype: str = "int8", **changes: object) -> TensorSpec:
    values = {
        "name": name,
        "shape": (1, 2, 2, 4),
        "dim_order": (0, 2, 3, 1),
        "dtype": dtype,
        "scale": 0.5 if dtype == "int8" else None,
        "zero_point": 3 if dtype == "int8" else None,
        "planned": True,
    }
    return TensorSpec(**(values | changes))


def artifact(**changes: object) -> PteArtifact:
    pte = b"not parsed by anything here" * 4
    values = {
        "pte": pte,
        "name": "double",
        "sha256": sha256_hex(pte),
        "source_sha256": sha256_hex(b"before"),
        "method_name": "forward",
        "inputs": (tensor("x"),),
        "outputs": (tensor("y"),),
        "operators": (OperatorUse("cortex_m::quantized_add.out", 1, True, ("add",)),),
        "planned_buffers": (64,),
        "method_bytes": 512,
        "temp_bytes": 16,
        "macs": 16,
        "isa": Isa.DSP,
        "io": "int8",
        "executorch_version": "1.5.1",
        "stripped_bytes": 0,
        "softmax_output": False,
        "profile_model": "double",
    }
    return PteArtifact(**(values | changes))


def board() -> BoardSpec:
    return load_board("qemu-m4")


def plan(of: PteArtifact | None = None) -> MemoryPlan:
    return plan_memory(of or artifact(), board())


def image(folder: Path) -> BuiltImage:
    elf = folder / "firmware.elf"
    elf.write_bytes(b"\x7fELF and no more")
    return BuiltImage(
        elf=elf,
        bin=None,
        flash_bytes=30_000,
        ram_bytes=9_000,
        engine_bytes=20_000,
        model_bytes=108,
        static_ram_bytes=300,
        sections={".text": 18_000, ".rodata": 2_000},
        toolchain="arm-none-eabi-g++ 12.2",
        flags="-Os",
        log_path=folder / "build.log",
        firmware_id=FIRMWARE_ID,
        project=FirmwareProject(
            root=folder,
            manifest={"src/main.cpp": "00"},
            firmware_id=FIRMWARE_ID,
            board_id="qemu-m4",
            model_name="double",
            env_name="qemu-m4",
        ),
    )
