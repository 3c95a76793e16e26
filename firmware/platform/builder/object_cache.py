# SPDX-License-Identifier: BSD-3-Clause
"""Share compiled objects between projects, but for those that hold a model.

Every project carries the same runtime and kernels; compiling them once per machine is enough.
Shared are objects of `lib/`, and those of `main.cpp` and of the list of operators, which most
projects have alike. What else is generated for a model never comes out of the cache, so an image
cannot hold another project's model. (PlatformIO's own `build_cache_dir` must not be
shared: it shares SCons' signature file too, and has been seen to give a build that says SUCCESS
and holds the old model.)

An object is found by the contents of its source and of every header SCons' scanner finds from it,
by its compile command without the switches that none of these sees, and by the toolchain: the
compiler's version and the C library's headers.
"""

import hashlib
import os
import re
import subprocess
import sys
import time

import SCons.CacheDir
from seen_switches import mentions, seen, without_unseen

# PlatformIO builds libraries in <build>/<env>/lib<3 hex digits of the absolute path>/<name>/, and
# the project's own sources in <build>/<env>/src/.
_SHARED_OBJECT = re.compile(
    r"^.*?[/\\](?:lib[0-9a-f]{3}[/\\](?P<lib>.+\.o)|src[/\\](?P<src>(?:main|operators)\.o))$"
)
_BUILD_DIR = re.compile(rb"[^\s\"']*[/\\](?:lib[0-9a-f]{3}|src)[/\\]")
_KEPT_DAYS = 30
_PROBE = "#include <newlib.h>\n#include <cstdlib>\n#include <cstring>\n#include <cmath>\n"


class SharedObjects(SCons.CacheDir.CacheDir):
    """An SCons cache that takes some objects only and names them without the project's path."""

    def cachepath(self, node):
        match = _SHARED_OBJECT.match(str(node))
        if not match or not self.is_enabled():
            return None, None
        name = match["lib"] or match["src"]
        digest = hashlib.sha256(name.replace("\\", "/").encode())
        command = _BUILD_DIR.sub(b"", node.get_executor().get_contents())
        switches = seen(map(_mentions, node.children()))
        digest.update(without_unseen(command, switches))
        for child in node.children():
            digest.update(b"\0" + child.get_csig().encode())
        name = digest.hexdigest()
        folder = os.path.join(self.path, name[: self.config["prefix_len"]].upper())
        return folder, os.path.join(folder, name)

    def retrieve(self, node):
        return self.cachepath(node)[0] is not None and super().retrieve(node)

    def push(self, node):
        return super().push(node) if self.cachepath(node)[0] is not None else None


_mentioned = {}  # by path: headers are those of some hundred sources


def _mentions(node):
    path = str(node)
    if path not in _mentioned:
        _mentioned[path] = mentions(node.get_contents())
    return _mentioned[path]


def use_object_cache(env):
    """Turn the cache on, unless MCUGEN_OBJECT_CACHE is `off` or its folder cannot be written."""
    root = os.environ.get("MCUGEN_OBJECT_CACHE") or _default_root()
    toolchain = _toolchain_id(env)
    if root == "off" or toolchain is None:
        return
    try:
        os.makedirs(root, exist_ok=True)
    except OSError:
        return
    if os.access(root, os.W_OK):
        _drop_unused(root)
        env.CacheDir(os.path.join(os.path.abspath(root), toolchain), SharedObjects)


def _drop_unused(root):
    """Once a day, remove objects no build took for a month. SCons touches what it takes."""
    marker = os.path.join(root, "last-cleaned")
    now = time.time()
    try:
        if now - os.stat(marker).st_mtime < 24 * 3600:
            return
    except OSError:
        pass
    with open(marker, "w", encoding="utf-8"):
        pass
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            try:
                if len(name) == 64 and now - os.stat(path).st_mtime > _KEPT_DAYS * 24 * 3600:
                    os.remove(path)
            except OSError:
                pass  # another build was quicker


def _default_root():
    if sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    elif os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "mcugen", "objects")


def _toolchain_id(env):
    """Return a name for compiler and C library, or None if the compiler does not run."""
    digest = hashlib.sha256()
    environment = {key: str(value) for key, value in env["ENV"].items()}
    # With -dD, the macros that tell a library's version are in the output.
    for command in (["--version"], ["-E", "-P", "-dD", "-x", "c++", "-"]):
        try:
            result = subprocess.run(
                [env.subst("$CXX"), *command],
                input=_PROBE.encode(),
                env=environment,
                capture_output=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        digest.update(result.stdout)
    return digest.hexdigest()[:16]
