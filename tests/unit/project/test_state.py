# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
from dataclasses import replace

import pytest
import samples_of_specs as sample

from mcugen.base.cache import sha256_hex
from mcugen.base.errors import ConfigError
from mcugen.base.files import write_atomically
from mcugen.cli.cleaning import clean_project
from mcugen.export.fidelity import Fidelity
from mcugen.project.last_build import (
    LastBuild,
    has_last_build,
    load_last_build,
    out_dir,
    save_last_build,
)


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    artifact = sample.artifact()
    last = LastBuild("digits", "qemu-m4", "int8", None, artifact, artifact, sample.image(folder))
    save_last_build(tmp_path, last)
    return tmp_path, last


def test_last_build_comes_back_as_it_was(built):
    root, last = built

    assert load_last_build(root) == last


def test_a_build_of_an_earlier_mcugen_was_not_compared(built):
    root, last = built
    compared = replace(last, fidelity=Fidelity(4, "a test", (), (), ("a cause",)))
    save_last_build(root, compared)
    assert load_last_build(root) == compared
    path = out_dir(root) / "last.json"
    document = json.loads(path.read_text())
    del document["fidelity"]
    path.write_text(json.dumps(document))

    assert load_last_build(root).fidelity.summary == "not compared with a model"


def test_nothing_built_yet_says_what_to_do(tmp_path):
    assert not has_last_build(tmp_path)
    with pytest.raises(ConfigError, match="nothing has been built") as caught:
        load_last_build(tmp_path)
    assert "mcugen build" in caught.value.hint


def test_elf_that_is_gone_or_another_is_noticed(built):
    root, last = built

    last.image.elf.write_bytes(b"\x7fELF another")
    with pytest.raises(ConfigError, match="not the file mcugen built"):
        load_last_build(root)
    last.image.elf.unlink()
    with pytest.raises(ConfigError, match="is gone"):
        load_last_build(root)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "mcugen.last/0"}'])
def test_damaged_state_is_an_error_in_words(built, text):
    root, _ = built
    (out_dir(root) / "last.json").write_text(text)

    with pytest.raises(ConfigError, match=r"last\.json"):
        load_last_build(root)


def test_model_of_another_build_is_noticed(built):
    root, _ = built
    (out_dir(root) / "last.pte").write_bytes(b"other")

    with pytest.raises(ConfigError, match="does not match its description"):
        load_last_build(root)


def test_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# -- clean


def make_project(root, files: dict[str, bytes]):
    project = out_dir(root) / "digits-qemu-m4"
    for name, data in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(data)
    manifest = {
        "schema": 1,
        "board": "qemu-m4",
        "env": "qemu-m4",
        "model": "digits",
        "firmware_id": "00",
        "pte_bytes": 1,
        "pte_sha256": "00",
        "files": {name: sha256_hex(data) for name, data in files.items()},
    }
    (project / "mcugen").mkdir(exist_ok=True)
    (project / "mcugen" / "manifest.json").write_text(json.dumps(manifest))
    (project / ".pio" / "build").mkdir(parents=True)
    (project / ".pio" / "build" / "x.o").touch()
    return project


def test_clean_removes_all_that_was_made(built):
    root, _ = built
    make_project(root, {"src/main.cpp": b"int main;", "README.md": b"read"})
    (out_dir(root) / "transcripts").mkdir()
    (out_dir(root) / "transcripts" / "t.txt").touch()

    result = clean_project(root)

    assert not out_dir(root).exists()
    assert result.kept == []
    assert {path.name for path in result.removed} == {
        "digits-qemu-m4",
        "last.json",
        "last.pte",
        "last_exported.pte",
        "transcripts",
    }


def test_clean_leaves_what_the_user_added_or_edited(tmp_path):
    project = make_project(tmp_path, {"src/main.cpp": b"int main;", "README.md": b"read"})
    (project / "src" / "main.cpp").write_bytes(b"edited")
    (project / "notes.txt").write_text("mine")
    (out_dir(tmp_path) / "mine.bin").write_bytes(b"mine, too")

    result = clean_project(tmp_path)

    assert (project / "src" / "main.cpp").read_bytes() == b"edited"
    assert (project / "notes.txt").exists() and (out_dir(tmp_path) / "mine.bin").exists()
    assert not (project / "README.md").exists() and not (project / ".pio").exists()
    assert {(path.name, why) for path, why in result.kept} == {
        ("main.cpp", "edited by hand"),
        ("notes.txt", "not made by mcugen"),
        ("mine.bin", "not made by mcugen"),
    }


def test_clean_never_leaves_the_project(tmp_path):
    """A manifest that names a file outside cannot make clean remove it."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"x")
    project = make_project(tmp_path, {"a": b"a"})
    document = json.loads((project / "mcugen" / "manifest.json").read_text())
    document["files"]["../../precious"] = sha256_hex(b"x")
    (project / "mcugen" / "manifest.json").write_text(json.dumps(document))

    clean_project(tmp_path)

    assert precious.exists()
