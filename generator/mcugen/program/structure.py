# SPDX-License-Identifier: BSD-3-Clause
"""Whether the FlatBuffer of a `.pte` holds together: what the firmware's `verify_program` checks.

A generated project trusts its embedded file, whose CRC it checks at boot, to have passed here.
"""

from __future__ import annotations

import struct

from mcugen.base.errors import PteError
from mcugen.program.schema import Schema, program_schema

_SCALAR_BYTES = {
    **dict.fromkeys(("bool", "byte", "ubyte"), 1),
    **dict.fromkeys(("int", "uint", "uint32"), 4),
    **dict.fromkeys(("long", "int64", "uint64", "double"), 8),
}
_MAX_BYTES = 1 << 28
_HEADER_MAGIC = b"eh00"


def check_structure(data: bytes, *, name: str) -> None:
    """Check every offset, vtable, length, alignment and string end of a `.pte`'s FlatBuffer.

    As `firmware/runtime/schema/verify_program.cpp`, from the same schema: what passes here passes
    there. The container has been checked. Raises PteError naming the table and the place.
    """
    size = len(data)
    if data[8:12] == _HEADER_MAGIC:
        (size,) = struct.unpack_from("<Q", data, 16)
    if size >= _MAX_BYTES:
        raise PteError(f"{name}: its program has {size:,} B")
    walk = _Walk(data[:size], program_schema())
    try:
        walk.table(walk.follow(0), walk.schema.root)
    except _Damaged as damage:
        raise PteError(f"{name}: damaged: byte {damage.at:#x}, in its {walk.inside}") from None


class _Damaged(Exception):
    def __init__(self, at: int) -> None:
        self.at = at


class _Walk:
    """One walk from the root; visits at most four times the buffer's bytes."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data = data
        self.schema = schema
        self.budget = 4 * len(data)
        self.inside = schema.root  #: the table that was entered last

    def take(self, at: int, length: int, alignment: int) -> None:
        """Charge [at, at + length), which must be inside, `at` aligned."""
        self.budget -= length
        if at < 0 or at + length > len(self.data) or at % alignment or self.budget < 0:
            raise _Damaged(at)

    def u32(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 4], "little")

    def u16(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 2], "little")

    def follow(self, at: int) -> int:
        """Return where the u32 at `at`, known to be inside, leads."""
        offset = self.u32(at)
        if not offset:
            raise _Damaged(at)
        self.take(at + offset, 4, 4)
        return at + offset

    def vector(self, at: int, element_bytes: int) -> int:
        """Check the elements of a vector; return how many it has."""
        length = self.u32(at)
        self.take(at + 4, length * element_bytes, element_bytes)
        return length

    def table(self, at: int, name: str) -> None:
        self.inside = name
        (back,) = struct.unpack_from("<i", self.data, at)
        vtable = at - back
        self.take(vtable, 4, 2)
        vtable_bytes = self.u16(vtable)
        if vtable_bytes < 4 or vtable_bytes % 2:
            raise _Damaged(vtable)
        self.take(vtable, vtable_bytes, 2)
        slot = 4
        for field in self.schema.tables[name]:
            if field.type in self.schema.unions:
                kind_at = self.field(at, vtable, vtable_bytes, slot, 1)
                slot += 2
                union_at = self.field(at, vtable, vtable_bytes, slot, 4)
                if union_at is not None:
                    kind = 0 if kind_at is None else self.data[kind_at]
                    members = self.schema.unions[field.type]
                    target = self.follow(union_at)
                    if not 1 <= kind <= len(members):
                        raise _Damaged(union_at)
                    self.table(target, members[kind - 1])
            else:
                element = self.scalar_bytes(field.type)
                found = self.field(at, vtable, vtable_bytes, slot, element or 4)
                if found is not None and element is None:
                    self.value(self.follow(found), field.type)
            slot += 2

    def field(self, at: int, vtable: int, vtable_bytes: int, slot: int, size: int) -> int | None:
        """Return where a field of so many bytes lies, None if the table does not have it."""
        if slot + 2 > vtable_bytes:
            return None
        offset = self.u16(vtable + slot)
        if not offset:
            return None
        if offset < 4:
            raise _Damaged(vtable + slot)
        self.take(at + offset, size, size)
        return at + offset

    def value(self, at: int, kind: str) -> None:
        """Check what a field refers to: a string, a table, a vector of scalars or of tables."""
        base = kind.strip("[]")
        if kind == "string":
            end = at + 4 + self.vector(at, 1)
            self.take(end, 1, 1)
            if self.data[end]:
                raise _Damaged(end)
        elif kind == base:
            self.table(at, base)
        elif (element := self.scalar_bytes(base)) is not None:
            self.vector(at, element)
        else:
            for item in range(self.vector(at, 4)):
                self.table(self.follow(at + 4 + 4 * item), base)

    def scalar_bytes(self, kind: str) -> int | None:
        """Return the bytes of a scalar or an enum, None of anything else."""
        return _SCALAR_BYTES.get(self.schema.enums[kind][0] if kind in self.schema.enums else kind)
