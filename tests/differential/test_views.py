# SPDX-License-Identifier: BSD-3-Clause
"""Views of images, by the whole flow: against the float module, and on the firmware.

`--views N` tries N drawn by --seed, `--views 0` all. The host reference
takes any memory order, the firmware does not: what it runs must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from firmware_faults import firmware_faults
from harness import HostProgram, OnDevice
from plain_models import Together
from signal_to_noise import measure
from view_models import CASES, cases, models

pytestmark = [pytest.mark.torch, pytest.mark.toolchain, pytest.mark.xdist_group("qemu-m4")]

#: dB that int8 leaves of noise through a convolution or none.
LEAST = 22.0
#: Cases in one model, an output each: an export costs seconds.
TOGETHER = 9
#: Models that run on simulated CPUs, too.
ON_DEVICE = 2

Count = Callable[[str, str, int, int], None]


def test_views_of_images_are_the_users(
    pytestconfig: pytest.Config,
    count: Count,
    our_host: HostProgram,
    devices: dict[str, OnDevice],
) -> None:
    wanted = pytestconfig.getoption("--views") or len(CASES)
    drawn = cases(pytestconfig.getoption("--seed"), wanted)
    groups = [drawn[at : at + TOGETHER] for at in range(0, len(drawn), TOGETHER)]
    assert sum(map(len, groups)) == min(wanted, len(CASES))
    faults: list[str] = []

    for index, group in enumerate(groups):
        named = models(group)
        module = Together(named.values())
        measured = measure(module, module.rows(6, 1), module.rows(4, 2))
        wrong = [
            f"{name}: {fault}"
            for name, figures in zip(named, measured.outputs, strict=True)
            if (fault := figures.faults(LEAST))
        ]
        count("views", "host reference", len(group) - len(wrong), len(wrong))
        faults += wrong + firmware_faults(measured, "host", our_host, count, "views", list(named))
        for board, device in devices.items() if index < ON_DEVICE else ():
            faults += firmware_faults(measured, board, device, count, "views", list(named))

    assert not faults, "\n".join(faults)
