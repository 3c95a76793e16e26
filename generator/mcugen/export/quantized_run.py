# SPDX-License-Identifier: BSD-3-Clause
"""Run the quantized graph in PyTorch: as it is, rounded at random, or on another run's integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class QuantizedRun(torch.fx.Interpreter):
    """The quantized graph of an ExportedProgram.

    Attributes:
        replace: called with each node and its value; what it returns goes on from there.
        dither: draws which way each value is rounded; None: to the nearest.
    """

    def __init__(self, program: Any) -> None:
        super().__init__(program.module(check_guards=False))
        operators = torch.ops.quantized_decomposed
        self._quantizes = operators.quantize_per_tensor.default
        self._dequantizes = operators.dequantize_per_tensor.default
        self.replace: Callable[[torch.fx.Node, Any], Any] | None = None
        self.dither: torch.Generator | None = None

    def is_quantize(self, node: torch.fx.Node) -> bool:
        """Whether a node turns floats into integers."""
        return node.target is self._quantizes

    def is_dequantize(self, node: torch.fx.Node) -> bool:
        """Whether a node turns integers into floats."""
        return node.target is self._dequantizes

    def run_node(self, n: torch.fx.Node) -> Any:
        """Run one node, rounding at random or with its value replaced where that was asked for."""
        if self.dither is not None and self.is_quantize(n):
            args, _ = self.fetch_args_kwargs_from_env(n)
            return self._round_at_random(*args)
        value = super().run_node(n)
        return value if self.replace is None else self.replace(n, value)

    def _round_at_random(
        self, x: torch.Tensor, scale: float, zero_point: int, low: int, high: int, dtype: Any
    ) -> torch.Tensor:
        """Quantize, up or down at random, so that the mean is right."""
        up = torch.rand(x.shape, generator=self.dither)
        return (torch.floor(x / scale + up) + zero_point).clamp(low, high).to(dtype)

    def outputs(self, sample: tuple[torch.Tensor, ...]) -> list[Any]:
        """Return the flat outputs of one inference."""
        with torch.no_grad():
            return torch.utils._pytree.tree_leaves(self.run(*sample))
