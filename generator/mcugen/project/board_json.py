# SPDX-License-Identifier: BSD-3-Clause
"""A board as PlatformIO describes it."""

from __future__ import annotations

from typing import Any

from mcugen.boards.spec import BoardSpec, MemoryKind


def env_name(board: BoardSpec) -> str:
    """Return the name of the project's PlatformIO environment."""
    return board.id


def upload_protocol(board: BoardSpec) -> str:
    """Return what plain `pio run -t upload` uses for `board`."""
    return "qemu" if board.simulated_only else "openocd"


def board_json(board: BoardSpec) -> dict[str, Any]:
    """Return PlatformIO's description of the board, in ststm32's format with our builder's keys."""
    upload: dict[str, Any] = {
        "maximum_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.FLASH),
        "maximum_ram_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.RAM),
        "protocol": upload_protocol(board),
        "protocols": ["openocd", "stlink"] if board.probe else [],
    }
    debug: dict[str, Any] = {}
    if board.probe is not None:
        upload["openocd_args"] = list(board.probe.openocd_args)
    if board.qemu is not None:
        upload["protocols"].append("qemu")
        upload["qemu"] = {
            "machine": board.qemu.machine,
            "cpu": board.qemu.cpu,
            "serial_index": board.qemu.serial_index,
            "extra_args": list(board.qemu.extra_args),
        }
        debug["qemu_machine"] = board.qemu.machine
    build: dict[str, Any] = {
        "cpu": board.cpu,
        "mcu": board.mcu.lower(),
        "f_cpu": f"{board.clock_hz}L",
        "float_abi": board.float_abi,
        "ldscript": "linker/memory.ld",
        "machine_flags": list(board.machine_flags),
        # For bsp/ only: everything else compiles alike for all boards with this core.
        "bsp_defines": dict(board.defines),
        # One flat image can hold code and model.
        "single_image": board.region_for("code") == board.region_for("model"),
    }
    if board.fpu is not None:
        build["fpu"] = board.fpu
    return {
        "name": board.name,
        "vendor": board.vendor,
        "url": board.url,
        "build": build,
        "upload": upload,
        "debug": debug,
    }
