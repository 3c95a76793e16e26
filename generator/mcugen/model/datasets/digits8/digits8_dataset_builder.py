# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's 1,797 real handwritten digits as a tensorflow-datasets builder.

The images are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin,
C. Kaynak; UCI Machine Learning Repository): 43 people, 32 x 32 bitmaps counted down to 8 x 8
pixels of 0 to 16. scikit-learn carries them, so nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

NUM_CLASSES = 10
#: One digit in this many, counted within its class, is held out for testing.
TEST_EVERY = 4


class Builder(tfds.core.GeneratorBasedBuilder):
    """Features: image uint8[8, 8, 1] of 0 to 16, label 0 to 9. Splits: train, test (disjoint)."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: dict[str, str] = {"1.0.0": "First release."}  # noqa: RUF012 (tfds' own type)

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            description=__doc__,
            # Tensor and not Image: Image imports TensorFlow to encode.
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Tensor(shape=(8, 8, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=NUM_CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        del dl_manager  # Nothing to download.
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = digits.images.astype(np.uint8)[..., np.newaxis]
        labels = digits.target.astype(int)
        # Stratified and fixed: within each class every TEST_EVERY-th digit, in the file's order.
        is_test = np.zeros(len(labels), dtype=bool)
        for label in range(NUM_CLASSES):
            is_test[np.flatnonzero(labels == label)[TEST_EVERY - 1 :: TEST_EVERY]] = True

        def examples(indices: np.ndarray) -> Iterator[tuple[int, dict[str, Any]]]:
            for index in indices:
                yield int(index), {"image": images[index], "label": int(labels[index])}

        return {
            "train": examples(np.flatnonzero(~is_test)),
            "test": examples(np.flatnonzero(is_test)),
        }

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        raise NotImplementedError("the splits bring their examples with them")
