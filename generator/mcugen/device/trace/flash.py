# SPDX-License-Identifier: BSD-3-Clause
"""Cycles that a board's flash adds to an estimate: at least so many.

A trace has no addresses of data, so that of constants only the first reading counts. Of code, each
line waits once per call, and each time it is executed if it is none of the busiest that the cache
holds. Reading ahead is left out.
"""

from __future__ import annotations

from collections import Counter

from mcugen.boards.spec import BoardSpec, MemoryRegion
from mcugen.device.trace.log import Edges


def wait_cycles(edges: Edges, constant_bytes: int, board: BoardSpec) -> int:
    """Return the cycles that one call waits for flash at least, 0 where nothing is known of it.

    Args:
        edges: what was executed.
        constant_bytes: of the tensors that the call reads and that come with the `.pte`.
    """
    return _code(edges, board.region_for("code"), board) + _constants(
        constant_bytes, board.region_for("model"), board
    )


def _code(edges: Edges, region: MemoryRegion, board: BoardSpec) -> int:
    wait = region.wait
    if wait is None:
        return 0
    executed: Counter[int] = Counter()
    for (block, _), times in edges.items():
        for line in {address // wait.line_bytes for address in block.addresses}:
            if region.start <= line * wait.line_bytes < region.end:
                executed[line] += times
    busiest = [times for _, times in executed.most_common()]
    missed = len(busiest[: wait.code_lines]) + sum(busiest[wait.code_lines :])
    return missed * wait.wait_states(board.clock_hz)


def _constants(constant_bytes: int, region: MemoryRegion, board: BoardSpec) -> int:
    wait = region.wait
    if wait is None:
        return 0
    return -(-constant_bytes // wait.line_bytes) * wait.wait_states(board.clock_hz)
