# SPDX-License-Identifier: BSD-3-Clause
"""Folders by class, audio, CSV of sensors, objects: samples with their labels, or words why not."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.model.data import load_source, samples_from, source_fingerprint, source_path
from mcugen.model.samples import Samples
from mcugen.model.sources import folder as folders

RANDOM = np.random.RandomState(0)


# -- folders


@pytest.fixture
def pictures(tmp_path):
    """Three classes of 20 images of 4 x 4; each has its class and number in two pixels."""
    for label, name in enumerate(("ant", "bee", "cat")):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = np.zeros((4, 4, 3), np.uint8)
            pixels[0, 0], pixels[0, 1] = label, number
            Image.fromarray(pixels).save(tmp_path / name / f"{number:02}.png")
    return tmp_path


def test_a_folder_of_images_by_class(pictures):
    samples = load_source(str(pictures))

    assert samples.inputs.shape == (60, 4, 4, 3) and samples.inputs.dtype == np.uint8
    assert samples.labels.tolist() == samples.inputs[:, 0, 0, 0].tolist()
    assert samples.class_names == ("ant", "bee", "cat")
    assert samples.names[0] == "ant/00.png"


def test_few_of_a_folder_are_of_every_class_and_only_they_are_opened(pictures, monkeypatch):
    opened = []
    monkeypatch.setattr(
        folders, "image_of", lambda file: opened.append(file) or np.zeros((1, 1, 1), np.uint8)
    )
    steps = []

    samples = load_source(str(pictures), 12, progress=lambda *step: steps.append(step))
    again = load_source(str(pictures), 12)

    assert set(samples.labels.tolist()) == {0, 1, 2}
    assert samples.names == again.names
    assert len(opened) == 24
    assert steps[-1] == (f"reading {pictures.name}", 12, 12)


def test_files_beside_subfolders_have_no_classes(pictures):
    (pictures / "ant" / "00.png").rename(pictures / "first.png")

    samples = load_source(str(pictures))

    assert samples.labels is None and samples.class_names is None
    assert len(samples) == 60


def test_hidden_files_are_no_samples(pictures):
    (pictures / ".cache").mkdir()
    (pictures / ".cache" / "x.png").write_bytes(b"no image")
    (pictures / "ant" / "._00.png").write_bytes(b"no image")

    assert len(load_source(str(pictures))) == 60


def test_parts_of_a_data_set_are_not_its_classes(pictures):
    (pictures / "ant").rename(pictures / "train")
    (pictures / "bee").rename(pictures / "test")
    (pictures / "cat").rename(pictures / "val")

    with pytest.raises(ConfigError, match="the parts test, train, val") as caught:
        load_source(str(pictures))
    assert str(pictures / "test") in caught.value.hint


def test_a_class_without_samples_has_its_number(pictures):
    """As torchvision's ImageFolder numbers them; else each class behind it were another one."""
    before = source_fingerprint(str(pictures))
    (pictures / "asp").mkdir()

    samples = load_source(str(pictures))

    assert samples.class_names == ("ant", "asp", "bee", "cat")
    assert set(samples.labels.tolist()) == {0, 2, 3}
    assert source_fingerprint(str(pictures)) != before


def test_a_damaged_file_is_named_with_its_class(pictures):
    (pictures / "bee" / "07.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")

    with pytest.raises(ConfigError, match=r"cannot read .*: bee.07\.png: cannot identify"):
        load_source(str(pictures))


def test_several_kinds_of_files_are_refused(pictures):
    np.save(pictures / "ant" / "x.npy", np.zeros(3))

    with pytest.raises(ConfigError, match="1 of arrays and 60 of images"):
        load_source(str(pictures))


def test_an_empty_folder_says_what_it_might_hold(tmp_path):
    with pytest.raises(ConfigError, match=r"no \.npy files, no images and no audio"):
        load_source(str(tmp_path))


@pytest.mark.parametrize("mode, channels", [("L", 1), ("RGBA", 3), ("LA", 1), ("1", 1), ("P", 3)])
def test_modes_of_images_are_grey_or_colours(tmp_path, mode, channels):
    Image.new("RGB", (3, 2), (200, 200, 200)).convert(mode).save(tmp_path / "a.png")

    (pixels,) = load_source(str(tmp_path)).inputs

    assert pixels.shape == (2, 3, channels) and pixels.dtype == np.uint8
    assert pixels.max() > 150  # a bit is 0 or 255, not 0 or 1


def test_a_fingerprint_follows_names_and_what_is_chosen(pictures):
    chosen = load_source(str(pictures), 5).names
    others = [f"ant/{n:02}.png" for n in range(20) if f"ant/{n:02}.png" not in chosen]
    prints = [source_fingerprint(str(pictures), 5)]
    (pictures / others[0]).write_bytes(b"another")
    prints.append(source_fingerprint(str(pictures), 5))
    (pictures / chosen[0]).write_bytes(b"another")
    prints.append(source_fingerprint(str(pictures), 5))
    (pictures / others[0]).rename(pictures / "ant" / "zz.png")
    prints.append(source_fingerprint(str(pictures), 5))

    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


# -- audio


def wav(path, values, rate=8000):
    from scipy.io import wavfile

    path.parent.mkdir(exist_ok=True)
    wavfile.write(path, rate, values)


@pytest.mark.parametrize(
    ("stored", "want"),
    [
        (np.array([-32768, 0, 16384], np.int16), [-1, 0, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1, 0, 0.5]),
        (np.array([-(2**31), 0, 2**30], np.int32), [-1, 0, 0.5]),
        (np.array([-1, 0, 0.5], np.float32), [-1, 0, 0.5]),
    ],
    ids=["16 bits", "8 bits", "32 bits", "float"],
)
def test_audio_by_class_is_in_minus_1_to_1(tmp_path, stored, want):
    wav(tmp_path / "no" / "a.wav", stored)
    wav(tmp_path / "yes" / "a.wav", stored[:2])

    samples = load_source(str(tmp_path))

    assert samples.inputs[0].tolist() == want and samples.inputs[1].tolist() == want[:2]
    assert samples.inputs[0].dtype == np.float32
    assert samples.labels.tolist() == [0, 1] and samples.class_names == ("no", "yes")
    assert samples.sample_rate_hz == 8000


def test_audio_of_several_rates_is_refused(tmp_path):
    wav(tmp_path / "a.wav", np.zeros(9, np.int16), 8000)
    wav(tmp_path / "b.wav", np.zeros(9, np.int16), 16000)

    with pytest.raises(ConfigError, match=r"8000 Hz \(a\.wav\), 16000 Hz \(b\.wav\)"):
        load_source(str(tmp_path))


@pytest.mark.parametrize("keep", [0, 10, 30, 44], ids=["empty", "cut", "no data", "no samples"])
def test_damaged_audio_is_named(tmp_path, keep):
    wav(tmp_path / "a.wav", np.zeros(9, np.int16))
    data = (tmp_path / "a.wav").read_bytes()[:keep]
    (tmp_path / "a.wav").write_bytes(data)

    with pytest.raises(ConfigError, match=r"a\.wav: "):
        load_source(str(tmp_path))


def test_other_audio_needs_an_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "a.flac").write_bytes(b"fLaC")

    with pytest.raises(ToolMissingError, match=r"\.flac files needs soundfile") as caught:
        load_source(str(tmp_path))
    assert "mcugen[audio]" in caught.value.hint


# -- CSV

TABLE = """time;ax;ay;label
0;1;10;walk
1;2;20;walk
2;3;30;walk
3;4;40;run
4;5;50;run
5;6;60;run
6;7;70;run
"""


def csv_file(folder, text, options=""):
    (folder / "s.csv").write_text(text)
    return f"{folder / 's.csv'}{options}"


def test_windows_of_a_csv_have_one_label_each(tmp_path):
    samples = load_source(csv_file(tmp_path, TABLE, ":window=2,hop=1,channels=ax+ay"))

    assert samples.inputs.shape == (5, 2, 2) and samples.inputs.dtype == np.float32
    assert samples.inputs[:, 0, 0].tolist() == [1, 2, 4, 5, 6]
    assert samples.inputs[0].tolist() == [[1, 10], [2, 20]]
    assert samples.labels.tolist() == [1, 1, 0, 0, 0]
    assert samples.class_names == ("run", "walk")
    assert samples.names[2] == "s.csv, line 5"


def test_windows_do_not_go_over_a_change_of_the_group(tmp_path):
    text = "".join(f"{i},{i // 3}\n" for i in range(6))
    samples = load_source(csv_file(tmp_path, "a,person\n" + text, ":window=2,hop=1,group=person"))

    assert samples.inputs[..., 0].tolist() == [[0, 1], [1, 2], [3, 4], [4, 5]]
    assert samples.labels is None


def test_rows_of_a_csv_are_samples_without_a_window(tmp_path):
    samples = load_source(csv_file(tmp_path, "a,b,y\n1,2,0\n3,4,1\n5,6,1\n"))

    assert samples.inputs.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert samples.labels.tolist() == [0, 1, 1] and samples.class_names is None


def test_measured_values_stay_measured(tmp_path):
    assert load_source(csv_file(tmp_path, "a,y\n1,0.25\n3,1\n")).labels.tolist() == [0.25, 1]


def test_a_csv_without_a_header(tmp_path):
    samples = load_source(csv_file(tmp_path, "1,2,0\n3,4,1\n", ":label=2"))

    assert samples.inputs.tolist() == [[1, 2], [3, 4]] and samples.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "options", "channels", "labels"),
    [
        ("ax,Label\n1,0\n2,1\n", "", 1, [0, 1]),
        ("ax,CLASS\n1,b\n2,a\n", "", 1, [1, 0]),
        ("X,Y,Z\n1,2,3\n", "", 3, None),
        ("x,y,z,activity\n1,2,3,b\n1,2,3,a\n", ":label=activity", 3, [1, 0]),
        ("x,Y\n1,0\n2,1\n", "", 1, [0, 1]),
        ('t,"acc, x",acc y,y\n0,1,2,0\n', ":channels=1+2", 2, [0]),
    ],
    ids=["Label", "CLASS", "axes", "axes and a label", "Y", "by number"],
)
def test_columns_as_people_call_them(tmp_path, text, options, channels, labels):
    """Without its label, a window went over changes of it, and no accuracy was told."""
    samples = load_source(csv_file(tmp_path, text, options))

    assert samples.inputs.shape[1] == channels
    assert (None if samples.labels is None else samples.labels.tolist()) == labels


def test_text_in_a_column_may_be_the_class(tmp_path):
    with pytest.raises(ConfigError, match="'walk' is no number") as caught:
        load_source(csv_file(tmp_path, "ax,activity\n1,walk\n"))
    assert "s.csv:label=activity" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", "", "no rows of samples"),
        ("a,b\n", "", "no rows of samples"),
        ("a,b\n1,2\n3\n", "", "line 3: 1 columns, 2 above"),
        ("a,b\n1,2\n\n3,x\n", "", "line 4, column 'b': 'x' is no number"),
        ("a,b\n1,2\n3,\n", "", "line 3, column 'b': nothing is no number"),
        ("a,b\n1,nan\n", "", "line 2, column 'b': nan"),
        ("a,y\n1,0\n2,\n", "", "line 3: no label"),
        ("a,a\n1,0\n", "", "several columns 'a'"),
        (TABLE, ":window=9", "no window of 9 rows with one label"),
        (TABLE, ":windows=9", "unknown option 'windows=9'; did you mean 'window='"),
        (TABLE, ":window=x", "window must be a whole number"),
        (TABLE, ":hop=2", "hop needs a window"),
        (TABLE, ":label=activity", "no column 'activity': time, ax, ay, label"),
        ("a,b\n1,\xff\n", "", "is no number"),
    ],
)
def test_a_csv_that_does_not_suit_is_named_with_its_line(tmp_path, text, options, words):
    with pytest.raises(ConfigError, match=words):
        load_source(csv_file(tmp_path, text, options))


def test_bytes_that_are_no_text_are_no_csv(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"a,b\n\xff\xfe,2\n")

    with pytest.raises(ConfigError, match="not a readable CSV file"):
        load_source(str(tmp_path / "s.csv"))


# -- .npz


def test_arrays_of_other_names_and_text_for_labels(tmp_path):
    np.savez(tmp_path / "d.npz", a=np.ones(3), frames=np.ones((2, 4)), kind=["dog", "cat"])

    samples = load_source(f"{tmp_path / 'd.npz'}:x=frames,y=kind")

    assert samples.inputs.shape == (2, 4)
    assert samples.labels.tolist() == [1, 0] and samples.class_names == ("cat", "dog")
    with pytest.raises(ConfigError, match=r"no array 'y': it holds a, frames, kind"):
        load_source(f"{tmp_path / 'd.npz'}:x=frames,y=y")


def test_names_of_classes_in_an_npz(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.ones((2, 4)), y=[1, 0], class_names=["no", "yes"])

    assert load_source(str(tmp_path / "d.npz")).class_names == ("no", "yes")


def test_text_is_numbered_by_the_names_of_classes_where_there_are_some(tmp_path):
    names = ["yes", "no", "unsure"]
    np.savez(tmp_path / "d.npz", x=np.ones((2, 4)), y=["no", "yes"], class_names=names)
    np.savez(tmp_path / "other.npz", x=np.ones((2, 4)), y=["no", "nay"], class_names=names)

    samples = load_source(str(tmp_path / "d.npz"))

    assert samples.labels.tolist() == [1, 0] and samples.class_names == tuple(names)
    with pytest.raises(ConfigError, match="the model has no class 'nay'"):
        load_source(str(tmp_path / "other.npz"))


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        ((), [0, 1], ""),
        (("cat", "dog", "eel"), [0, 1], ""),
        (("ape", "cat", "bee", "dog"), [1, 3], ""),
        (("a cat", "a dog"), [0, 1], "classes cat, ... taken for the model's a cat"),
        (("cat", "ape"), "no class 'dog'", ""),
        (("ape", "bee", "eel"), "no class 'cat', 'dog'", ""),
    ],
    ids=["unknown", "the first ones", "by name", "as many others", "some others", "all others"],
)
def test_some_of_the_classes_have_the_model_s_numbers(names, labels, said):
    samples = Samples(np.zeros((2, 1)), np.array([0, 1]), "d", ("cat", "dog"))

    if isinstance(labels, str):
        with pytest.raises(ConfigError, match=labels):
            samples.numbered_as(names)
        return
    found = samples.numbered_as(names)
    assert found.labels.tolist() == labels and said in found.provenance


def test_few_of_a_sorted_file_are_of_every_class(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.zeros((300, 1)), y=np.repeat(np.arange(3), 100))

    assert set(load_source(str(tmp_path / "d.npz"), 20).labels.tolist()) == {0, 1, 2}
    assert set(load_source(str(tmp_path / "d.npz"), 20, seed=None).labels.tolist()) == {0}


def test_paths_in_sources():
    assert str(source_path("a/b.csv:window=3")) == "a/b.csv"
    assert str(source_path("tfds:a/b.py/test")) == "a/b.py"
    assert source_path("tfds:mnist/test") is None and source_path("random") is None


# -- objects

X, Y = np.arange(40.0).reshape(20, 2), np.repeat(np.arange(2), 10)


class Map:
    """A data set as torch's `Dataset` is: by number, without end if iterated over."""

    classes = ("no", "yes")

    def __len__(self):
        return 20

    def __getitem__(self, index):
        return X[index], int(Y[index])


@pytest.mark.parametrize(
    "source",
    [
        *((X, Y), list(zip(X, Y, strict=True)), Map(), (pair for pair in zip(X, Y, strict=True))),
        *([{"image": x, "label": y} for x, y in zip(X, Y, strict=True)], Samples(X, Y, "s")),
    ],
    ids=["arrays", "pairs", "dataset", "generator", "dicts", "samples"],
)
def test_every_object_gives_samples_and_labels_of_all_classes(source):
    samples = samples_from(source, 10)

    assert samples.inputs.shape == (10, 2)
    assert [int(row[0] >= 20) for row in samples.inputs] == samples.labels.tolist()
    assert set(samples.labels.tolist()) == {0, 1}
    assert samples.class_names == (Map.classes if isinstance(source, Map) else None)


def test_objects_without_labels():
    assert samples_from(X).labels is None
    assert samples_from(list(X)).inputs.tolist() == X.tolist()
    assert samples_from([[1.0, 2.0], [3.0, 4.0]]).inputs.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a.npz", "type str are no samples"),
        (5, "type int are no samples"),
        ({"x": X}, "type dict are no samples"),
        ([], "holds no samples"),
        (np.zeros((0, 3)), "holds no samples"),
        (["cat", "dog"], "sample 0 is of type str"),
        ([{"pixels": X}], "sample 0 is a dict with 'pixels'"),
        ([(X[0], 1), X[1]], "1 of 2 samples have a label"),
    ],
)
def test_what_is_no_collection_of_samples_is_named(source, words):
    with pytest.raises(ConfigError, match=words):
        samples_from(source)
