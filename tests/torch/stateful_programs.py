# SPDX-License-Identifier: BSD-3-Clause
"""Programs with state, branches and numbers, as the exporter writes them."""

from __future__ import annotations

import functools
from typing import Any

import torch
from executorch.exir import ExecutorchBackendConfig, to_edge
from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass


class Smooth(torch.nn.Module):
    """Smooths what comes in, and counts."""

    def __init__(self, start: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("state", torch.full((1, 4), start))
        self.register_buffer("count", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Any) -> Any:
        new = 0.5 * self.state + x
        self.state.copy_(new)
        self.count.add_(1)
        return new * 2 + self.count


class Branch(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.cond(x.sum() > 0, lambda a: a * 2, lambda a: a - 1, [x])


class Numbers(torch.nn.Module):
    def forward(self, x: Any, n: int) -> Any:
        return x * n, n + 1, True, 2.5, None


@functools.cache
def exported(kind: str) -> bytes:
    """Return the `.pte` of "zeros" (state that the file says nothing of), "start", "branch" or
    "numbers"."""
    x = torch.zeros(1, 4)
    module, inputs, initialized = {
        "zeros": (Smooth(), (x,), []),
        "start": (Smooth(3.0), (x,), ["state"]),
        "branch": (Branch(), (x,), []),
        "numbers": (Numbers(), (x, 3), []),
    }[kind]
    config = ExecutorchBackendConfig(passes=[InitializedMutableBufferPass(initialized)])
    program = to_edge(torch.export.export(module.eval(), inputs)).to_executorch(config)
    return bytes(program.buffer)


def samples(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(1, 4, generator=generator) for _ in range(count)]


def expected(kind: str, count: int) -> list[Any]:
    """Return what PyTorch computes for `samples`, one after the other."""
    module = {"zeros": Smooth(), "start": Smooth(3.0), "branch": Branch()}[kind]
    with torch.no_grad():
        return [module(x).numpy() for x in samples(count)]
