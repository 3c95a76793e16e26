# SPDX-License-Identifier: BSD-3-Clause
"""Layers of the bundled networks: convolutions with batch norm and ReLU, on signals and images."""

from __future__ import annotations

from torch import nn


def signal_convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Along time, [n, channels, steps]; without a stride it keeps the steps."""
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
    )


def separable_signal_convolution(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1
) -> tuple[nn.Sequential, nn.Sequential]:
    """A depthwise and a pointwise one."""
    return (
        signal_convolution(inputs, inputs, kernel, stride=stride, groups=inputs),
        signal_convolution(inputs, outputs, 1),
    )


def image_convolution(inputs: int, outputs: int, kernel: int, *, groups: int = 1) -> nn.Sequential:
    """Over images, [n, channels, rows, columns]; it keeps their size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def separable_image_convolution(
    inputs: int, outputs: int, kernel: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """A depthwise and a pointwise one."""
    return (
        image_convolution(inputs, inputs, kernel, groups=inputs),
        image_convolution(inputs, outputs, 1),
    )
