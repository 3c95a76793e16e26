# SPDX-License-Identifier: BSD-3-Clause
"""Read ExecuTorch's headers once per build, not once per source.

They are four fifths of what the compiler does for an operator. A source includes all it needs, and
what is precompiled is no more than that: the code is the same without it, and only the order of
names in the debug information is not. That order also depends on where the header lies, so its
place is the same in all projects, and one source that is not in the object cache needs it as well
as a hundred.

It goes when the build ends: the compiler does not notice that a header in it has changed.

Where there is none, on a disk that is nearly full, objects are others for the object cache.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import threading
from pathlib import Path

from SCons.Action import FunctionAction

# Of the runtime: most sources there include it.
FOLDERS = ("app", "ops", *(f"runtime/{name}" for name in ("backend", "core", "executor", "kernel")))
_FOLDER = os.path.join(".pio", "precompiled")  # from the project's folder, where all tools run
_HEADER = os.path.join(_FOLDER, "executorch.h")
_INCLUDES = (
    "executorch/runtime/core/evalue.h",
    "executorch/runtime/kernel/kernel_runtime_context.h",
)
_FREE_BYTES = 128 << 20  # it takes 40 MiB
_FROM_SOURCES = 8  # it costs as much time as three sources without it


class Precompiled:
    """The precompiled header of one build, for sources that are compiled by the same flags."""

    def __init__(self, project_dir):
        sources = [
            source
            for folder in FOLDERS
            for source in Path(project_dir, "lib", "mcugen_runtime", folder).rglob("*.cpp")
        ]
        has_room = shutil.disk_usage(project_dir).free > _FREE_BYTES
        self._used = has_room and len(sources) >= _FROM_SOURCES
        self._lock = threading.Lock()
        self._status = None

    def object(self, env, node):
        """Return the object of a source whose includes lead to these headers."""
        if not self._used:
            return node
        target = env.Object(node, CXXFLAGS=[*env["CXXFLAGS"], "-include", _HEADER])

        def before_compiling(target, source, env, library=env):
            return self._make(library)

        # Not PlatformIO's AddPreAction(), which puts it off until the target is a file.
        target[0].get_executor().add_pre_action(_Unseen(before_compiling, {"cmdstr": None}))
        return target

    def _make(self, env):
        """Do it for the first source that is not in the object cache; the others wait.

        Returns what SCons takes for success or an error.
        """
        with self._lock:
            if self._status is None:
                atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
                shutil.rmtree(_FOLDER, ignore_errors=True)  # of a build that was killed
                os.makedirs(_FOLDER)
                with open(_HEADER, "w", encoding="utf-8") as file:
                    for name in _INCLUDES:  # a project has the headers that its sources include
                        file.write(f"#if __has_include(<{name}>)\n#include <{name}>\n#endif\n")
                self._status = _precompile(env)
            return self._status


def _precompile(env):
    """Make it and try it: not every compiler on every host can load what it has written.

    Without success, sources read the header as it is. But after Ctrl-C none is compiled so: its
    object would not be what other builds take from the cache.
    """
    made = f"{_HEADER}.gch"
    for arguments in (["-o", made, _HEADER], ["-fsyntax-only", "-include", _HEADER, os.devnull]):
        status = _compile(env, *arguments)
        if status != 0:
            with contextlib.suppress(FileNotFoundError):
                os.remove(made)
            return min(status, 0)  # negative: ended by a signal
    return 0


def _compile(env, *arguments):
    flags = env.subst_list("$CXXFLAGS $CCFLAGS $_CCCOMCOM")[0]
    command = [env.subst("$CXX"), *map(str, flags), "-x", "c++-header", *arguments]
    environment = {key: str(value) for key, value in env["ENV"].items()}
    return subprocess.run(command, env=environment, capture_output=True).returncode


class _Unseen(FunctionAction):
    """An action that is not part of what an object is known by."""

    def get_presig(self, target, source, env):
        return b""

    def get_varlist(self, target, source, env, executor=None):
        return ()
