# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import stat

import pytest

from mcugen.base import cache
from mcugen.base.errors import ConfigError

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners on this system")

SOMEBODY = 54321


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "cache"
    path.mkdir(mode=0o755)
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(path))
    monkeypatch.delenv("SUDO_UID", raising=False)
    return path


@pytest.fixture
def give_away(monkeypatch):
    """Return a function that makes a path somebody else's, as far as this process can tell."""

    def give(path):
        if os.geteuid() == 0:
            os.chown(path, SOMEBODY, SOMEBODY)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY + 1)

    return give


def test_a_cache_of_ones_own_is_used(folder):
    cache.store("kind", "key", {"a": b"1"})

    assert cache.load("kind", "key") == {"a": b"1"}


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o757])
def test_a_cache_that_anybody_writes_is_refused(folder, mode):
    cache.store("kind", "key", {"a": b"1"})
    folder.chmod(mode)

    for use in (
        lambda: cache.load("kind", "key"),
        lambda: cache.store("kind", "key", {"a": b"2"}),
        cache.clear,
    ):
        with pytest.raises(ConfigError, match="can be written by anybody") as caught:
            use()
        assert str(folder) in caught.value.message
        assert "MCUGEN_CACHE_DIR" in caught.value.hint
    assert (folder / "kind" / "key").is_dir()


def test_a_cache_that_a_shared_group_writes_is_refused(folder):
    groups = os.getgroups() if os.geteuid() else [SOMEBODY]
    shared = next((gid for gid in groups if gid != os.getegid()), None)
    if shared is None:
        pytest.skip("this user is in no second group")
    os.chown(folder, -1, shared)
    folder.chmod(0o775)

    with pytest.raises(ConfigError, match="can be written by the group"):
        cache.load("kind", "key")


def test_a_cache_of_the_users_private_group_is_used(folder, monkeypatch):
    import grp
    import pwd

    user = pwd.struct_passwd(("me", "x", os.geteuid(), folder.stat().st_gid, "", "/", "/"))
    members = ["me"]
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: user)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("me", "x", gid, members)))
    folder.chmod(0o775)

    assert cache.cache_dir() == folder
    members.append("another")
    with pytest.raises(ConfigError, match="the group me"):
        cache.cache_dir()


def test_a_cache_of_somebody_else_is_refused(folder, give_away):
    give_away(folder)

    with pytest.raises(ConfigError, match="belongs to the user"):
        cache.load("kind", "key")


def test_sudo_uses_the_callers_cache(folder, give_away, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root has a caller")
    give_away(folder)
    monkeypatch.setenv("SUDO_UID", str(SOMEBODY))

    assert cache.cache_dir() == folder


def test_a_new_cache_is_writable_by_its_user_only(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "deep" / "cache"))
    before = os.umask(0)
    try:
        cache.store("kind", "key", {"a": b"1"})
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "deep" / "cache").stat().st_mode) == 0o755
    assert cache.load("kind", "key") == {"a": b"1"}
