# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from mcugen.base import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_entry_comes_back_as_it_was_stored():
    cache.store("kind", "key", {"a.bin": b"\0\1", "b.json": b"{}"})

    assert cache.load("kind", "key") == {"a.bin": b"\0\1", "b.json": b"{}"}
    assert cache.load("kind", "other") is None


def test_storing_again_replaces_the_entry():
    cache.store("kind", "key", {"a": b"old", "b": b"old"})

    cache.store("kind", "key", {"a": b"new"})

    assert cache.load("kind", "key") == {"a": b"new"}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda entry: (entry / "a").write_bytes(b"other"), id="changed-bytes"),
        pytest.param(lambda entry: (entry / "a").write_bytes(b""), id="truncated"),
        pytest.param(lambda entry: (entry / "a").unlink(), id="file-missing"),
        pytest.param(lambda entry: (entry / "manifest.json").unlink(), id="manifest-missing"),
        pytest.param(
            lambda entry: (entry / "manifest.json").write_text('{"files": ['), id="manifest-cut"
        ),
        pytest.param(lambda entry: (entry / "manifest.json").write_text("[]"), id="manifest-odd"),
    ],
)
def test_damaged_entry_is_thrown_away(folder, damage):
    cache.store("kind", "key", {"a": b"bytes"})
    damage(folder / "kind" / "key")

    assert cache.load("kind", "key") is None
    assert not (folder / "kind" / "key").exists()
    cache.store("kind", "key", {"a": b"bytes"})
    assert cache.load("kind", "key") == {"a": b"bytes"}


def test_nothing_half_written_is_left_behind(folder):
    cache.store("kind", "key", {"a": b"1"})
    cache.store("kind", "key", {"a": b"2"})
    (folder / "kind" / "key" / "a").write_bytes(b"damaged")
    cache.load("kind", "key")

    assert list((folder / "kind").iterdir()) == []


def test_cache_that_cannot_be_written_is_not_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "file"))

    cache.store("kind", "key", {"a": b"1"})

    assert cache.load("kind", "key") is None


def test_key_changes_with_every_part():
    keys = {
        cache.make_key(cpu="cortex-m4", io="int8"),
        cache.make_key(cpu="cortex-m4", io="float"),
        cache.make_key(cpu="cortex-m7", io="int8"),
        cache.make_key(cpu="cortex-m4", io="int8", versions={"torch": "1"}),
    }

    assert len(keys) == 4
    assert cache.make_key(a=1, b=2) == cache.make_key(b=2, a=1)


def test_clear_frees_the_kinds_it_is_given():
    cache.store("one", "key", {"a": bytes(100)})
    cache.store("two", "key", {"a": bytes(100)})

    assert cache.clear(["one"]) >= 100
    assert cache.load("one", "key") is None
    assert cache.load("two", "key") is not None


def test_clear_leaves_what_other_programs_keep_in_the_folder(folder):
    cache.store("weights", "key", {"w": b"1234"})
    (folder / "pip").mkdir()
    (folder / "pip" / "wheel").write_bytes(b"theirs")

    assert cache.clear() >= 4
    assert (folder / "pip" / "wheel").read_bytes() == b"theirs"
    assert not (folder / "weights").exists()
