# SPDX-License-Identifier: BSD-3-Clause
"""Train an MLPerf Tiny network: python -m mcugen.model.bundled.train_tiny kws

Writes a folder with NAME.pt2 and a mcugen.toml that says how its data are preprocessed, so that
`mcugen run --board nucleo` in it builds the model and judges it on the held-out samples.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mcugen.base.errors import ConfigError, McugenError
from mcugen.base.quiet import quiet
from mcugen.model.bundled import mlperf_tiny, training
from mcugen.model.bundled.tiny_recipes import RECIPES, classes
from mcugen.model.data import TFDS_PREFIX, Samples, load_source, source_path
from mcugen.model.feed import as_inputs
from mcugen.model.preprocess import Preprocess

#: A dataset is read in so many parts: what is stored may take a hundred times what is made of it.
PARTS = 20


def samples_of(
    source: str, shape: tuple[int, ...], preprocess: Preprocess, limit: int | None
) -> Samples:
    """Return labelled samples as a network takes them. Raises ConfigError without labels."""
    parts = [source]
    if source.startswith(TFDS_PREFIX) and not source.endswith("]"):
        steps = [100 * number // PARTS for number in range(PARTS + 1)]
        parts = [f"{source}[{a}%:{b}%]" for a, b in itertools.pairwise(steps)]
    each = None if limit is None else math.ceil(limit / len(parts))
    found = []
    for done, part in enumerate(parts):
        _say(f"reading {source}: part {done + 1} of {len(parts)}")
        found.append(as_inputs(load_source(part, each), shape, preprocess=preprocess))
    labels = [part.labels for part in found if part.labels is not None]
    if len(labels) < len(found) or any(part.dtype.kind != "i" for part in labels):
        raise ConfigError(f"{source} has no classes as labels")
    inputs = np.concatenate([part.inputs for part in found])
    return replace(found[0], inputs=inputs, labels=np.concatenate(labels), provenance=source)


def train(
    name: str,
    data: str,
    *,
    limit: int | None = None,
    epochs: int | None = None,
    output: Path,
) -> tuple[float, int]:
    """Train on DATA/train, write the folder, return accuracy on DATA/test and of how many.

    Args:
        name: one of RECIPES.
        data: a source of docs/data.md with splits or folders `train` and `test`.
        limit: the most samples of each; epochs: instead of the recipe's.
        output: the folder.
    """
    known = RECIPES[name]
    with quiet():
        module = mlperf_tiny.build(name)
    shape = tuple(mlperf_tiny.example_inputs(name)[0].shape)
    samples, held_out = (
        samples_of(f"{data}/{split}", shape, known.preprocess, limit) for split in ("train", "test")
    )
    for each in (samples, held_out):
        _check_classes(name, each, classes(module))
    training.train(
        module,
        torch.from_numpy(samples.inputs[:, 0]),
        torch.from_numpy(samples.labels),
        known.recipe,
        epochs=epochs,
        progress=lambda what, done, total: _say(f"{what}: epoch {done} of {total}"),
        what=f"training {name}",
    )
    with torch.no_grad():
        parts = torch.from_numpy(held_out.inputs[:, 0]).split(256)
        chosen = np.concatenate([module(part).argmax(1).numpy() for part in parts])
    output.mkdir(parents=True, exist_ok=True)
    program = torch.export.export(module, mlperf_tiny.example_inputs(name))
    torch.export.save(program, output / f"{name}.pt2")
    (output / "mcugen.toml").write_text(settings(name, data))
    return float((chosen == held_out.labels).mean()), len(chosen)


def _check_classes(name: str, samples: Samples, count: int) -> None:
    assert samples.labels is not None
    low, high = samples.labels.min(), samples.labels.max()
    if low < 0 or high >= count:
        raise ConfigError(
            f"{samples.provenance} has labels {low} to {high}, {name} tells {count} classes apart",
            hint=f"Classes are numbered 0 to {count - 1}.",
        )


def settings(name: str, data: str) -> str:
    """Return the text of mcugen.toml."""
    path = source_path(data)
    if path is not None:
        data = data.replace(str(path), str(path.resolve()))
    steps = (
        ", ".join(f"{key} = {json.dumps(value)}" for key, value in step.items())
        for step in RECIPES[name].preprocess.to_json()
    )
    lines = (f"  {{ {step} }}," for step in steps)
    return "\n".join(
        (
            f'model = "{name}.pt2"',
            f"calibrate = {json.dumps(f'{data}/train')}",
            f"data = {json.dumps(f'{data}/test')}",
            "",
            "[preprocess]",
            "steps = [",
            *lines,
            "]",
            "",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one network by name; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m mcugen.model.bundled.train_tiny",
        description=(__doc__ or "").split("\n")[0],
    )
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--data", help="with splits or folders train and test")
    parser.add_argument("--samples", type=int, help="the most of each")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--output", type=Path, help="folder (default: the network's name)")
    options = parser.parse_args(arguments)
    known = RECIPES[options.name]
    data, output = options.data or known.data, options.output or Path(options.name)
    try:
        reached, count = train(
            options.name,
            data,
            limit=options.samples or known.samples,
            epochs=options.epochs,
            output=output,
        )
    except McugenError as error:
        print(f"error: {error.message}\n{error.hint or ''}", file=sys.stderr)
        return error.exit_code
    print(f"{options.name}: float accuracy {reached:.4f} on {count} samples of {data}/test")
    print(f"{output / f'{options.name}.pt2'} and its mcugen.toml: cd {output}, mcugen run")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
