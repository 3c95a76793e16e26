# SPDX-License-Identifier: BSD-3-Clause
"""The edge dialect's operators, ours among them."""

from __future__ import annotations

from executorch.exir.dialects._ops import ops as exir_ops

from mcugen.export import norm_operators as _norms  # noqa: F401 (registers ours)
from mcugen.export.passes import operators as _operators  # noqa: F401

EDGE = exir_ops.edge
