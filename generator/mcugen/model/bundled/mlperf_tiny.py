# SPDX-License-Identifier: BSD-3-Clause
"""The four MLPerf Tiny workloads as ExecuTorch's examples define them in PyTorch.

Nobody publishes weights for these definitions, so they are drawn from a seed: good for size and
speed, which do not depend on the weights; not for accuracy.
"""

from __future__ import annotations

import torch
from torch import nn

SEED = 0

_CLASSES = {
    "kws": ("ds_cnn", "DSCNNKWS"),
    "vww": ("mobilenet_v1_025", "MobileNetV1025"),
    "ic": ("resnet8", "ResNet8"),
    "ad": ("deep_autoencoder", "DeepAutoEncoder"),
}

_INPUT_SHAPES = {
    "kws": (1, 1, 49, 10),
    "vww": (1, 3, 96, 96),
    "ic": (1, 3, 32, 32),
    "ad": (1, 640),
}


def build(name: str) -> nn.Module:
    """Return one of the four networks in eval mode, with weights drawn from the seed."""
    import importlib

    module_name, class_name = _CLASSES[name]
    module = importlib.import_module(f"executorch.examples.models.mlperf_tiny.{module_name}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = getattr(module, class_name)()
    return model.eval()


def example_inputs(name: str) -> tuple[torch.Tensor, ...]:
    """Return inputs of the right shape, uniform in [-1, 1], drawn from the seed."""
    return (samples(name, 1, SEED)[0],)


def samples(name: str, count: int, seed: int) -> list[torch.Tensor]:
    """Return `count` inputs uniform in [-1, 1]: the range these workloads are fed with."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(_INPUT_SHAPES[name], generator=generator) * 2 - 1 for _ in range(count)]
