# SPDX-License-Identifier: BSD-3-Clause
"""Labelled samples, and what a model makes of them in float, kept on disk between runs."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mcugen.base import cache


@dataclass(frozen=True)
class Labelled:
    """Samples as the model in float takes them, and what it gives."""

    inputs: tuple[np.ndarray, ...]  #: per input: [n, *shape], real values
    labels: np.ndarray | None  #: int64[n, ...] or float64[n, ...]
    outputs: tuple[np.ndarray, ...] | None  #: per output: float64[n, *shape]; None: no such model
    class_names: tuple[str, ...]
    provenance: str


def load_kept(key: str) -> tuple[Labelled | None] | None:
    """Return what was kept, (None,) for no samples; None if nothing, or if files changed."""
    files = cache.load("accuracy", key)
    if files is None:
        return None
    try:
        document = json.loads(files["labelled.json"])
        for path, digest in document["dependencies"].items():
            if not Path(path).is_file() or cache.file_sha256(Path(path)) != digest:
                return None
        if document["inputs"] is None:
            return (None,)

        def arrays(name: str, count: int) -> tuple[np.ndarray, ...]:
            return tuple(_array(files[f"{name}{index}.npy"]) for index in range(count))

        count = document["outputs"]
        return (
            Labelled(
                arrays("input", document["inputs"]),
                _array(files["labels.npy"]) if "labels.npy" in files else None,
                None if count is None else arrays("output", count),
                tuple(document["class_names"]),
                document["provenance"],
            ),
        )
    except (KeyError, TypeError, ValueError, OSError):
        return None


def _array(data: bytes) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))


def keep(key: str, samples: Labelled | None, dependencies: dict[str, str]) -> None:
    """Keep samples, or that there are none, with the hashes of the user's files behind them."""
    document: dict[str, Any] = {"dependencies": dependencies, "inputs": None}
    arrays: dict[str, np.ndarray] = {}
    if samples is not None:
        outputs = samples.outputs
        arrays = {f"input{index}": values for index, values in enumerate(samples.inputs)}
        arrays |= {f"output{index}": values for index, values in enumerate(outputs or ())}
        if samples.labels is not None:
            arrays["labels"] = samples.labels
        document |= {
            "inputs": len(samples.inputs),
            "outputs": None if outputs is None else len(outputs),
            "class_names": list(samples.class_names),
            "provenance": samples.provenance,
        }
    files = {"labelled.json": json.dumps(document).encode()}
    for name, values in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        files[f"{name}.npy"] = buffer.getvalue()
    cache.store("accuracy", key, files)
