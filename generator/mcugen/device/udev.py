# SPDX-License-Identifier: BSD-3-Clause
"""Linux's rules for who may use a probe: udev(7).

`uaccess` gives a device to who is logged in at the machine; the group is for who comes by ssh.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcugen.boards.probes import known_probes

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

#: Before 73-seat-late.rules, which acts on the tag.
RULES_FILE = "/etc/udev/rules.d/70-mcugen.rules"
GROUP = "plugdev"


def usb_ids(boards: Iterable[BoardSpec]) -> dict[tuple[int, int], list[str]]:
    """Return each USB id of a probe or a boot loader, and what it may be."""
    found: dict[tuple[int, int], list[str]] = {}
    for known in known_probes():
        for one in known.usb_ids:
            found.setdefault(one, []).append(known.name)
    for board in boards:
        ids = set(board.probe.usb_ids if board.probe else ())
        if board.upload is not None:
            ids |= set(board.upload.loader_usb_ids)
            if board.upload.bossac is not None:
                ids |= set(board.upload.bossac.touch_usb_ids)
        for one in sorted(ids):
            found.setdefault(one, []).append(board.id)
    return dict(sorted(found.items()))


def udev_rules(boards: Iterable[BoardSpec]) -> str:
    """Return the text of RULES_FILE."""
    lines = [
        f"# mcugen doctor --udev | sudo tee {RULES_FILE}",
        "# sudo udevadm control --reload-rules && sudo udevadm trigger",
        f"# Who comes by ssh has to be in the group: sudo groupadd -f {GROUP} && "
        f"sudo usermod -aG {GROUP},dialout $USER, then log in again.",
    ]
    for (vid, pid), names in usb_ids(boards).items():
        device = f'ATTRS{{idVendor}}=="{vid:04x}", ATTRS{{idProduct}}=="{pid:04x}"'
        lines += [
            f"# {', '.join(names)}",
            f'SUBSYSTEM=="usb", {device}, MODE="0660", GROUP="{GROUP}", TAG+="uaccess"',
            # ModemManager opens a new port for seconds, to look for a modem.
            f'SUBSYSTEM=="tty", {device}, TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"',
        ]
    lines += [
        "# every other CMSIS-DAP probe",
        f'SUBSYSTEM=="usb", ATTRS{{product}}=="*CMSIS-DAP*", MODE="0660", GROUP="{GROUP}", '
        'TAG+="uaccess"',
    ]
    return "\n".join(lines)
