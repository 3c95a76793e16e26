# SPDX-License-Identifier: BSD-3-Clause
"""What a runtime takes that keeps the arguments of calls: ours leaves them in the program."""

from __future__ import annotations

from mcugen.program.artifact import PteArtifact
from mcugen.program.container import deserialize, find_method
from mcugen.program.kept import kept

_POINTER = 4


def arguments_bytes(artifact: PteArtifact) -> int:
    """Return the bytes of a pointer for each argument of each call, less what ours has instead.

    Ours has room for the call with the most, a word less for each call and one more for a chain.
    """

    def make() -> int:
        plan = find_method(
            deserialize(artifact.pte, name=artifact.name).program, name=artifact.name
        )
        calls = [each.instr_args for chain in plan.chains for each in chain.instructions]
        counts = [len(call.args) if hasattr(call, "args") else 2 for call in calls]
        return sum(counts) + len(calls) - max(counts, default=0) - len(plan.chains)

    return _POINTER * kept("arguments", artifact, make, int)
