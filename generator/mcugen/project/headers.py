# SPDX-License-Identifier: BSD-3-Clause
"""Which of ExecuTorch's headers a set of sources needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath

from mcugen.base.resources import executorch_include_dir

# Where a header inside executorch/ is looked up: as the firmware's include paths do.
C10 = "executorch/runtime/core/portable_type/c10"
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def header_closure(sources: Iterable[bytes]) -> dict[str, bytes]:
    """Return the ExecuTorch headers that `sources` need, directly or not: path → contents.

    Paths are relative to ExecuTorch's include root. Every `#include` counts, taken or not, so the
    result does not depend on macros; names that are not in the wheel are the toolchain's.
    """
    root = executorch_include_dir()
    found: dict[str, bytes] = {}
    queue = [(PurePosixPath(), data) for data in sources]
    while queue:
        folder, data = queue.pop()
        for match in INCLUDE.finditer(data):
            name = match[2].decode(errors="replace")
            places = [PurePosixPath(name), PurePosixPath(C10) / name]
            if match[1] == b'"':
                places.insert(0, folder / name)
            for place in places:
                path = os.path.normpath(place.as_posix()).replace(os.sep, "/")
                if path in found:
                    break
                contents = _header(path) if path.startswith("executorch/") else None
                if contents is not None:
                    found[path] = contents
                    queue.append((PurePosixPath(path).parent, contents))
                    break
    assert all((root / path).is_file() for path in found)
    return found


@cache
def _header(path: str) -> bytes | None:
    file = executorch_include_dir() / path
    return file.read_bytes() if file.is_file() else None
