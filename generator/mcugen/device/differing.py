# SPDX-License-Identifier: BSD-3-Clause
"""Samples that came out otherwise than they should: saved as files that `mcugen infer` takes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.files import write_atomically, writing_to
from mcugen.device.inference import TensorBytes
from mcugen.device.judgement import DEVICE, FLOAT, HOST, Judgement

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact

#: Of each kind.
MOST_SAVED = 16
INDEX = "index.json"
SCHEMA = "mcugen.differing/1"
#: Kinds of samples, and what they are.
KINDS = {
    "host": "the device's outputs are not the host's, in some byte",
    "float": "the device's class is not that of the model in float",
    "label": "the device's class is not the label",
}


@dataclass(frozen=True)
class Differing:
    """Which samples differ, and where the first ones of each kind are saved.

    kinds: of KINDS, those that were looked for, to the samples' numbers, all of them.
    """

    index: Path | None  #: None: no sample differs
    kinds: dict[str, tuple[int, ...]]


def save_differing(
    folder: Path,
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    expected: Sequence[TensorBytes],
    outputs: Sequence[TensorBytes],
    judgement: Judgement,
    *,
    model: str,
    data: str,
) -> Differing:
    """Save up to MOST_SAVED samples of each kind and an index; what an earlier call saved goes.

    A sample is an `.npy` for each input, of its dtype and logical shape.

    Raises BuildError if the folder cannot be written.
    """
    kinds = _kinds(expected, outputs, judgement)
    with writing_to(folder):
        remove_saved(folder)
        chosen = sorted({number for each in kinds.values() for number in each[:MOST_SAVED]})
        if not chosen:
            return Differing(None, kinds)
        rows = []
        for number in chosen:
            files = _save(folder, number, artifact, samples[number])
            rows.append(
                {
                    "sample": number,
                    "kinds": [kind for kind, numbers in kinds.items() if number in numbers],
                    "files": files,
                    **_classes(judgement, number),
                    "host": _values(artifact, expected[number]),
                    "device": _values(artifact, outputs[number]),
                }
            )
        given = " ".join(f"--input {name}" for name in rows[0]["files"])
        into = " ".join(f"--output out{index}.npy" for index in range(len(artifact.outputs)))
        document = {
            "schema": SCHEMA,
            "model": model,
            "sha256": artifact.sha256,
            "data": data,
            "kinds": {
                kind: {"what": KINDS[kind], "count": len(numbers), "samples": list(numbers)}
                for kind, numbers in kinds.items()
            },
            "saved_of_each": MOST_SAVED,
            "command": f"mcugen infer {model} {given} {into}",
            "saved": rows,
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(folder / INDEX, text.encode())
    return Differing(folder / INDEX, kinds)


def remove_saved(folder: Path) -> None:
    """Remove what `save_differing` made in a folder, by its index."""
    index = folder / INDEX
    if not index.is_file():
        return
    try:
        names = [
            str(name) for row in json.loads(index.read_bytes())["saved"] for name in row["files"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        names = []
    for name in names:
        if re.fullmatch(r"\d+-[\w.-]+\.npy", name):
            (folder / name).unlink(missing_ok=True)
    index.unlink()


def _kinds(
    expected: Sequence[TensorBytes], outputs: Sequence[TensorBytes], judgement: Judgement
) -> dict[str, tuple[int, ...]]:
    pairs = enumerate(zip(expected, outputs, strict=True))
    found = {"host": tuple(number for number, (want, got) in pairs if want != got)}
    chosen = judgement.chosen
    wanted = {"float": chosen.get(FLOAT), "label": judgement.labels}
    for kind, classes in wanted.items():
        if classes is not None and DEVICE in chosen:
            found[kind] = tuple((chosen[DEVICE] != classes).nonzero()[0].tolist())
    return found


def _save(folder: Path, number: int, artifact: PteArtifact, sample: TensorBytes) -> list[str]:
    from mcugen.program.tensor_files import write_output

    names = []
    for spec, data in zip(artifact.inputs, sample, strict=True):
        if spec.fixed is None:
            names.append(f"{number:06}-{re.sub(r'[^A-Za-z0-9_]+', '_', spec.name)}.npy")
            write_output(folder / names[-1], spec, data)
    return names


def _classes(judgement: Judgement, number: int) -> dict[str, Any]:
    """Return the classes that a sample has, got in float, on the host and on the device."""
    found: dict[str, Any] = {}
    if judgement.labels is not None:
        found["label"] = judgement.name_of(int(judgement.labels[number]))
    for key, side in (("float_class", FLOAT), ("host_class", HOST), ("device_class", DEVICE)):
        if side in judgement.chosen:
            found[key] = judgement.name_of(int(judgement.chosen[side][number]))
    return found


#: Outputs of more elements are not written out in the index.
_MOST_ELEMENTS = 64


def _values(artifact: PteArtifact, outputs: TensorBytes) -> list[Any]:
    """Return an inference's outputs as numbers, in logical order; None for large ones."""
    from mcugen.program.tensor_files import to_logical

    found: list[Any] = []
    for spec, data in zip(artifact.outputs, outputs, strict=True):
        values = to_logical(spec, data).ravel()
        finite = values.dtype.kind != "f" or bool(abs(values).max(initial=0) < float("inf"))
        found.append(values.tolist() if values.size <= _MOST_ELEMENTS and finite else None)
    return found
