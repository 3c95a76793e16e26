# SPDX-License-Identifier: BSD-3-Clause
"""What a failed upload means, from what the flashing program printed."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: (what programs print, what it means, what to do), the first that fits. After it the device can be
#: flashed again by the same command: none of these leaves anything behind on the host.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"LIBUSB_ERROR_ACCESS|insufficient permissions|[Aa]ccess denied|[Pp]ermission denied",
        "no permission to use the USB device",
        "'mcugen doctor --udev' prints the rule that gives it; install it, then plug the board in "
        "again.",
    ),
    (
        r"LIBUSB_ERROR_BUSY|already in use|in use by another|[Rr]esource busy|"
        r"(could not|unable to|cannot) claim (the )?interface",
        "another program uses the device",
        "Close it (a debugger, another OpenOCD or GDB server, a serial monitor) and try again.",
    ),
    (
        r"LIBUSB_ERROR_NO_DEVICE|LIBUSB_ERROR_PIPE|LIBUSB_ERROR_IO|No such device|"
        r"[Dd]isconnected|was unplugged|[Cc]onnection (to the probe )?lost|"
        r"USB (communication|comm|transfer) (error|failure|failed)|"
        r"[Cc]ommunication with J-Link lost",
        "the device was lost in the middle",
        "Plug it in again and flash again: half an image does no harm to what flashes it.",
    ),
    (
        r"[Tt]arget type '?\S+'? (is )?not recognized|[Uu]nknown target type",
        "pyOCD does not know the chip",
        "Get its pack: pyocd pack install TARGET (it needs the network), or take another way: "
        "--with openocd.",
    ),
    (
        r"Unknown device|Unsupported device",
        "this version of the program does not know the chip",
        "Install a newer one, or take another way with --with.",
    ),
    (
        r"[Vv]erif(y|ication) failed|checksum mismatch|[Ff]ailed to verify|contents differ",
        "what was read back is not what was written",
        "Flash again; if it stays so, the flash is write-protected or worn out.",
    ),
    (
        r"init mode failed|[Uu]nable to connect to the target|[Ee]rror connecting DP|"
        r"cannot read IDR|[Cc]ould not connect to (the )?target|[Cc]annot connect to target|"
        r"[Nn]o ACK|SWD/JTAG communication failure|UNEXPECTED idcode|"
        r"[Ff]ailed to init device|No device found on|Device unsupported",
        "the chip does not answer",
        "Is the board powered, are its debug jumpers set, and is it this board?",
    ),
    (
        r"open failed|[Nn]o (available )?(debug )?probes?\b|[Nn]o connected debug probe|"
        r"[Cc]annot connect to (the )?J-Link|Connecting to J-Link.*FAILED|"
        r"No DFU capable USB device|No target device available|unable to find a matching|"
        r"[Nn]o device found",
        "the device was not found",
        "'mcugen devices' lists what is attached.",
    ),
)


def explain(lines: Sequence[str]) -> tuple[str, str] | None:
    """Return (what went wrong, what to do) by what a program printed; None if it is not known."""
    # The probe's own lines come last; PlatformIO's come before.
    text = "\n".join(lines)
    for pattern, what, advice in _MEANINGS:
        if re.search(pattern, text):
            return what, advice
    return None
