# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen.lock`: an unchanged build passes, and each thing that differs is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mcugen.base.errors import LockError
from mcugen.cli.config import Config, _source_path
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with
from mcugen.export.quantization import QuantizationOptions
from mcugen.flow import lock
from mcugen.flow.settings import Settings
from mcugen.model.preprocess import Preprocess

GOLDEN = Path(__file__).parents[2] / "golden" / "nets"
RESULTS = {"results": {"pte": "a" * 64}, "calibration": {"seed": 0, "sha256": "b" * 64}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copyfile(sorted(GOLDEN.glob("**/*.pte"))[0], tmp_path / "model.pte")
    (tmp_path / "calibration.npz").write_bytes(b"samples")
    (tmp_path / "mcugen.toml").write_text("")
    options = Options(
        model=str(tmp_path / "model.pte"),
        board="qemu-m4",
        calibrate=str(tmp_path / "calibration.npz"),
    )
    return resolve_with(options, Config(root=tmp_path))


@pytest.fixture
def path(settings: Settings) -> Path:
    """The lock of a build that read one more file: its weights."""
    path = lock.lock_path(settings)
    weights = path.parent / "weights.pt"
    weights.write_bytes(b"weights")
    files = {"files": {"weights.pt": lock._tree_sha256(weights)}}
    entry = lock.merged(lock.known_before(settings, path), files, RESULTS)
    lock.write(settings, path, entry)
    return path


def refusal(settings: Settings, path: Path) -> str:
    before = lock.known_before(settings, path)
    with pytest.raises(LockError) as caught:
        lock.refuse_differences(lock.read(settings, path), before, path, complete=False)
    assert caught.value.exit_code == 2
    return caught.value.message


def edit(path: Path, section: str, name: str, value: object) -> None:
    document = json.loads(path.read_text())
    [entry] = document["builds"].values()
    entry[section][name] = value
    path.write_text(json.dumps(document))


def test_paths_move_with_the_folder_that_holds_them(settings, path) -> None:
    names = lock.known_before(settings, settings.root / "out" / "p" / "mcugen.lock")["files"]

    assert set(names) == {"../../model.pte", "../../calibration.npz"}
    far = lock.known_before(settings, settings.root / "a" / "b" / "c" / "mcugen.lock")["files"]
    assert set(far) == {settings.model, settings.calibrate}


def test_an_unchanged_build_passes(settings, path) -> None:
    before = lock.known_before(settings, path)
    entry = lock.read(settings, path)

    lock.refuse_differences(entry, before, path, complete=False)
    lock.refuse_differences(entry, lock.merged(before, entry), path, complete=True)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("d.csv", "d.csv:window=50,hop=25"),
        ("d.npz", "d.npz:x=frames"),
        ("b.py", "tfds:b.py/test"),
        ("pictures", "pictures"),
    ],
)
def test_data_with_options_are_locked_in_any_folder(settings, tmp_path, name, source) -> None:
    """Their path was no file's: not hashed, and absolute, so that another folder was refused."""
    entries = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        if name == "pictures":
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(b"samples")
        config = Config(root=folder, calibrate=_source_path(source, folder))
        there = resolve_with(Options(model=settings.model, board="qemu-m4"), config)
        entries.append(lock.known_before(there, folder / "mcugen.lock"))

    assert entries[0]["flags"] == entries[1]["flags"]
    assert entries[0]["flags"]["calibrate"] == source
    assert name in entries[0]["files"] and entries[0]["files"] == entries[1]["files"]


def test_the_lock_lies_beside_the_configuration_or_in_the_project(settings, path) -> None:
    assert path == settings.root / "mcugen.lock"
    (settings.root / "mcugen.toml").unlink()
    assert lock.lock_path(settings).parent.name == "model-qemu-m4"
    assert lock.lock_path(replace(settings, output=Path("/p"))) == Path("/p/mcugen.lock")


@pytest.mark.parametrize("name", ["model.pte", "calibration.npz", "weights.pt"])
def test_a_changed_file_is_named_before_anything_is_built(settings, path, name) -> None:
    (path.parent / name).write_bytes(b"other")

    said = refusal(settings, path)

    assert said.startswith("1 thing differs")
    assert f"files.{name}: locked " in said
    assert "restore the file" in said


def test_a_file_that_is_gone_is_named(settings, path) -> None:
    (path.parent / "weights.pt").unlink()

    assert "now nothing; restore the file" in refusal(settings, path)


def test_another_version_is_named(settings, path) -> None:
    edit(path, "versions", "torch", "1.0")

    said = refusal(settings, path)

    assert "versions.torch: locked 1.0, now 2." in said
    assert "install the locked version" in said


def test_another_flag_is_named(settings, path) -> None:
    said = refusal(replace(settings, io="float", pixels="0..255"), path)

    assert said.startswith("2 things differ")
    assert "flags.io: locked int8, now float; give the locked value" in said
    assert "flags.pixels: locked nothing, now 0..255" in said


def test_one_of_several_options_of_quantization_is_named(settings, path) -> None:
    other = replace(settings, quantization=QuantizationOptions.parse("minmax"))

    said = refusal(other, path)

    assert said.startswith("1 thing differs")
    assert "flags.quantization.calibration_method: locked histogram, now minmax" in said


def test_a_declaration_of_preprocessing_is_locked(settings, path) -> None:
    declared = replace(settings, preprocess=Preprocess.from_json([{"do": "grey"}]))
    lock.write(declared, path, lock.known_before(declared, path))

    before = lock.known_before(declared, path)
    lock.refuse_differences(lock.read(declared, path), before, path, complete=False)
    assert "flags.preprocess: locked [" in refusal(settings, path)


def test_flags_that_change_no_result_are_not_locked(settings, path) -> None:
    entry = lock.known_before(replace(settings, runs=7, samples=3, device="x"), path)

    lock.refuse_differences(lock.read(settings, path), entry, path, complete=False)


def test_another_result_of_the_same_inputs_is_named(settings, path) -> None:
    known = lock.merged(lock.read(settings, path), {"results": {"pte": "c" * 64}})

    with pytest.raises(LockError, match=r"results.pte: locked aaaaaaaaaaaa…, now cccccccccccc…"):
        lock.refuse_differences(lock.read(settings, path), known, path, complete=True)


def test_a_file_read_in_addition_is_named(settings, path) -> None:
    known = lock.merged(lock.read(settings, path), {"files": {"more.npy": "d" * 64}})

    with pytest.raises(LockError, match=r"files.more.npy: locked nothing"):
        lock.refuse_differences(lock.read(settings, path), known, path, complete=True)


def test_entries_of_other_boards_stay(settings, path) -> None:
    from mcugen.boards.load import load_board

    other = replace(settings, board=load_board("qemu-m3"))
    with pytest.raises(LockError, match=r"no entry for model for .*it has: model for"):
        lock.read(other, path)

    lock.write(other, path, lock.known_before(other, path))

    assert lock.read(settings, path) != lock.read(other, path)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"schema": "mcugen.lock/9"}'])
def test_a_missing_or_damaged_lock_says_what_to_do(settings, path, text) -> None:
    path.unlink() if text is None else path.write_text(text)

    with pytest.raises(LockError) as caught:
        lock.read(settings, path)

    assert "without --locked" in caught.value.hint
