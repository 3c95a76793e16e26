# SPDX-License-Identifier: BSD-3-Clause
"""Samples that an input's range from calibration does not suit are told of, with figures."""

from __future__ import annotations

import numpy as np
import pytest
import samples_of_specs as sample

from mcugen.program.device_input import saturation, unused

#: -1..1, as calibration with such samples gives it.
SIGNED = sample.tensor("x", shape=(1, 4), dim_order=(0, 1), scale=2 / 255, zero_point=0)
POSITIVE = sample.tensor("x", shape=(1, 4), dim_order=(0, 1), scale=1 / 255, zero_point=-128)
VALUES = np.random.RandomState(0).rand(20, 4)


@pytest.mark.parametrize(
    ("values", "spec", "words"),
    [
        (VALUES, SIGNED, r"x spans 0\.\d+..0\.9\d* of int8's -1..0.996: none is below 0"),
        (VALUES / 255, POSITIVE, "hardly any of it is used"),
        (VALUES * 2 - 1, SIGNED, None),
        (VALUES, POSITIVE, None),
        (VALUES * 0.2, POSITIVE, None),
        (VALUES[:9], SIGNED, None),
    ],
    ids=["0..1 for -1..1", "scaled twice", "as calibrated", "positive", "quiet", "too few"],
)
def test_a_range_that_is_not_used_is_told(values, spec, words):
    import re

    said = unused(values, spec)

    assert said is None if words is None else re.search(words, said)
    assert saturation(values, spec) is None
