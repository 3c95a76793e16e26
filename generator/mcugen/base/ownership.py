# SPDX-License-Identifier: BSD-3-Clause
"""Whose a file is, and who could have put something else there.

mcugen runs what it finds in some places: toolchains and objects in its cache, the model that an
`mcugen.toml` names. Such a place has to be the user's own.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mcugen.base.errors import ConfigError


def refuse_shared(folder: Path, *, what: str, hint: str) -> None:
    """Raise ConfigError if another user owns `folder` or may write to it. A missing one is fine."""
    status = _status(folder)
    if status is None:
        return
    if status.st_uid not in _own_ids():
        who = f"belongs to {_user_name(status.st_uid)}"
    elif status.st_mode & stat.S_IWOTH:
        who = "can be written by anybody"
    elif status.st_mode & stat.S_IWGRP and not _is_private_group(status.st_gid):
        who = f"can be written by the group {_group_name(status.st_gid)}"
    else:
        return
    raise ConfigError(f"{what} {folder} {who}: what lies there could be anybody's", hint=hint)


def owner_besides(path: Path, folder: Path) -> str | None:
    """Return who owns `path` if it is neither the user, nor root, nor the owner of `folder`.

    `folder` is where the user chose to work: in a container, a mounted one of another id.
    """
    status, place = _status(path), _status(folder)
    if status is None or status.st_uid in _own_ids():
        return None
    if place is not None and status.st_uid == place.st_uid:
        return None
    return _user_name(status.st_uid)


def _status(path: Path) -> os.stat_result | None:
    """Return a path's owner and mode; None where there is none of it, or no such notion."""
    if not hasattr(os, "geteuid"):
        return None
    try:
        return path.stat()
    except OSError:
        return None


def _own_ids() -> set[int]:
    """Return the user's id and root's, who can do anything anyway; under sudo, the caller's."""
    ids = {os.geteuid(), 0}
    caller = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and caller.isdecimal():
        ids.add(int(caller))
    return ids


def _is_private_group(gid: int) -> bool:
    """Tell whether nobody else is in a group: the user's own, as many systems set it up."""
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(gid)
    except KeyError:
        return gid == os.geteuid()
    return (
        gid == user.pw_gid
        and group.gr_name == user.pw_name
        and not {*group.gr_mem} - {user.pw_name}
    )


def _user_name(uid: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user {uid}"


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
