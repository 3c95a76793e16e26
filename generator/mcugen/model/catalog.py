# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models, as `mcugen models` lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model, as `mcugen models` lists it."""

    name: str
    description: str
    input: str
    trained: bool
    dataset: str | None  #: bundled labelled data for calibration and verification
    profile_model: str  #: answer to the MLPerf Tiny command `profile%`
    logits: bool  #: output 0 is a classifier's logits
    sources: tuple[str, ...]  #: files of this package that define it


_UNTRAINED = "untrained weights: for size and speed, not accuracy"
_TINY = ("model/bundled/mlperf_tiny.py",)
BUNDLED = (
    ModelInfo(
        "digits",
        "small CNN for handwritten digits, trained here on scikit-learn's real digits",
        "float32[1, 1, 8, 8]",
        True,
        "digits8",
        "digits",
        True,
        (
            "model/bundled/digits.py",
            "model/bundled/digits_data.py",
            "model/datasets/digits8/digits8_dataset_builder.py",
        ),
    ),
    ModelInfo(
        "kws",
        f"MLPerf Tiny keyword spotting, DS-CNN ({_UNTRAINED})",
        "float32[1, 1, 49, 10]",
        False,
        None,
        "kws01",
        True,
        _TINY,
    ),
    ModelInfo(
        "vww",
        f"MLPerf Tiny visual wake words, MobileNetV1 x 0.25 ({_UNTRAINED})",
        "float32[1, 3, 96, 96]",
        False,
        None,
        "vww01",
        True,
        _TINY,
    ),
    ModelInfo(
        "ic",
        f"MLPerf Tiny image classification, ResNet-8 ({_UNTRAINED})",
        "float32[1, 3, 32, 32]",
        False,
        None,
        "ic01",
        True,
        _TINY,
    ),
    ModelInfo(
        "ad",
        f"MLPerf Tiny anomaly detection, autoencoder ({_UNTRAINED})",
        "float32[1, 640]",
        False,
        None,
        "ad01",
        False,
        _TINY,
    ),
)


def list_models() -> tuple[ModelInfo, ...]:
    """Return the bundled models. No torch."""
    return BUNDLED
