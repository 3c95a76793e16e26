# SPDX-License-Identifier: BSD-3-Clause
"""Constants that a pass gives the operator it puts in: tables, multipliers."""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.transforms.utils import create_constant_placeholder
from torch.export.graph_signature import InputKind


def constant_of(node: Any, to_cortex_m: Any, name: str, value: torch.Tensor) -> Any:
    """Insert a constant of the program, named after `node`."""
    # Constants come before the inputs.
    with node.graph.inserting_before(next(n for n in node.graph.nodes if n.op == "placeholder")):
        return create_constant_placeholder(
            to_cortex_m.exported_program,
            node.graph,
            f"{node.name}_{name}",
            InputKind.PARAMETER,
            value,
        )
