# SPDX-License-Identifier: BSD-3-Clause
"""A model that int8 ruins: found out, the layer named, and brought back, on the simulated Nucleo.

It is `digits` with other weights of the same function: a channel of the first layer is 1000 x as
large, and the next layer takes it back.
"""

from __future__ import annotations

import json

import pytest

pytestmark = [
    *(pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch),
    pytest.mark.xdist_group("hard"),
]

RUN = ("run", "digits", "--simulate", "--samples", "100", "--runs", "1", "--max-drop", "1")


@pytest.fixture(scope="module")
def hard_digits(tmp_path_factory):
    """The folder of a cache whose weights are the hard ones."""
    import torch

    from mcugen.base import cache
    from mcugen.model.bundled import digits, training

    model = digits.build()
    batch_norm, depthwise = model.stem[1], model.block1[0]
    with torch.no_grad():
        batch_norm.weight[5] *= 1000
        batch_norm.bias[5] *= 1000
        depthwise.weight[5] /= 1000
    folder = tmp_path_factory.mktemp("hard")
    with pytest.MonkeyPatch.context() as patch:
        # What does not depend on weights is shared with other builds.
        patch.setenv("MCUGEN_OBJECT_CACHE", str(cache.cache_dir() / "objects"))
        patch.setenv("PLATFORMIO_CORE_DIR", str(cache.cache_dir() / "platformio"))
        patch.setenv("MCUGEN_CACHE_DIR", str(folder))
        cache.store("weights", digits.weights_key(), {"weights.npz": training.pack(model)})
        yield folder


def test_max_drop_fails_and_names_the_layer(mcugen, hard_digits, tmp_path):
    done = mcugen(*RUN, "--accept-loss", "--json", cwd=tmp_path, exit_code=8)

    error = json.loads(done.stdout)
    accuracy = error["report"]["verify"]["accuracy"]
    assert accuracy["float"] >= 0.95 > accuracy["device"] + 0.01
    assert f"{100 * accuracy['device']:.2f} % on the device" in error["error"]
    assert f"{100 * accuracy['float']:.2f} % in float" in error["error"]
    assert "layer stem.0" in error["error"] and "channel 5" in error["error"]
    assert error["report"]["quantization"]["layers"][0]["name"] == "stem.0"


def test_tuning_brings_it_back(mcugen, hard_digits, tmp_path):
    report = json.loads(mcugen(*RUN, "--tune", "--json", cwd=tmp_path).stdout)

    accuracy = report["verify"]["accuracy"]
    assert accuracy["device"] >= accuracy["float"] - 0.01
    assert report["verify"]["within_tolerance"] == 100
    chosen = report["quantization"]
    assert "stem.0" in chosen["float_layer"]
    assert chosen["trials"][0]["float_layer"] == []
