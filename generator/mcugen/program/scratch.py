# SPDX-License-Identifier: BSD-3-Clause
"""How much memory to work in each call of an operator wants, in the `scratch` it is given."""

from __future__ import annotations

from typing import Any


def scratch_bytes(plan: Any, call: Any) -> int:
    """Return the bytes of `scratch` that our kernel uses in a call.

    plan: the method; call: a kernel call of an operator that has an argument `scratch`. What the
    file holds is sized for ExecuTorch's own kernels; ours use none.
    """
    del plan, call
    return 0
