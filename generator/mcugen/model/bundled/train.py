# SPDX-License-Identifier: BSD-3-Clause
"""Train a bundled model anew: python -m mcugen.model.bundled.train NAME

Prints what the float model reaches on the held-out samples, and writes its weights.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from mcugen.base.errors import McugenError
from mcugen.base.resources import package_dir
from mcugen.model.bundled import training
from mcugen.model.catalog import BUNDLED, ModelInfo
from mcugen.model.data import load_dataset
from mcugen.model.scores import accuracy


def workload(name: str) -> training.Workload:
    """Return a bundled model whose weights come with mcugen."""
    found = importlib.import_module(f"mcugen.model.bundled.{name}").WORKLOAD
    assert isinstance(found, training.Workload)
    return found


def score(info: ModelInfo, module: torch.nn.Module) -> tuple[float, int]:
    """Return the accuracy on the held-out samples, and how many there are."""
    assert info.dataset is not None
    test = load_dataset(info.dataset, "test")
    assert test.labels is not None
    with torch.no_grad():
        outputs = module(torch.from_numpy(workload(info.name).preprocess(test.inputs)))
    return accuracy(outputs.numpy(), test.labels), len(test.labels)


def train(
    info: ModelInfo, *, epochs: int | None = None, progress: training.Progress | None = None
) -> torch.nn.Module:
    """Return the network, trained on the train split, in eval mode."""
    assert info.dataset is not None
    what = workload(info.name)
    samples = load_dataset(info.dataset, "train")
    assert samples.labels is not None
    module = what.network()
    training.train(
        module,
        torch.from_numpy(what.preprocess(samples.inputs)),
        torch.from_numpy(samples.labels),
        what.recipe,
        epochs=epochs,
        progress=progress,
        what=f"training {info.name}",
    )
    return module


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one model by name; return the exit code."""
    shipped = {info.name: info for info in BUNDLED if info.weights}
    parser = argparse.ArgumentParser(
        prog="python -m mcugen.model.bundled.train", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("name", choices=shipped)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--output", type=Path, help="default: the weights that come with mcugen")
    options = parser.parse_args(arguments)
    info = shipped[options.name]
    output = options.output or package_dir() / training.weights_file(info.name)
    try:
        module = train(info, epochs=options.epochs, progress=_say)
        reached, count = score(info, module)
    except McugenError as error:
        print(f"error: {error.message}\n{error.hint or ''}", file=sys.stderr)
        return error.exit_code
    output.write_bytes(training.pack(module))
    print(f"{info.name}: float accuracy {100 * reached:.2f} % of {count} held-out samples")
    print(f"weights in {output}")
    return 0


def _say(what: str, done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        print(f"{what}: epoch {done} of {total}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
