# SPDX-License-Identifier: BSD-3-Clause
"""The edge dialect's operators."""

from __future__ import annotations

from executorch.exir.dialects._ops import ops as exir_ops

EDGE = exir_ops.edge
