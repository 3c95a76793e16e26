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
    return "qemu" if board.upload is None else board.upload.ways[0]


def upload_keys(board: BoardSpec) -> dict[str, Any]:
    """Return what `firmware/platform/builder/upload_command.py` is told of a board."""
    how = board.upload
    if how is None:
        return {}
    keys: dict[str, Any] = {"protocols": list(how.ways)}
    if "openocd" in how.ways:
        keys["protocols"].insert(how.ways.index("openocd") + 1, "stlink")
        keys["openocd_args"] = list(board.probe.openocd_args) if board.probe else []
    if how.pyocd_target is not None:
        keys["pyocd_target"] = how.pyocd_target
    if how.jlink_device is not None:
        keys |= {"jlink_device": how.jlink_device, "jlink_speed_khz": how.jlink_speed_khz}
    if how.uf2 is not None:
        keys |= {"uf2_family": how.uf2.family, "uf2_board_id": how.uf2.board_id}
    if how.bossac is not None:
        keys["bossac_offset"] = how.bossac.offset
    if how.dfu is not None:
        ids = ",".join(f"{vid:04x}:{pid:04x}" for vid, pid in how.dfu.usb_ids)
        keys |= {"dfu_id": ids, "dfu_alt": how.dfu.alt}
    if how.stm32flash_baud is not None:
        keys["stm32flash_baud"] = how.stm32flash_baud
    if how.dfu is not None or how.stm32flash_baud is not None:
        keys["address"] = f"0x{board.region_for('code').start:08x}"
    return keys


def board_json(board: BoardSpec) -> dict[str, Any]:
    """Return PlatformIO's description of the board, in ststm32's format with our builder's keys."""
    upload: dict[str, Any] = {
        "maximum_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.FLASH),
        "maximum_ram_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.RAM),
        "protocol": upload_protocol(board),
        "protocols": [],
    }
    debug: dict[str, Any] = {}
    if board.upload is not None:
        upload |= upload_keys(board)
    if board.qemu is not None:
        upload["protocols"].append("qemu")
        upload["qemu"] = {
            "machine": board.qemu.machine,
            "cpu": board.qemu.cpu,
            "serial_index": board.qemu.serial_index,
            "extra_args": list(board.qemu.extra_args),
        }
        if board.qemu.min_version is not None:
            upload["qemu"]["min_version"] = board.qemu.min_version
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
