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

from mcugen.base.errors import ConfigError, McugenError
from mcugen.base.resources import package_dir
from mcugen.model import scores
from mcugen.model.bundled import training
from mcugen.model.catalog import BUNDLED, ModelInfo
from mcugen.model.data import Samples, load_dataset, load_source


def workload(name: str) -> training.Workload:
    """Return a bundled model whose weights come with mcugen."""
    found = importlib.import_module(f"mcugen.model.bundled.{name}").WORKLOAD
    assert isinstance(found, training.Workload)
    return found


def samples_of(info: ModelInfo, split: str, data: str | None = None) -> Samples:
    """Return a split of the model's dataset, or of another one like it, e.g. tfds:mnist."""
    assert info.dataset is not None
    found = load_source(f"{data}/{split}") if data else load_dataset(info.dataset, split)
    if found.labels is None:
        raise ConfigError(f"{found.provenance} has no labels")
    return found


def score(info: ModelInfo, module: torch.nn.Module, data: str | None = None) -> tuple[float, int]:
    """Return the figure reached on the held-out samples, and how many there are."""
    test = samples_of(info, "test", data)
    assert test.labels is not None
    inputs = workload(info.name).preprocess(test.inputs)
    with torch.no_grad():
        outputs = module(torch.from_numpy(inputs)).numpy()
    reached = scores.score(info.metric, inputs, outputs, test.labels)
    assert reached is not None, "the test split has both labels"
    return reached, len(test.labels)


def train(
    info: ModelInfo,
    *,
    data: str | None = None,
    epochs: int | None = None,
    progress: training.Progress | None = None,
) -> torch.nn.Module:
    """Return the network, trained on the train split, in eval mode."""
    what = workload(info.name)
    samples = samples_of(info, "train", data)
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
    parser.add_argument("--data", help="instead of the model's own, e.g. tfds:mnist for all of it")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--output", type=Path, help="default: the weights that come with mcugen")
    options = parser.parse_args(arguments)
    info = shipped[options.name]
    output = options.output or package_dir() / training.weights_file(info.name)
    try:
        module = train(info, data=options.data, epochs=options.epochs, progress=_say)
        reached, count = score(info, module, options.data)
    except McugenError as error:
        print(f"error: {error.message}\n{error.hint or ''}", file=sys.stderr)
        return error.exit_code
    output.write_bytes(training.pack(module))
    print(f"{info.name}: float {info.metric} {reached:.4f} on {count} held-out samples")
    print(f"weights in {output}")
    return 0


def _say(what: str, done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        print(f"{what}: epoch {done} of {total}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
