# SPDX-License-Identifier: BSD-3-Clause
"""Which operator and kernel sources a program needs, by what includes and calls what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from mcugen.project.headers import INCLUDE

#: Names the variant of each kernel that operators call. It includes the headers of all kernels, so
#: who includes it needs only those whose names it uses.
SELECT = "kernels/select.h"
# Name and variants: MCUGEN_KERNEL(conv2d_s8, mla, dsp, mve);
_KERNEL = re.compile(rb"^MCUGEN_KERNEL\((\w+), ([\w, ]+)\);", re.MULTILINE)
# As clang-format lays it out: a definition begins at the margin, and a call does not.
_DEFINITION = re.compile(rb"^\w[^;{}()\n]*\b(\w+)\(", re.MULTILINE)
_NO_CODE = re.compile(rb'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*(?s:.*?)\*/|#include[^\n]*')
_WORD = re.compile(rb"\w+")
_VARIANTS = (
    *(".cpp", "_scalar.cpp", "_mla.cpp", "_dsp.cpp", "_mve.cpp"),
    *(".S", "_armv6m.S", "_armv7m.S"),
)


def needed_sources(
    available: Mapping[str, bytes], operators: Iterable[str], callers: Iterable[bytes]
) -> dict[str, bytes]:
    """Return those of `available` that go with `operators` and `callers`.

    A header brings the source of its name along (`linear_s8.h`: `linear_s8_scalar.cpp`), but for
    `SELECT`. Every `#include` counts, taken or not.

    Args:
        available: operators and kernels that run on the core, by the name they are included by.
        operators: the sources of the operators that the program calls.
        callers: contents of all other sources and headers of the project.
    """
    kernels = _kernels_by_name(available)
    needed: dict[str, bytes] = {}
    headers: list[str] = []  # needed to compile, but bring nothing along
    queue = [*operators, *(name for data in callers for name in _includes(data))]
    while queue:
        path = queue.pop()
        if path in needed or path not in available:
            continue
        needed[path] = data = available[path]
        if path == SELECT:
            headers += _includes(data)
            continue
        queue += _includes(data)
        if path.endswith(".h"):
            stem = PurePosixPath(path).with_suffix("").as_posix()
            queue += (f"{stem}{variant}" for variant in _VARIANTS)
        for word in set(_WORD.findall(_NO_CODE.sub(b"", data))):
            queue += kernels.get(word, ())
    while headers:
        path = headers.pop()
        if path in available and path not in needed:
            needed[path] = available[path]
            headers += _includes(available[path])
    return dict(sorted(needed.items()))


def _includes(data: bytes) -> list[str]:
    return [match[2].decode(errors="replace") for match in INCLUDE.finditer(data)]


def _kernels_by_name(available: Mapping[str, bytes]) -> dict[bytes, list[str]]:
    """Return which sources define what each name in `SELECT` stands for."""
    definers: dict[bytes, list[str]] = {}
    for path, data in available.items():
        if path.startswith("kernels/") and path.endswith(".cpp"):
            for name in set(_DEFINITION.findall(data)):
                definers.setdefault(name, []).append(path)
    found: dict[bytes, list[str]] = {}
    # A name stands for one kernel per instruction set, which may leave some calls to the scalar
    # one. Others' sources are not available.
    for name, variants in _KERNEL.findall(available.get(SELECT, b"")):
        functions = {name + b"_" + each for each in (b"scalar", *variants.split(b", "))}
        found[name] = [path for each in sorted(functions) for path in definers.get(each, ())]
    return found
