# SPDX-License-Identifier: BSD-3-Clause
"""A model that int8 ruins, trained on with int8 in place until it does not.

    mcugen inspect docs/qat_example.py:as_it_is --layers    # which layer it is, and what to try
    mcugen run docs/qat_example.py:make --board qemu-m4     # after training

The network of docs/example_model.py; but a channel of its first layer is 450 x as large as the
others, as a layer that is not normalised may come out of its training. All channels have one scale.
"""

from __future__ import annotations

import torch
from example_model import SIZE, images, network
from torch import nn

import mcugen

BATCH = 64
STEPS = 80
FACTOR = 450.0


def trained() -> nn.Module:
    """Return the model in float. A real one would load its weights here."""
    torch.manual_seed(1)
    module = network()
    inputs, labels = images(512, seed=2)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs), labels).backward()
        optimizer.step()
    with torch.no_grad():  # the same function, and nothing that int8 can hold
        module[0].weight[0] *= FACTOR
        module[0].bias[0] *= FACTOR
        module[2].weight[:, 0] /= FACTOR
    return module.eval()


def described(module: nn.Module) -> mcugen.Model:
    """Return a model with real inputs for int8's ranges, and labelled ones to judge it by."""
    return mcugen.Model(
        module,
        example_inputs=torch.zeros(1, 1, SIZE, SIZE),
        calibration=images(64, seed=3)[0],
        evaluation=images(256, seed=5),
    )


def as_it_is() -> mcugen.Model:
    """The factory of the model before."""
    return described(trained())


def make() -> mcugen.Model:
    """The factory of the model after.

    A real one would keep module.state_dict() once, and here call mcugen.qat() and
    load_state_dict().
    """
    module = mcugen.qat(trained(), (torch.zeros(1, 1, SIZE, SIZE),), batch=BATCH)
    inputs, labels = images(BATCH * 8, seed=4)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.003)
    for step in range(STEPS):
        batch = slice(step % 8 * BATCH, (step % 8 + 1) * BATCH)
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs[batch]), labels[batch]).backward()
        optimizer.step()
    return described(module.eval())
