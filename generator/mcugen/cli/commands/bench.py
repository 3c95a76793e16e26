# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen bench`: what an inference costs."""

from __future__ import annotations

from mcugen.cli.building import last_or_build
from mcugen.cli.measuring import measure_and_print
from mcugen.cli.options import (
    BUILDING,
    TARGET,
    Options,
    subcommand,
)
from mcugen.cli.terminal import Terminal


@subcommand(*BUILDING, *TARGET, "runs", "warmups", "timeout_s")
def bench(options: Options, terminal: Terminal) -> None:
    """Time inferences.

    Counts cycles on a board, instructions on QEMU: min, median, p99, max.
    """
    settings, built = last_or_build(options, terminal)
    measure_and_print(settings, built, terminal, "bench", verify=False, bench=True)
