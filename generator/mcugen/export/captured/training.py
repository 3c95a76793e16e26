# SPDX-License-Identifier: BSD-3-Clause
"""What a model does while it is trained, left on. Imports torch."""

from __future__ import annotations

from typing import Any

import torch

from mcugen.base.errors import QuantizationError
from mcugen.export.provenance import layer_of, line_of, place

_DROPOUTS = frozenset(
    {"dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "native_dropout"}
)
#: Of norms, the buffers that only training changes.
_COUNTED = ("running_mean", "running_var", "num_batches_tracked")


def refuse_training(name: str, captured: Any) -> None:
    """Raise QuantizationError if a captured program drops values, or updates its norms.

    A module in eval mode does neither, unless its code says `F.dropout(x)`, or it was captured by
    its author in train mode.
    """
    for node in captured.graph.nodes:
        if _drops(node):
            raise QuantizationError(
                f"{name}: dropout is on in {place(layer_of(node), line_of(node))}: its outputs "
                "would be random",
                hint="Write F.dropout(x, p, training=self.training), or use nn.Dropout; a .pt2 is "
                "made of model.eval().",
            )
    targets = set(captured.graph_signature.inputs_to_buffers.values())
    for node in captured.graph.nodes:
        if _updates_a_norm(node) and any(each.rpartition(".")[2] in _COUNTED for each in targets):
            raise QuantizationError(
                f"{name}: batch norm is in train mode in {place(layer_of(node), line_of(node))}: "
                "it would take the mean of each batch",
                hint="Write F.batch_norm(..., training=self.training); a .pt2 is made of "
                "model.eval().",
            )


def _drops(node: Any) -> bool:
    if not isinstance(node.target, torch._ops.OpOverload):
        return False
    operator = node.target._schema.name.partition("::")[2].removesuffix("_")
    if operator not in _DROPOUTS or len(node.args) < 3:
        return False
    share, training = node.args[1], node.args[2]
    return bool(training) and share != 0


def _updates_a_norm(node: Any) -> bool:
    """Whether it is a batch norm that uses, and keeps, the statistics of what it is given."""
    if node.target is torch.ops.aten.batch_norm.default:
        return bool(node.args[5]) and node.args[3] is not None
    return False
