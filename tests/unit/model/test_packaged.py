# SPDX-License-Identifier: BSD-3-Clause
"""Datasets that packages on PyPI carry as files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.model import catalog, data
from mcugen.model.datasets import packaged, ts_file

#: Shape of a sample, samples of each class in train and in test.
EXPECTED = {
    "mnist5k": ((28, 28, 1), [400] * 10, [100] * 10),
    "japanese_vowels": ((12, 29), [30] * 9, [31, 35, 88, 44, 29, 24, 40, 50, 29]),
    "mitdb": ((128,), [998], [545, 78]),
    "basic_motions": ((6, 100), [10] * 4, [10] * 4),
}
PACKAGED = [name for name, info in catalog.DATASETS.items() if info.reader]


def test_each_dataset_is_described_here():
    assert EXPECTED.keys() == set(PACKAGED)


@pytest.mark.parametrize("name", PACKAGED)
def test_splits_are_disjoint_and_hold_every_class(name):
    shape, *counts = EXPECTED[name]
    splits = [data.load_dataset(name, split) for split in ("train", "test")]

    for split, count in zip(splits, counts, strict=True):
        assert split.inputs.shape == (sum(count), *shape)
        assert np.bincount(split.labels).tolist() == count
    train, test = ({row.tobytes() for row in split.inputs} for split in splits)
    assert not train & test


@pytest.mark.parametrize("name", PACKAGED)
def test_first_samples_stand_for_all(name):
    """Files are sorted by class."""
    few = data.load_dataset(name, "test", 30)

    assert set(few.labels) == set(data.load_dataset(name, "test").labels)
    assert few.inputs.tobytes() == data.load_dataset(name, "test", 30).inputs.tobytes()
    assert packaged.version(name) in few.provenance


@pytest.mark.parametrize("name", PACKAGED)
def test_the_package_itself_is_not_imported(name):
    package = catalog.DATASETS[name].package
    code = (
        "import sys; from mcugen.model.data import load_dataset;"
        f"load_dataset('{name}', 'test', 1);"
        f"print([name for name in ('{package}', 'pandas', 'torch') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_missing_package_is_a_missing_tool_that_names_the_extra(monkeypatch):
    from mcugen.export import pipeline

    info = replace(catalog.DATASETS["basic_motions"], package="no-such-package")
    monkeypatch.setitem(catalog.DATASETS, "basic_motions", info)
    monkeypatch.setattr(pipeline, "load_kept", lambda key: None)

    with pytest.raises(ToolMissingError, match="no-such-package") as caught:
        pipeline.build_artifact("activity", cpu="cortex-m4")

    assert caught.value.exit_code == 3
    assert "mcugen[timeseries]" in caught.value.hint


def test_package_without_the_file_is_named():
    with pytest.raises(ToolMissingError, match=r"sktime \d.*no file nowhere") as caught:
        packaged.data_file("basic_motions", "nowhere")

    assert "mcugen[timeseries]" in caught.value.hint


def test_unknown_split_is_refused():
    with pytest.raises(ConfigError, match="'validation'"):
        data.load_dataset("basic_motions", "validation")


def test_ts_file_has_channels_and_a_class_on_each_line(tmp_path):
    path = tmp_path / "x.ts"
    path.write_text("#a comment\n@classLabel true up down\n@data\n1,2:3,4:up\n\n5:6:down\n")

    samples, classes = ts_file.read_ts(path)

    assert [sample.tolist() for sample in samples] == [[[1, 2], [3, 4]], [[5], [6]]]
    assert classes == ["up", "down"]
