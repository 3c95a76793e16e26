# SPDX-License-Identifier: BSD-3-Clause
"""How the bundled networks are trained: the same weights each time on one machine. Needs torch."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mcugen.base.resources import package_dir

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Recipe:
    """AdamW, its rate up and down again in one cycle, over batches drawn by the seed."""

    seed: int
    epochs: int
    batch: int
    rate: float
    decay: float
    #: Changes a batch of inputs as the world might have.
    augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor]
    #: Whether the network is to give its input again, as an autoencoder does.
    reproduce: bool = False


@dataclass(frozen=True)
class Workload:
    """A bundled network whose trained weights come with mcugen."""

    name: str
    network: Callable[[], nn.Module]
    input_shape: tuple[int, ...]
    preprocess: Callable[[np.ndarray], np.ndarray]
    recipe: Recipe


def train(
    module: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    recipe: Recipe,
    *,
    epochs: int | None = None,
    progress: Progress | None = None,
    what: str = "training",
) -> None:
    """Train a classifier, or an autoencoder, in place: the same weights each time on one machine.

    epochs: fewer or more than the recipe's.
    """
    with _repeatable(recipe.seed):
        for each in module.modules():
            # Anew, so that weights do not depend on who created the module, and when.
            if hasattr(each, "reset_parameters"):
                each.reset_parameters()
        _train_epochs(module, inputs, labels, recipe, epochs or recipe.epochs, progress, what)


@contextlib.contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """One thread, deterministic algorithms, random numbers of this seed; then as before."""
    threads = torch.get_num_threads()
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(was_deterministic)
        torch.set_num_threads(threads)


def _train_epochs(
    module: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    recipe: Recipe,
    epochs: int,
    progress: Progress | None,
    what: str,
) -> None:
    generator = torch.Generator().manual_seed(recipe.seed)
    steps = epochs * ((len(inputs) + recipe.batch - 1) // recipe.batch)
    optimizer = torch.optim.AdamW(module.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.rate, total_steps=steps)
    loss_of = nn.MSELoss() if recipe.reproduce else nn.CrossEntropyLoss(label_smoothing=0.05)
    module.train()
    for epoch in range(epochs):
        if progress:
            progress(what, epoch, epochs)
        for batch in torch.randperm(len(inputs), generator=generator).split(recipe.batch):
            optimizer.zero_grad()
            given = recipe.augment(inputs[batch], generator)
            loss_of(module(given), given if recipe.reproduce else labels[batch]).backward()
            optimizer.step()
            schedule.step()
    module.eval()
    if progress:
        progress(what, epochs, epochs)


def pack(module: nn.Module) -> bytes:
    """Return the weights as an `.npz`."""
    buffer = io.BytesIO()
    arrays = {name: value.numpy() for name, value in module.state_dict().items()}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # its stub: allow_pickle first
    return buffer.getvalue()


def unpack(data: bytes, module: nn.Module) -> dict[str, torch.Tensor] | None:
    """Return the state dict in `data`, or None if it is not this network's."""
    want = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        if {name: file[name].shape for name in file.files} != want:
            return None
        return {name: torch.from_numpy(file[name].copy()) for name in file.files}


def weights_file(name: str) -> str:
    """Return where a workload's weights are in the package."""
    return f"model/bundled/weights/{name}.npz"


def load(workload: Workload) -> nn.Module:
    """Return the trained network, in eval mode."""
    module = workload.network()
    data = (package_dir() / weights_file(workload.name)).read_bytes()
    state = unpack(data, module)
    assert state is not None, f"the weights of {workload.name} are another network's"
    module.load_state_dict(state)
    return module.eval()
