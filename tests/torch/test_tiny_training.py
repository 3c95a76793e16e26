# SPDX-License-Identifier: BSD-3-Clause
"""The MLPerf Tiny networks trained by the script, on data made up here under names of their own.

What the real sets give cannot be told from this; that data get through the script into a folder
that mcugen builds and judges, can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mcugen.cli.config import load_config
from mcugen.export import evaluation, pipeline
from mcugen.model.bundled import train_tiny
from mcugen.model.bundled.tiny_recipes import RECIPES
from mcugen.program.reference.walker import reference_outputs

pytestmark = pytest.mark.torch

#: Not Image and Audio: those import TensorFlow to encode.
BUILDER = '''
import numpy as np
import tensorflow_datasets as tfds


class Builder(tfds.core.GeneratorBasedBuilder):
    """Made up for tests: {what}."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {{"1.0.0": "first"}}

    def _info(self):
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict({{
            "{feature}": tfds.features.Tensor(
                shape={shape}, dtype=np.{dtype}, encoding="zlib"
            ),
            "{label}": tfds.features.ClassLabel(num_classes={classes}),
        }}), supervised_keys=("{feature}", "{label}"))

    def _split_generators(self, dl_manager):
        return {{"train": self._generate_examples(1), "test": self._generate_examples(2)}}

    def _generate_examples(self, seed):
        random = np.random.RandomState(seed)
        for number in range({count}):
            label = number % {classes}
            yield number, {{"{feature}": self.sample(random, label), "{label}": label}}

    def sample(self, random, label):
{sample}
'''
TONE = """\
        length = random.randint(14_000, 17_000)
        angle = np.arange(length) * 2 * np.pi / 16_000 * 200 * 1.35**label
        tone = np.sin(angle + random.rand()) + 0.1 * random.randn(length)
        return (tone * 8_000).astype(np.int16)
"""
PATCH = """\
        image = random.randint(0, 60, (32, 32, 3))
        image[:, :, label % 3] += 50 * (label // 3 + 1) - 20
        return np.clip(image, 0, 255).astype(np.uint8)
"""
FIGURE = """\
        height, width = random.randint(50, 120, 2)
        image = random.randint(0, 90, (height, width, 3)) + 150 * label
        return image.astype(np.uint8)
"""


@dataclass(frozen=True)
class Made:
    """A stand-in for a network's data, and how long to train on it."""

    name: str
    feature: str
    label: str
    shape: str
    dtype: str
    classes: int
    count: int
    epochs: int
    sample: str

    def write(self, folder: Path) -> str:
        """Write the builder; return the source that names it."""
        file = folder / f"{self.name}_dataset_builder.py"
        file.write_text(BUILDER.format(what=self.name, **vars(self)))
        return f"tfds:{file}"


MADE = {
    "kws": Made("tones", "audio", "label", "(None,)", "int16", 12, 120, 5, TONE),
    "ic": Made("patches", "image", "label", "(32, 32, 3)", "uint8", 10, 120, 5, PATCH),
    "vww": Made("figures", "image", "person", "(None, None, 3)", "uint8", 2, 64, 10, FIGURE),
}


@pytest.fixture(autouse=True)
def _small(tmp_path, monkeypatch):
    """Steps of few samples, as there are few; and a cache of its own."""
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(train_tiny, "PARTS", 2)
    for name, known in RECIPES.items():
        few = replace(known, recipe=replace(known.recipe, batch=8))
        monkeypatch.setitem(RECIPES, name, few)


def test_each_recipe_is_tried() -> None:
    assert MADE.keys() == RECIPES.keys()


@pytest.mark.parametrize("name", MADE)
def test_the_script_trains_and_writes_a_folder(name, tmp_path, capsys):
    made, folder = MADE[name], tmp_path / "out"
    source = made.write(tmp_path)

    options = ("--data", source, "--epochs", str(made.epochs), "--output", str(folder))
    done = train_tiny.main([name, *options])

    said = capsys.readouterr().out
    assert done == 0
    assert f"on {made.count} samples of {source}/test" in said
    reached = float(said.split("float accuracy ")[1].split()[0])
    assert reached >= 0.9
    config = load_config(folder)
    assert config.preprocess == RECIPES[name].preprocess
    assert config.model == str(folder / f"{name}.pt2")
    assert (config.calibrate, config.data) == (f"{source}/train", f"{source}/test")
    if name == "kws":  # of which mcugen.toml says most
        check_int8(config, reached, made.count)


def check_int8(config, reached, count):
    """What `mcugen run` makes of the folder, up to the host's reference of the device."""
    what = {"preprocess": config.preprocess}
    artifact, report = pipeline.build_artifact(
        config.model, cpu="cortex-m4", calibrate=config.calibrate, **what
    )
    data = evaluation.chosen_data(config.model, artifact, count, data=config.data, **what)
    (outputs,) = reference_outputs(artifact, data.inputs)

    assert all(line.int8 for line in report.operators)
    found = outputs.reshape(len(outputs), -1).argmax(1)
    assert (found == data.labels).mean() >= reached - 0.05


def test_labels_beyond_the_network_are_refused(tmp_path, capsys):
    source = MADE["ic"].write(tmp_path)

    done = train_tiny.main(["vww", "--data", source, "--output", str(tmp_path / "out")])

    assert done == 2
    assert "has labels 0 to 9, vww tells 2 classes apart" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
