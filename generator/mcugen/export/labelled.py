# SPDX-License-Identifier: BSD-3-Clause
"""Labelled samples for a model of a user's own, and what it makes of them in float.

Kept on disk: with nothing changed, no torch is imported and none of the user's code is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen.base import cache
from mcugen.base.errors import ConfigError, QuantizationError
from mcugen.base.quiet import quiet
from mcugen.export.kept_labelled import Labelled, keep, load_kept
from mcugen.export.pipeline import PACKAGES, identity
from mcugen.model.data import source_fingerprint
from mcugen.model.description import Model
from mcugen.model.dims import parse_dims
from mcugen.model.preprocess import AnyPreprocess, Preprocess
from mcugen.model.samples import Samples, classes_of
from mcugen.model.source import ModelKind, ModelRef, ModelSource, resolve_model
from mcugen.program.artifact import PteArtifact, TensorSpec

if TYPE_CHECKING:
    import torch

Progress = Callable[[str, int, int], None]
#: Which samples are drawn.
SEED = 0
#: What decides on the samples and on what the model makes of them.
_SOURCES = (
    "model",
    "export/calibration.py",
    "export/labelled.py",
    "export/kept_labelled.py",
    "export/rows.py",
)


def labelled(
    model: str | Model,
    artifact: PteArtifact,
    n: int,
    *,
    data: str | None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    dims: Sequence[str] = (),
    trust: bool = False,
    progress: Progress | None = None,
) -> Labelled | None:
    """Return up to `n` samples drawn from `data`, else from the `evaluation` of a factory.

    None without either. Scaled as calibration samples are.

    Args:
        artifact: what was made of the model: its shapes.
        data: as `--calibrate`; pixels, preprocess, dims, trust: as for `build_artifact`.

    Raises ConfigError, QuantizationError if the model does not run on them.
    """
    ref = resolve_model(model)
    if data is None and ref.kind not in (ModelKind.FACTORY, ModelKind.OBJECT):
        return None
    if ref.given is not None:  # its samples are in memory: what could say that they are the same?
        made, _ = _make(ref, artifact, n, data, pixels, preprocess, dims, trust, progress)
        return made
    key = cache.make_key(
        what="labelled samples",
        model=identity(ref),
        data=data,
        content=source_fingerprint(data, n) if data is not None else None,
        shapes=[(spec.name, spec.shape, spec.dtype) for spec in artifact.inputs],
        outputs=[spec.shape for spec in artifact.outputs],
        n=n,
        seed=SEED,
        pixels=pixels,
        preprocess=preprocess.to_json() if preprocess is not None else None,
        dims=list(dims),
        source=cache.source_hash(_SOURCES),
        versions=cache.package_versions(PACKAGES),
    )
    kept = load_kept(key)
    if kept is not None:
        return kept[0]

    made, dependencies = _make(ref, artifact, n, data, pixels, preprocess, dims, trust, progress)
    keep(key, made, dependencies)
    return made


def _make(
    ref: ModelRef,
    artifact: PteArtifact,
    n: int,
    data: str | None,
    pixels: str | None,
    preprocess: Preprocess | None,
    dims: Sequence[str],
    trust: bool,
    progress: Progress | None,
) -> tuple[Labelled | None, dict[str, str]]:
    """Return the samples, and the hashes of the user's files behind them."""
    with quiet():
        from mcugen.export.calibration import the_preprocess
        from mcugen.model.files_read import files_read

    if progress:
        progress("loading the model", 0, 1)
    source = _source(ref, artifact, dims, trust, progress)
    with files_read() as read_late:
        prepare = the_preprocess(ref, source, preprocess)
        found = _samples(source, n, data, pixels, prepare, progress)
    own = source.dependencies if data is not None else (*source.dependencies, *read_late)
    dependencies = {str(path): cache.file_sha256(path) for path in sorted(set(own))}
    if found is None:
        return None, dependencies
    rows, labels, class_names, provenance = found
    outputs = None
    if ref.kind is not ModelKind.PTE:
        outputs = _in_float(source, rows, artifact, progress)
    inputs = tuple(np.stack([row[index].numpy() for row in rows]) for index in range(len(rows[0])))
    return Labelled(inputs, labels, outputs, class_names, provenance), dependencies


def _source(
    ref: ModelRef,
    artifact: PteArtifact,
    dims: Sequence[str],
    trust: bool,
    progress: Progress | None,
) -> ModelSource:
    """Return the model in float; of a `.pte`, what is known of it: the inputs."""
    if ref.kind is ModelKind.PTE:
        return _of_pte(ref, artifact)
    from mcugen.model.load import load_model

    shape = artifact.inputs[0].shape[1:] if ref.kind is ModelKind.PT2 else None
    return load_model(
        ref, progress=progress, trust=trust, dims=parse_dims(dims), sample_shape=shape
    )


def _of_pte(ref: ModelRef, artifact: PteArtifact) -> ModelSource:
    import torch

    def example(spec: TensorSpec) -> torch.Tensor:
        real = spec.scale is not None or spec.dtype.startswith("float")
        dtype = torch.float32 if real else getattr(torch, spec.dtype)
        return torch.zeros(spec.shape, dtype=dtype)

    return ModelSource(
        name=ref.name,
        module=torch.nn.Identity(),  # not run
        example_inputs=tuple(example(spec) for spec in artifact.inputs),
        calibration=None,
        preprocess=None,
        provenance=f"{ref.name}.pte",
    )


Found = tuple[list[tuple["torch.Tensor", ...]], np.ndarray | None, tuple[str, ...], str]


def _samples(
    source: ModelSource,
    n: int,
    data: str | None,
    pixels: str | None,
    preprocess: AnyPreprocess | None,
    progress: Progress | None,
) -> Found | None:
    """Return rows, labels, the classes' names and where all that is from. Scaled in one place."""
    from mcugen.export import calibration

    given_source = data if data is not None else source.evaluation
    stored = calibration.stored_samples(given_source, n, progress)
    if stored is not None:
        where = data or f"{source.name}: its evaluation data"
        given, fed = calibration.stored_rows(
            source, stored, n, preprocess=preprocess, pixels=pixels
        )
        fed = fed.numbered_as(source.class_names)
        labels = None if fed.labels is None else _numbers(list(fed.labels), where)
        names = fed.class_names or source.class_names
        scaling = fed.provenance.removeprefix(stored.provenance)
        said = f"{stored.provenance}, {len(fed)} samples drawn by seed {SEED}{scaling}"
        return _checked(list(given), where), labels, names, said
    if source.evaluation is None:
        return None
    where = f"{source.name}: its evaluation data"
    found, scaling = calibration.own_rows(
        source, source.evaluation, n, pixels, "evaluation", preprocess
    )
    named = [label for _, label in found]
    without = sum(label is None for label in named)
    if 0 < without < len(named):
        raise ConfigError(f"{where} has {without} of {len(named)} samples without a label")
    labels = None if without else _numbers(named, where, source.class_names)
    said = f"the model's own ({source.provenance}), {len(named)} samples drawn by seed {SEED}"
    rows = _checked([row for row, _ in found], where)
    return rows, labels, source.class_names, said + scaling


def _checked(rows: list[Any], where: str) -> list[Any]:
    bad = sum(not all(bool(value.isfinite().all()) for value in row) for row in rows)
    if bad:
        raise ConfigError(
            f"{where}: {bad} of {len(rows)} samples hold NaN or infinite values",
            hint="Leave these samples out, or mend them where they are made.",
        )
    return rows


def _numbers(labels: list[Any], where: str, names: Sequence[str] = ()) -> np.ndarray:
    """Return labels as one array, of whole numbers or of real ones; a lone element has no axis.

    names: of the model's classes, which text stands for.
    """
    try:
        values = np.stack([np.asarray(label) for label in labels])
    except ValueError as error:
        raise ConfigError(f"{where}: labels differ in shape ({error})") from None
    if values.dtype.kind == "U" and names:
        numbers, found = classes_of([str(each) for each in values.reshape(-1)])
        named = Samples(numbers, numbers, where, found).numbered_as(names).labels
        assert named is not None
        return named
    if values.dtype.kind not in "biuf":
        raise ConfigError(
            f"{where}: labels are {values.dtype}, not numbers",
            hint="Give classes by their place in the output: 0, 1, 2, …; or mcugen.Model's "
            "class_names, if labels are text.",
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ConfigError(f"{where}: labels hold NaN or infinite values")
    if values.size == len(values):
        values = values.reshape(-1)
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def _in_float(
    source: ModelSource,
    rows: Sequence[tuple[torch.Tensor, ...]],
    artifact: PteArtifact,
    progress: Progress | None,
) -> tuple[np.ndarray, ...] | None:
    """Return what the user's module gives; None if its outputs are not those of the program."""
    import torch

    from mcugen.base.explain import in_brief

    shapes = [spec.shape for spec in artifact.outputs]
    found: list[list[np.ndarray]] = []
    with torch.no_grad():
        for number, row in enumerate(rows):
            if progress and number % 16 == 0:
                progress("your model in float", number, len(rows))
            try:
                leaves = torch.utils._pytree.tree_leaves(source.module(*row))
                tensors = [torch.as_tensor(leaf) for leaf in leaves if leaf is not None]
            except Exception as error:  # the user's code: anything
                raise QuantizationError(
                    f"{source.name} does not run on sample {number}: {in_brief(error)}",
                    hint="Samples must be what the model takes: indices within a table, say.",
                ) from error
            sizes = [value.numel() for value in tensors]
            if sizes != [int(np.prod(shape)) for shape in shapes]:
                return None
            found.append(
                [
                    value.detach().to(torch.float64).numpy().reshape(shape)
                    for value, shape in zip(tensors, shapes, strict=True)
                ]
            )
    if progress:
        progress("your model in float", len(rows), len(rows))
    return tuple(np.stack(column) for column in zip(*found, strict=True))
