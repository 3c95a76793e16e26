# SPDX-License-Identifier: BSD-3-Clause
"""The command line of each way to put an image on a board. Runs nothing but `openocd --version`.

`upload` is the table of that name in the board's JSON.
"""

import os
import shutil
import sys

from openocd import openocd_version, serial_command

PROTOCOLS = ("openocd", "stlink", "pyocd", "jlink", "uf2", "bossac", "dfu", "stm32flash")

#: protocol → the program it takes; uf2.py is ours.
PROGRAMS = {
    "openocd": "openocd",
    "stlink": "openocd",
    "pyocd": "pyocd",
    "jlink": "JLink" if os.name == "nt" else "JLinkExe",
    "bossac": "bossac",
    "dfu": "dfu-util",
    "stm32flash": "stm32flash",
}


class UploadError(Exception):
    """What is missing, in words."""


def command(protocol, upload, image, serial=None, port=None):
    """Return the command line.

    image: path of the image without its suffix. serial: of the probe, or of the boot loader.
    port: of the boot loader (bossac, stm32flash), or the folder of its volume (uf2).
    """
    return _COMMANDS[protocol](upload, image, serial, port)


def jlink_script(image):
    """Return what J-Link Commander is told: reset, write, reset, go."""
    return f'r\nloadfile "{image}.elf"\nr\ng\nqc\n'


def before(protocol, image):
    """Write the file that the command of `protocol` reads, if it reads one."""
    if protocol == "jlink":
        with open(f"{image}.jlink", "w", encoding="utf-8") as file:
            file.write(jlink_script(image))


def needs_bin(protocol):
    """Tell whether the command takes the flat image rather than the ELF."""
    return protocol in ("bossac", "dfu", "stm32flash")


def _openocd(upload, image, serial, port):
    # Without it OpenOCD takes the first probe it finds.
    name = ["-c", f"{serial_command(openocd_version())} {serial}"] if serial else []
    program = ["-c", f"program {{{image}.elf}} verify reset exit"]
    return ["openocd", *upload["openocd_args"], *name, *program]


def _pyocd(upload, image, serial, port):
    # --no-wait: it waits for a probe for ever otherwise.
    name = ["--uid", serial] if serial else []
    return [
        *("pyocd", "flash", "--no-wait", "--target", upload["pyocd_target"], *name),
        f"{image}.elf",
    ]


def _jlink(upload, image, serial, port):
    name = ["-USB", serial] if serial else []
    return [
        *(PROGRAMS["jlink"], "-NoGui", "1", "-ExitOnError", "1", *name),
        *("-device", upload["jlink_device"], "-if", "SWD"),
        *("-speed", str(upload["jlink_speed_khz"]), "-autoconnect", "1"),
        *("-CommandFile", f"{image}.jlink"),
    ]


def _uf2(upload, image, serial, port):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uf2.py")
    volume = ["--volume", port] if port else []
    return [
        *(sys.executable, script, "--elf", f"{image}.elf"),
        *("--family", hex(upload["uf2_family"]), "--board-id", upload["uf2_board_id"], *volume),
    ]


def _bossac(upload, image, serial, port):
    if not port:
        raise UploadError("bossac needs the port of the boot loader: set MCUGEN_UPLOAD_PORT")
    # bossac puts /dev/ before the name by itself.
    name = port[len("/dev/") :] if port.startswith("/dev/") else port
    offset = [f"--offset={upload['bossac_offset']:#x}"] if upload["bossac_offset"] else []
    return ["bossac", f"--port={name}", *offset, "-U", "-i", "-e", "-w", f"{image}.bin", "-R"]


def _dfu(upload, image, serial, port):
    name = ["-S", serial] if serial else []
    return [
        *("dfu-util", "-d", upload["dfu_id"], "-a", str(upload["dfu_alt"]), *name),
        *("-s", f"{upload['address']}:leave", "-D", f"{image}.bin"),
    ]


def _stm32flash(upload, image, serial, port):
    if not port:
        raise UploadError("stm32flash needs the port the ROM listens on: set MCUGEN_UPLOAD_PORT")
    address = upload["address"]
    return [
        *("stm32flash", "-b", str(upload["stm32flash_baud"]), "-S", address, "-w", f"{image}.bin"),
        *("-v", "-g", address, port),
    ]


_COMMANDS = {
    "openocd": _openocd,
    "stlink": _openocd,
    "pyocd": _pyocd,
    "jlink": _jlink,
    "uf2": _uf2,
    "bossac": _bossac,
    "dfu": _dfu,
    "stm32flash": _stm32flash,
}


def program_is_there(protocol):
    """Tell whether the program of `protocol` can be started."""
    return protocol not in PROGRAMS or shutil.which(PROGRAMS[protocol]) is not None
