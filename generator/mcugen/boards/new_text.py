# SPDX-License-Identifier: BSD-3-Clause
"""The text of a new board file, table by table."""

from __future__ import annotations

import re
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.boards.new_regions import ram_tables, wait_table
from mcugen.boards.new_sheet import Sheet, file_of
from mcugen.boards.probes import known_probes
from mcugen.boards.spec import CPU_FPUS

_PROBES = {"stlink": "ST-LINK", "jlink": "J-Link", "cmsis-dap": "DAPLink"}


def board_text(sheet: Sheet) -> str:
    """Return the board file; what no source says is noted in `sheet.missing`."""
    wanted, pio, like = sheet.wanted, sheet.pio, sheet.like
    from_pio = f"PlatformIO, {pio.id}.json"
    as_like = f"as {sheet.example.id}" if like else ""
    part = sheet.need(pio.get("build.mcu"), "another --pio", "the part (build.mcu)") or "?"
    clock = wanted.clock_hz or _number(pio.get("build.f_cpu"))
    sheet.need(clock, "--clock-hz", "the core clock")
    lines = [
        "# SPDX-License-Identifier: BSD-3-Clause",
        f'id = "{wanted.path.stem}"',
        f"name = {_string(pio.get('name') or wanted.path.stem)}",
        f"vendor = {_string(pio.get('vendor') or 'not told')}",
        f"url = {_string(pio.get('url') or 'not told')}",
        *([f'mcu = "{sheet.part_file}"  # boards/mcu'] if sheet.part_file else []),
        f"clock_hz = {clock}  # {'--clock-hz' if wanted.clock_hz else from_pio}",
        *_part(sheet, str(part), clock, from_pio, as_like),
        *_console(sheet, as_like),
        *_probe(sheet, from_pio),
        "",
        "[verified]",
        'level = "builds"',
        'evidence = ""',
        "",
        "[sources]",
        f"memory = {_string(_memory_source(sheet, from_pio, as_like))}",
        f"clock = {_string(from_pio if not wanted.clock_hz else 'its author')}",
        f"console = {_string(wanted.svd.name if wanted.svd else as_like or 'its author')}",
        f"probe = {_string(from_pio)}",
    ]
    return "\n".join(lines) + "\n"


def _part(sheet: Sheet, part: str, clock: int | None, from_pio: str, as_like: str) -> list[str]:
    """Return the part's table; of a known part only the board's own macros."""
    if sheet.part_file is None:
        return _mcu(sheet, part, clock, from_pio, as_like)
    readme = f"firmware/bsp/{sheet.example.bsp}/README.md"
    return ["", f"[defines]  # {readme}", *_defines(sheet, as_like)]


def _mcu(sheet: Sheet, part: str, clock: int | None, from_pio: str, as_like: str) -> list[str]:
    pio, example = sheet.pio, sheet.example
    cpu = pio.get("build.cpu") or example.cpu
    sheet.need(pio.get("upload.maximum_size"), "another --pio", "the size of flash")
    lines = [
        "",
        "[mcu]",
        f"part = {_string(part.upper())}",
        f"cpu = {_string(cpu)}  # {from_pio}",
    ]
    fpu = example.fpu if cpu == example.cpu else next(iter(CPU_FPUS.get(cpu, ())), None)
    if fpu is not None:
        lines.append(f"fpu = {_string(fpu)}")
    max_hz = max(clock or 0, _number(pio.get("build.f_cpu")) or 0)
    lines += [
        f"float_abi = {_string('hard' if fpu else 'soft')}",
        f"bsp = {_string(example.bsp)}",
        f"cycle_counter = {_string(example.cycle_counter)}",
        f"max_clock_hz = {max_hz}  # {from_pio}",
        "",
        "[mcu.defines]  # " + f"firmware/bsp/{example.bsp}/README.md",
    ]
    lines += _defines(sheet, as_like)
    code = example.region_for("code")
    size = (pio.get("upload.maximum_size") or 0) // 1024
    lines += [
        "",
        "[[mcu.regions]]",
        'name = "flash"',
        f"start = 0x{code.start:08x}  # of the family",
        f"size_kib = {size}  # {from_pio}",
        'kind = "flash"',
        'roles = ["code", "model"]',
    ]
    return lines + wait_table(sheet, as_like) + ram_tables(sheet, from_pio)


def _defines(sheet: Sheet, as_like: str) -> list[str]:
    """Return the family's macros: as the author says, by the SVD, as another board has them."""
    given: dict[str, str] = {}
    for text in sheet.wanted.defines:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"\d+|0x[0-9a-fA-F]+", value):
            raise ConfigError(f"--define {text}: it is NAME=INTEGER, MCUGEN_HSE_HZ=8000000")
        given[name] = value
    example = file_of(sheet.example)
    of_part = {} if sheet.part_file else example["mcu"].get("defines", {})
    known = {**of_part, **example.get("defines", {})}
    peripheral = sheet.peripherals.get(sheet.wanted.uart or "")
    lines = []
    for name, value in known.items():
        if name in given:
            lines.append(f"{name} = {given.pop(name)}  # --define")
        elif name == "MCUGEN_UART_RX_IRQ" and peripheral and peripheral.interrupts:
            numbers = peripheral.interrupts
            own = [n for key, n in numbers.items() if (sheet.wanted.uart or "") in key]
            lines.append(f"{name} = {(own or list(numbers.values()))[0]}  # {_svd(sheet)}")
        elif sheet.like:
            lines.append(f"{name} = {value}  # {as_like}")
        else:
            sheet.need(None, f"--define {name}=… ({sheet.example.id}: {value})", "a macro")
    return lines + [f"{name} = {value}  # --define" for name, value in given.items()]


def _console(sheet: Sheet, as_like: str) -> list[str]:
    wanted, like = sheet.wanted, sheet.like.get("console", {})
    uart = sheet.need(wanted.uart or like.get("uart"), "--uart USART2", "the console's UART")
    tx = sheet.need(wanted.tx or like.get("tx"), "--tx PA2", "the console's pin")
    rx = sheet.need(wanted.rx or like.get("rx"), "--rx PA3", "the console's pin")
    peripheral = sheet.peripherals.get(uart or "")
    if wanted.svd is not None and uart and peripheral is None:
        names = [name for name in sheet.peripherals if "UART" in name or "USART" in name]
        raise ConfigError(f"{wanted.svd.name} has no {uart}; it has {', '.join(names)}")
    base = peripheral.base if peripheral else None
    source = _svd(sheet)
    if base is None and like.get("uart") == uart:
        base, source = like.get("base"), as_like
    sheet.need(base, "--svd FILE.svd", f"the registers of {uart or 'the UART'}")
    return [
        "",
        "[console]",
        f'uart = "{uart}"',
        f'tx = "{tx}"',
        f'rx = "{rx}"',
        "baud = 115_200",
        f"base = 0x{base or 0:08x}  # {source}",
    ]


def _probe(sheet: Sheet, from_pio: str) -> list[str]:
    pio = sheet.pio
    protocol = pio.get("upload.protocol")
    kind = sheet.wanted.probe or (protocol if protocol in _PROBES else None)
    sheet.need(kind, f"--probe {'|'.join(_PROBES)}", "the debug probe")
    if kind is None:
        return []
    if kind not in _PROBES:
        raise ConfigError(f"--probe must be {' or '.join(_PROBES)}, not '{kind}'")
    known = next(probe for probe in known_probes() if probe.name == _PROBES[kind])
    ids = ", ".join(f'"{vid:04x}:{pid:04x}"' for vid, pid in known.usb_ids)
    board, target = pio.get("debug.openocd_board"), pio.get("debug.openocd_target")
    jlink, pyocd = pio.get("debug.jlink_device"), pio.get("debug.pyocd_target")
    arguments: list[str] = []
    if board:
        arguments = ["-f", f"board/{board}.cfg"]
    elif target:
        interface = {"stlink": "stlink", "jlink": "jlink", "cmsis-dap": "cmsis-dap"}[kind]
        arguments = ["-f", f"interface/{interface}.cfg", "-f", f"target/{target}.cfg"]
    ways = [
        *(["openocd"] if arguments else []),
        *(["jlink"] if jlink else []),
        *(["pyocd"] if pyocd else []),
    ]
    if kind == "jlink":
        ways.sort(key=lambda way: way != "jlink")
    sheet.need(ways or None, "another --pio", "what OpenOCD or J-Link call the part (debug.*)")
    lines = ["", "[probe]", f'kind = "{kind}"', f"usb_ids = [{ids}]  # {known.source}"]
    if arguments:
        lines.append(f"openocd_args = [{', '.join(map(_string, arguments))}]  # {from_pio}")
    lines += ["", "[upload]", f"ways = [{', '.join(map(_string, ways))}]"]
    if jlink:
        lines += ["", "[upload.jlink]", f"device = {_string(jlink)}  # {from_pio}"]
    if pyocd:
        lines += ["", "[upload.pyocd]", f"target = {_string(pyocd)}  # {from_pio}"]
    return lines


def _memory_source(sheet: Sheet, from_pio: str, as_like: str) -> str:
    if sheet.part_file:
        return f"boards/mcu/{sheet.part_file}.toml"
    return ", ".join(filter(None, (from_pio, as_like)))


def _svd(sheet: Sheet) -> str:
    return sheet.wanted.svd.name if sheet.wanted.svd else ""


def _number(text: Any) -> int | None:
    """Return the number of PlatformIO's "84000000L"."""
    match = re.match(r"\d+", str(text or ""))
    return int(match[0]) if match else None


def _string(text: Any) -> str:
    """Return a TOML basic string."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
