# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mcugen.base.errors import ConfigError
from mcugen.model import data


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MCUGEN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def test_digits_splits_are_real_disjoint_and_stratified():
    train, test = data.load_tfds("digits8", "train"), data.load_tfds("digits8", "test")

    assert len(train.inputs) + len(test.inputs) == 1797
    assert len(test.inputs) >= 360
    for split in (train, test):
        assert split.inputs.dtype == np.uint8 and split.inputs.shape[1:] == (8, 8, 1)
        assert split.inputs.max() == 16
        counts = np.bincount(split.labels, minlength=10)
        assert counts.max() - counts.min() <= 0.05 * len(split.labels)
    images = {row.tobytes() for row in train.inputs}
    assert sum(row.tobytes() in images for row in test.inputs) <= 5  # a few people write alike


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype(np.uint8)
    want = {(image.tobytes(), int(n)) for image, n in zip(images, digits.target, strict=True)}
    splits = [data.load_tfds("digits8", split) for split in ("train", "test")]
    got = {
        (row.tobytes(), int(label))
        for split in splits
        for row, label in zip(split.inputs, split.labels, strict=True)
    }

    assert got == want


def test_reading_digits_needs_neither_tensorflow_nor_torch():
    code = (
        "import sys; from mcugen.model.data import load_tfds;"
        "print(len(load_tfds('digits8', 'test', 5).inputs),"
        "'tensorflow' in sys.modules, 'torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "5 False False\n"


def test_data_source_is_random_access():
    source = data.tfds_source("digits8", "test[:10]")

    assert len(source) == 10
    assert source[9]["image"].shape == (8, 8, 1)


def test_unknown_dataset_names_the_nearest():
    with pytest.raises(ConfigError, match="digitz8") as caught:
        data.load_source("tfds:digitz8")

    assert "tfds:digits8" in caught.value.hint


def test_unknown_split_is_refused():
    with pytest.raises(ConfigError, match="validation"):
        data.load_source("tfds:digits8/validation")


def test_npz_gives_samples_and_labels(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.ones((4, 3), np.float32), y=np.arange(4))

    samples = data.load_source(str(tmp_path / "d.npz"), limit=3, seed=None)

    assert samples.inputs.shape == (3, 3)
    assert samples.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "arrays, words",
    [
        pytest.param({"a": np.ones(2), "b": np.ones(2)}, "expected 'x'", id="which-array"),
        pytest.param({"y": np.ones(2)}, "expected 'x'", id="labels-only"),
        pytest.param({"x": np.ones((0, 3))}, "no samples", id="empty"),
        pytest.param({"x": np.ones((2, 3)), "y": np.ones(3)}, "3 labels", id="label-count"),
    ],
)
def test_npz_that_does_not_suit_says_why(tmp_path, arrays, words):
    np.savez(tmp_path / "d.npz", **arrays)

    with pytest.raises(ConfigError, match=words):
        data.load_source(str(tmp_path / "d.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut", b"text"], ids=["empty", "cut", "text"])
def test_file_that_is_no_npz_says_so(tmp_path, content):
    path = tmp_path / "d.npz"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"not a readable \.npz"):
        data.load_source(str(path))


def test_missing_calibration_file_is_named():
    with pytest.raises(ConfigError, match="nowhere"):
        data.load_source("nowhere")


def test_folder_of_arrays_is_read_in_order(tmp_path):
    for number in (2, 0, 1):
        np.save(tmp_path / f"{number}.npy", np.full((2, 2), number, np.float32))

    assert data.load_source(str(tmp_path)).inputs[:, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.npy", b""),
        ("a.npy", b"hello"),
        ("a.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',\n"),
        ("a.npy", b"PK\x03\x04"),
        ("a.png", b""),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"),
        ("a.bmp", b"BM"),
    ],
)
def test_a_damaged_file_in_a_folder_is_refused_in_words(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigError, match="cannot read the samples in"):
        data.load_source(str(tmp_path))


def test_an_image_of_a_huge_size_is_refused_in_words(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    with pytest.raises(ConfigError, match="decompression bomb"):
        data.load_source(str(tmp_path))


@pytest.mark.parametrize(
    "stored, shape, want",
    [
        ((5, 3, 4, 6), (1, 3, 4, 6), (5, 1, 3, 4, 6)),
        ((5, 4, 6, 3), (1, 3, 4, 6), (5, 1, 3, 4, 6)),
        ((5, 1, 3, 4, 6), (1, 3, 4, 6), (5, 1, 3, 4, 6)),
        ((5, 4, 6), (1, 1, 4, 6), (5, 1, 1, 4, 6)),
        ((5, 7), (1, 7), (5, 1, 7)),
    ],
    ids=["nchw", "nhwc", "with-batch", "grey", "vector"],
)
def test_samples_take_the_models_shape(stored, shape, want):
    values = np.arange(np.prod(stored), dtype=np.float32).reshape(stored)

    rows = data.as_model_input(values, shape)

    assert rows.shape == want and rows.dtype == np.float32
    if stored == (5, 4, 6, 3):
        assert (rows[:, 0] == values.transpose(0, 3, 1, 2)).all()


def test_samples_of_another_shape_are_refused():
    with pytest.raises(ConfigError, match=r"\[8, 8\].*\[1, 3, 4, 6\]"):
        data.as_model_input(np.zeros((5, 8, 8)), (1, 3, 4, 6))


def test_fingerprint_follows_the_files_bytes(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x=np.ones((2, 2)))
    before = data.source_fingerprint(str(path))
    np.savez(path, x=np.zeros((2, 2)))

    assert data.source_fingerprint(str(path)) != before
    assert data.source_fingerprint("random") == "random"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 3), np.complex64), "array 'x' is complex64: not real numbers"),
        (np.array(["a", "b"]), "array 'x' is <U1: not real numbers"),
        (np.array([{}, {}], object), "array 'x' is no array of numbers"),
    ],
)
def test_samples_that_are_no_numbers_are_named(tmp_path, values, words):
    np.savez(tmp_path / "x.npz", x=values)

    with pytest.raises(ConfigError, match=words):
        data.load_source(str(tmp_path / "x.npz"))


def test_a_file_of_another_kind_is_not_taken_for_a_pickle(tmp_path):
    (tmp_path / "samples.txt").write_text("1,2,3\n")

    with pytest.raises(ConfigError, match=r"is not a readable \.npz file$") as caught:
        data.load_source(str(tmp_path / "samples.txt"))
    assert "numpy.savez" in caught.value.hint


def test_an_npy_file_holds_a_sample_per_row(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12).reshape(6, 2))

    first = data.load_source(str(tmp_path / "x.npy"), 2, seed=None)

    assert first.inputs.tolist() == [[0, 1], [2, 3]]


def test_an_image_with_a_palette_gives_its_colours(tmp_path):
    """Its bytes are places in the palette, and say nothing of light and dark."""
    Image.new("RGB", (2, 2), (255, 0, 9)).convert("P").save(tmp_path / "red.png")

    (pixels,) = data.load_source(str(tmp_path)).inputs

    assert pixels.shape == (2, 2, 3)
    assert pixels[0, 0, 0] > 200 and pixels[0, 0, 1] < 50
