# SPDX-License-Identifier: BSD-3-Clause
"""Whether the firmware computes what the host reference does, for many models lowered as one."""

from __future__ import annotations

from collections.abc import Callable

from harness import HostProgram, OnDevice, difference
from signal_to_noise import Measured


def firmware_faults(
    measured: Measured,
    where: str,
    run: HostProgram | OnDevice,
    count: Callable[[str, str, int, int], None],
    what: str,
    names: list[str],
) -> list[str]:
    """Return how the outputs of the firmware differ from those of the host reference.

    Args:
        measured: a model of several, an output each, and what the reference made of its inputs.
        where: as the count says it.
        run: what runs the firmware.
        count: counts the equal and the other ones.
        what: as the count says it.
        names: of the outputs.
    """
    given, gave = measured.given[0], measured.gave[0]
    ran = run(measured.artifact.pte, given)
    if ran.error:
        count(what, where, 0, len(names))
        return [f"{', '.join(names)} on {where}: {ran.error}"]
    faults, at = [], 0
    for name, spec, want in zip(names, measured.artifact.outputs, gave, strict=True):
        got = ran.output[at : at + len(want)]
        at += len(want)
        # Float operators may round in another order, which moves what is quantized behind them.
        step = 1.01 * (spec.scale or 0.0)
        text = difference(spec.dtype, got, want, 0, 1e-5 + step)
        if text:
            faults.append(f"{name} on {where}: {text}")
    count(what, where, len(names) - len(faults), len(faults))
    return faults
