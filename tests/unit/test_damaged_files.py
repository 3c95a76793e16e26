# SPDX-License-Identifier: BSD-3-Clause
"""Damaged files and answers are refused in words. Each of these was found by tests/fuzz."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcugen.base.errors import ConfigError, McugenError, ProtocolError, TemplateError
from mcugen.boards.parse import parse_board
from mcugen.cli import config
from mcugen.device.protocol import info
from mcugen.model import data
from mcugen.program import tensor_files
from mcugen.program.artifact import TensorSpec
from mcugen.project import last_build, manifest, place

DEEP = "[" * 100_000  # deeper than Python's parsers of JSON and TOML go
SPEC = TensorSpec("x", (2, 3), (0, 1), "float32", None, None, True)


def read_last_build(folder: Path, text: str) -> None:
    (folder / last_build.OUT_NAME).mkdir()
    (folder / last_build.OUT_NAME / "last.json").write_text(text)
    last_build.load_last_build(folder)


def read_manifest(folder: Path, text: str) -> None:
    path = folder / manifest.MANIFEST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    place.load_project(folder)


def read_config(folder: Path, text: str) -> None:
    (folder / "mcugen.toml").write_text(f"model={text}")
    config.load_config(folder)


def read_board(folder: Path, text: str) -> None:
    (folder / "b.toml").write_text(f"id={text}")
    parse_board(folder / "b.toml")


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (lambda _, text: info.parse_info(text), ProtocolError),
        (read_last_build, ConfigError),
        (read_manifest, TemplateError),
        (read_config, ConfigError),
        (read_board, ConfigError),
    ],
    ids=["info", "last_build", "manifest", "config", "board"],
)
def test_nesting_without_end_is_refused(
    read: Callable[[Path, str], object], error: type[McugenError], tmp_path: Path
) -> None:
    """A RecursionError is no ValueError."""
    with pytest.raises(error):
        read(tmp_path, DEEP)


MANIFEST = {
    **dict.fromkeys(("board", "env", "model", "pte_sha256", "firmware_id"), "x"),
    **{"schema": 1, "pte_bytes": 0, "files": {"a": "0"}},
}


@pytest.mark.parametrize("key", [key for key in MANIFEST if key != "schema"])
def test_manifest_without_a_key_is_refused(key: str, tmp_path: Path) -> None:
    read_manifest(tmp_path, json.dumps(MANIFEST))  # this is a good one

    with pytest.raises(TemplateError, match="damaged"):
        read_manifest(tmp_path, json.dumps({k: v for k, v in MANIFEST.items() if k != key}))
    with pytest.raises(TemplateError, match="damaged"):
        read_manifest(tmp_path, json.dumps({**MANIFEST, key: None}))


@pytest.mark.parametrize("path", ["a\0", "\ud800"])
def test_manifest_with_a_path_that_cannot_be_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="damaged"):
        read_manifest(tmp_path, json.dumps({**MANIFEST, "files": {path: "0"}}))


def npy_header(text: str) -> bytes:
    line = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + len(line).to_bytes(2, "little") + line


DAMAGED_NPY = {
    "empty": b"",
    "brackets": npy_header("{'descr': '<f4', 'shape': (2, ((((("),
    "deep": npy_header("{'descr': " + "[" * 100),
    "huge": npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1 << 60,), }"),
    "larger_than_memory": npy_header(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
    ),
    "no_data": npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
    "zip": b"PK\x03\x04 not a zip",
}


@pytest.mark.parametrize("content", DAMAGED_NPY.values(), ids=DAMAGED_NPY)
def test_damaged_npy_is_refused(content: bytes, tmp_path: Path) -> None:
    """numpy raises TokenError, EOFError, MemoryError, BadZipFile and others, besides ValueError."""
    path = tmp_path / "x.npy"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"x\.npy"):
        tensor_files.read_input(path, SPEC)
    with pytest.raises(ConfigError):
        data.load_folder(tmp_path)


def test_npz_with_one_number_for_labels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((1, 2)), y=np.array(7))

    with pytest.raises(ConfigError, match="one number"):
        data.load_npz(tmp_path / "x.npz")


def test_npy_is_read_still(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "x.npy", array)

    assert tensor_files.read_input(tmp_path / "x.npy", SPEC) == array.tobytes()
    assert data.load_folder(tmp_path).inputs.shape == (1, 2, 3)
