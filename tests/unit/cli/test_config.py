# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcugen.base.errors import ConfigError
from mcugen.cli.config import load_config, read_config
from mcugen.model.preprocess import Normalize, Preprocess, Resize

SAMPLES = Path(__file__).parents[1] / "samples" / "config"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("invalid_*.toml")), ids=lambda p: p.stem)
def test_refuses_with_the_reason(path):
    """The first line of each sample is what the message must say, after the file's name."""
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")

    with pytest.raises(ConfigError, match=expected) as caught:
        read_config(path, shown="some/mcugen.toml")

    assert caught.value.message.startswith("some/mcugen.toml")
    assert caught.value.exit_code == 2


def test_paths_are_relative_to_the_file():
    config = read_config(SAMPLES / "valid_all_keys.toml")

    assert config.model == f"{SAMPLES / 'nets/net.py'}:make"
    assert config.output == SAMPLES / "firmware"
    assert config.calibrate == str(SAMPLES / "data/samples.npz")
    assert (config.io, config.strict, config.samples, config.timeout_s) == ("float", True, 500, 30)
    assert (config.dim, config.optimize) == (["x.1=30"], "size")
    assert (config.data, config.metric) == (str(SAMPLES / "data/test.npz"), "auc")


def test_bundled_names_are_no_paths(tmp_path):
    (tmp_path / "mcugen.toml").write_text('model = "digits"\ncalibrate = "tfds:digits8"\n')

    config = load_config(tmp_path)

    assert (config.model, config.calibrate) == ("digits", "tfds:digits8")


def test_file_is_found_upwards_and_named_as_seen_from_here(tmp_path):
    (tmp_path / "mcugen.toml").write_text("colour = 1\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    with pytest.raises(ConfigError, match=r"^\.\./\.\./mcugen\.toml: unknown key 'colour'"):
        load_config(inner)


def test_nearest_file_wins_and_its_folder_is_the_project(tmp_path):
    inner = tmp_path / "a"
    inner.mkdir()
    (tmp_path / "mcugen.toml").write_text('board = "nucleo"\n')
    (inner / "mcugen.toml").write_text('board = "qemu-m4"\n')

    config = load_config(inner)

    assert (config.board, config.root) == ("qemu-m4", inner)


def test_without_a_file_the_working_directory_is_the_project(tmp_path):
    assert load_config(tmp_path).root == tmp_path


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives files away")
def test_a_strangers_file_in_a_folder_above_is_refused(tmp_path):
    somebody = 54321
    config = tmp_path / "mcugen.toml"
    config.write_text('model = "hostile.py:make"\n')
    inner = tmp_path / "mine"
    inner.mkdir()
    assert load_config(inner).model == f"{tmp_path / 'hostile.py'}:make"
    os.chown(config, somebody, somebody)

    with pytest.raises(ConfigError, match="belongs to the user 54321") as caught:
        load_config(inner)
    assert caught.value.exit_code == 2 and str(config) in caught.value.message

    # In a container, root works in a mounted folder of another id: all of it is that user's.
    os.chown(inner, somebody, somebody)
    assert load_config(inner).model
    # One's own is nearer.
    os.chown(inner, 0, 0)
    (inner / "mcugen.toml").write_text("")
    assert load_config(inner).model is None


def test_preprocessing_is_a_table_of_steps(tmp_path):
    (tmp_path / "mcugen.toml").write_text(
        "[preprocess]\n"
        'steps = [{ do = "resize", height = 8, width = 8 }, { do = "normalize", mean = 1 }]\n'
    )

    steps = load_config(tmp_path).preprocess

    assert steps == Preprocess(Resize(8, 8), Normalize((1.0,)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("preprocess = 3", r"'preprocess' must be a table, \[preprocess\]"),
        ("[preprocess]\nstep = []", r"\[preprocess\]: unknown key 'step'"),
        ("[preprocess]", r"\[preprocess\] has no steps"),
        ('[preprocess]\nsteps = [{ do = "gray" }]', r"step 1: unknown step 'gray'; .* 'grey'"),
    ],
)
def test_preprocessing_that_is_none_is_named(tmp_path, text, words):
    (tmp_path / "mcugen.toml").write_text(text)

    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("source", "want"),
    [
        ("tfds:mnist", "tfds:mnist"),
        ("tfds:own_dataset_builder.py/test", "tfds:{}/own_dataset_builder.py/test"),
        ("data.csv:window=9,hop=3", "{}/data.csv:window=9,hop=3"),
        ("data.npz:x=a", "{}/data.npz:x=a"),
        ("random", "random"),
    ],
)
def test_data_is_looked_for_beside_the_file(tmp_path, source, want):
    (tmp_path / "mcugen.toml").write_text(f'calibrate = "{source}"')

    assert load_config(tmp_path).calibrate == want.format(tmp_path)
