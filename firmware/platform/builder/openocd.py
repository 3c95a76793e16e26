# SPDX-License-Identifier: BSD-3-Clause
"""What OpenOCD is called with."""

import re
import subprocess


def openocd_version():
    """Return (major, minor) of the OpenOCD in PATH, None if it does not say."""
    try:
        done = subprocess.run(
            ["openocd", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"Open On-Chip Debugger v?(\d+)\.(\d+)", done.stdout + done.stderr)
    return (int(found[1]), int(found[2])) if found else None


def serial_command(version):
    """Return the command that names the probe: 0.11 (Ubuntu 22.04) knows an ST-LINK's only."""
    return "hla_serial" if version is not None and version < (0, 12) else "adapter serial"
