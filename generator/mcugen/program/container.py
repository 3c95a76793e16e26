# SPDX-License-Identifier: BSD-3-Clause
"""The file around the program: identifier, header, deserializing, the method to run."""

from __future__ import annotations

import struct
from typing import Any

from mcugen.base.errors import PteError
from mcugen.base.quiet import quiet

#: Alignment of constants inside the file; the file itself is placed on the same boundary.
CONSTANT_ALIGNMENT = 16
_IDENTIFIER = b"ET12"
_HEADER_MAGIC = b"eh00"
_HEADER_BYTES = 32
_SCHEMA_VERSION = 0
_DEFAULT_METHOD = "forward"


def check_container(data: bytes, *, name: str) -> None:
    """Check identifier and extended header (no torch); raises PteError naming what is wrong."""
    if not data:
        raise PteError(f"{name}: the .pte file is empty")
    if len(data) < 8:
        raise PteError(f"{name}: the .pte is truncated: {len(data)} bytes")
    identifier = data[4:8]
    if identifier != _IDENTIFIER:
        what = f"identifier is {identifier!r}, expected {_IDENTIFIER!r}"
        if identifier[:2] == b"ET":
            what += ": made for another version of ExecuTorch's file format"
            raise PteError(f"{name}: {what}", hint="Export it again with executorch 1.5.1.")
        raise PteError(f"{name}: not a .pte file ({what})")
    if len(data) < 8 + _HEADER_BYTES:
        raise PteError(f"{name}: the .pte is truncated: {len(data)} bytes, no room for its header")
    if data[8:12] == _HEADER_MAGIC:
        _check_extended_header(data, name)
    (root,) = struct.unpack_from("<I", data, 0)
    if root >= len(data) - 4:
        raise PteError(f"{name}: damaged: its root table lies at {root}, past the file's end")


def _check_extended_header(data: bytes, name: str) -> None:
    length, program, base, segments = struct.unpack_from("<IQQQ", data, 12)
    if length < _HEADER_BYTES - 8:
        raise PteError(f"{name}: damaged: its extended header says it is {length} bytes long")
    if length < _HEADER_BYTES:
        segments = 0
    if program > len(data):
        raise PteError(
            f"{name}: the .pte is truncated: its header promises a program of {program:,} B, "
            f"the file has {len(data):,} B"
        )
    if base and base < program:
        raise PteError(
            f"{name}: damaged: its header puts the constants at byte {base:,}, "
            f"inside the program of {program:,} B"
        )
    if base and base + segments > len(data):
        raise PteError(
            f"{name}: the .pte is truncated: its header promises {base + segments:,} B, "
            f"the file has {len(data):,} B"
        )
    if base == 0 and segments:
        raise PteError(f"{name}: damaged: its header has {segments:,} B of constants at no offset")


def deserialize(data: bytes, *, name: str) -> Any:
    """Return the wheel's PTEFile for a `.pte` (imports torch). Raises PteError."""
    check_container(data, name=name)
    with quiet():
        from executorch.exir._serialize._program import deserialize_pte_binary

        try:
            file = deserialize_pte_binary(data)
        except Exception as error:  # struct.error, IndexError, UnicodeDecodeError, ValueError, ...
            raise PteError(f"{name}: damaged: {cause(error)}") from error
    if file.program.version > _SCHEMA_VERSION:
        raise PteError(
            f"{name}: has schema version {file.program.version}, this executorch reads "
            f"{_SCHEMA_VERSION}: a newer ExecuTorch made it",
            hint="Export it again with executorch 1.5.1.",
        )
    return file


def cause(error: Exception) -> str:
    """Return what an exception from within a damaged file says about it, for a message."""
    text = str(error).strip().splitlines()
    detail = text[0] if text else "it"
    if isinstance(error, (struct.error, IndexError, OverflowError, UnicodeDecodeError)):
        return "an offset or a length in it points outside the file"
    if isinstance(error, ValueError):
        return detail
    return f"its contents contradict the schema ({detail})"


def find_method(program: Any, *, name: str) -> Any:
    """Return the execution plan to run: "forward", else the only one that computes anything."""
    plans = {plan.name: plan for plan in program.execution_plan}
    if _DEFAULT_METHOD in plans:
        return plans[_DEFAULT_METHOD]
    working = [
        plan for plan in plans.values() if plan.inputs or any(c.instructions for c in plan.chains)
    ]
    if len(working) == 1:
        return working[0]
    listed = ", ".join(sorted(plans)) or "none"
    raise PteError(f"{name}: no method '{_DEFAULT_METHOD}' (methods: {listed})")
