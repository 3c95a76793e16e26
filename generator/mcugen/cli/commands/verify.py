# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen verify`: the device beside the host."""

from __future__ import annotations

from mcugen.cli.building import last_or_build
from mcugen.cli.measuring import measure_and_print
from mcugen.cli.options import BUILDING, TARGET, Options
from mcugen.cli.subcommand import subcommand
from mcugen.cli.terminal import Terminal


@subcommand(*BUILDING, *TARGET, "data", "metric", "samples", "max_drop", "timeout_s")
def verify(options: Options, terminal: Terminal) -> None:
    """Compare the device with the host, byte for byte.

    And, where the samples are labelled, the accuracies of float, host int8 and device. Goes on
    where it stopped when the device or this command went away in the middle.
    """
    settings, built = last_or_build(options, terminal)
    measure_and_print(settings, built, terminal, "verify", verify=True, bench=False)
