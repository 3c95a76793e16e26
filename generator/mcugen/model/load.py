# SPDX-License-Identifier: BSD-3-Clause
"""From a resolved MODEL to a PyTorch module. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcugen.base.errors import ConfigError
from mcugen.base.quiet import quiet
from mcugen.model.factory import load_factory, load_given
from mcugen.model.pt2 import load_pt2
from mcugen.model.source import ModelKind, ModelRef, ModelSource, Progress


def load_model(
    ref: ModelRef,
    *,
    progress: Progress | None = None,
    trust: bool = False,
    dims: Mapping[str, int] | None = None,
    sample_shape: Sequence[int] | None = None,
) -> ModelSource:
    """Load (and for `digits`, if need be, train) a PyTorch model. Imports torch.

    A `.pt2` is read as data only, unless `trust`: then torch may run code that is in it.
    Its dynamic axes have the sizes of `dims`, or those of a calibration sample.

    Raises ConfigError if the file holds no such model; LoweringError if its own code fails.
    """
    with quiet():
        import torch  # noqa: F401

    if ref.kind is ModelKind.BUNDLED:
        return _load_bundled(ref, progress)
    if ref.kind is ModelKind.FACTORY:
        return load_factory(ref)
    if ref.kind is ModelKind.OBJECT:
        return load_given(ref)
    if ref.kind is ModelKind.PT2:
        return load_pt2(ref, trust=trust, dims=dims, sample_shape=sample_shape)
    raise ConfigError(f"{ref.path} is a compiled program: it has no PyTorch model")


def _load_bundled(ref: ModelRef, progress: Progress | None) -> ModelSource:
    import torch

    if ref.name == "digits":
        from mcugen.model.bundled import digits, digits_data

        return ModelSource(
            name=ref.name,
            module=digits.build(progress),
            example_inputs=(torch.zeros(1, 1, 8, 8),),
            calibration=None,
            preprocess=digits_data.preprocess,
            provenance="bundled, trained on tfds:digits8/train",
        )
    if ref.info is not None and ref.info.weights:
        from mcugen.model.bundled import training
        from mcugen.model.bundled.train import workload

        assert ref.info.dataset is not None
        found = workload(ref.name)
        return ModelSource(
            name=ref.name,
            module=training.load(found),
            example_inputs=(torch.zeros(found.input_shape),),
            calibration=None,
            preprocess=found.preprocess,
            provenance=f"bundled, trained on {ref.info.dataset}/train",
        )
    from mcugen.model.bundled import mlperf_tiny

    with quiet():
        module = mlperf_tiny.build(ref.name)
    return ModelSource(
        name=ref.name,
        module=module,
        example_inputs=mlperf_tiny.example_inputs(ref.name),
        calibration=None,
        preprocess=None,
        provenance=f"ExecuTorch's examples/models/mlperf_tiny, seed {mlperf_tiny.SEED}; untrained",
    )
