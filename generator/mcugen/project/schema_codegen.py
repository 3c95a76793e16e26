# SPDX-License-Identifier: BSD-3-Clause
"""Write the C++ accessors of a `.pte` from the schema inside the ExecuTorch wheel.

    python -m mcugen.project.schema_codegen  # rewrites firmware/runtime/schema/program_reader.h
    python -m mcugen.project.schema_codegen --check  # exit 1 if it would change

Two things come out, in one header: a struct of accessors per table, named as the public headers
forward-declare them, and the tables that drive the structural check of a file
(`firmware/runtime/schema/verify_program.cpp`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mcugen.base.errors import ConfigError
from mcugen.base.resources import firmware_dir
from mcugen.program.schema import SCHEMA_FILES, Field, Schema, program_schema

# FlatBuffers scalar → (C++ type, bytes).
_SCALARS = {
    "bool": ("bool", 1),
    "byte": ("int8_t", 1),
    "ubyte": ("uint8_t", 1),
    "int": ("int32_t", 4),
    "uint": ("uint32_t", 4),
    "uint32": ("uint32_t", 4),
    "long": ("int64_t", 8),
    "int64": ("int64_t", 8),
    "uint64": ("uint64_t", 8),
    "double": ("double", 8),
}


class _Writer:
    """Turns a Schema into the text of program_reader.h."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.table_index = {name: i for i, name in enumerate(schema.tables)}
        self.union_index = {name: i for i, name in enumerate(schema.unions)}
        self._refuse_recursion()

    def _refuse_recursion(self) -> None:
        """The check walks tables by recursion: its depth is bounded because the schema's is."""

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise ConfigError(f"schema: table {name} contains itself: the check would recurse")
            for field in self.schema.tables[name]:
                base = field.type.strip("[]")
                for child in self.schema.unions.get(base, (base,)):
                    if child in self.schema.tables:
                        visit(child, (*path, name))

        visit(self.schema.root, ())

    def scalar(self, name: str) -> tuple[str, int] | None:
        """Return (C++ type, bytes) of a scalar or enum type, None for anything else."""
        if name in self.schema.enums:
            return name, _SCALARS[self.schema.enums[name][0]][1]
        return _SCALARS.get(name)

    def accessor(self, field: Field, slot: int) -> list[str]:
        name, type_ = field.name, field.type
        at = 4 + 2 * slot
        if type_.startswith("["):
            element = type_.strip("[]")
            scalar = self.scalar(element)
            if scalar is not None:
                cpp = "uint8_t" if element == "bool" else scalar[0]
            elif element in self.schema.tables:
                cpp = f"flatbuffers::Offset<{element}>"
            else:
                raise ConfigError(f"schema: field {name}: unsupported vector {type_}")
            vector = f"flatbuffers::Vector<{cpp}, uint32_t>"
            return [f"const {vector}* {name}() const {{ return pointer<{vector}>({at}); }}"]
        if type_ == "string":
            pointer = f"pointer<flatbuffers::String>({at})"
            return [f"const flatbuffers::String* {name}() const {{ return {pointer}; }}"]
        if type_ in self.schema.tables:
            return [f"const {type_}* {name}() const {{ return pointer<{type_}>({at}); }}"]
        if type_ in self.schema.unions:
            lines = [
                f"{type_} {name}_type() const {{ return scalar<{type_}>({at}, {type_}::NONE); }}",
                f"const void* {name}() const {{ return pointer<void>({at + 2}); }}",
            ]
            for member in self.schema.unions[type_]:
                lines += [
                    f"const {member}* {name}_as_{member}() const {{",
                    f"  return {name}_type() == {type_}::{member} ? "
                    f"pointer<{member}>({at + 2}) : nullptr;",
                    "}",
                ]
            return lines
        scalar = self.scalar(type_)
        if scalar is None:
            raise ConfigError(f"schema: field {name}: unknown type {type_}")
        if type_ == "bool":
            return [f"bool {name}() const {{ return scalar<uint8_t>({at}, 0) != 0; }}"]
        if type_ in self.schema.enums:
            default = field.default or self.schema.enums[type_][1][0][0]
            default = f"{type_}::{default}"
        else:
            default = field.default or "0"
        return [f"{scalar[0]} {name}() const {{ return scalar<{scalar[0]}>({at}, {default}); }}"]

    def slots(self, fields: tuple[Field, ...]) -> list[tuple[int, str]]:
        """Return the (slot number, entry for kFields) pairs; a union takes two slots."""
        result: list[tuple[int, str]] = []
        for field in fields:
            base, vector = field.type.strip("[]"), field.type.startswith("[")
            scalar = self.scalar(base)
            if base in self.schema.unions:
                result.append((len(result), "kScalar, 1"))
                entry = f"kUnion, {self.union_index[base]}"
            elif base == "string" and not vector:
                entry = "kString, 0"
            elif base in self.schema.tables:
                entry = f"{'kTableVector' if vector else 'kTable'}, {self.table_index[base]}"
            elif scalar is not None:
                entry = f"{'kVector' if vector else 'kScalar'}, {scalar[1]}"
            else:
                raise ConfigError(f"schema: field {field.name}: unsupported type {field.type}")
            result.append((len(result), entry))
        return result

    def text(self) -> str:
        schema = self.schema
        out = [
            "// SPDX-License-Identifier: BSD-3-Clause",
            f"// Generated by mcugen from {', '.join(SCHEMA_FILES)} of the ExecuTorch wheel;",
            "// change generator/mcugen/project/schema_codegen.py, not this file.",
            "// clang-format off",
            "#pragma once",
            "",
            "#include <cstdint>",
            "#include <runtime/schema/flatbuffer_reader.h>",
            "",
            f"namespace {schema.namespace} {{",
            "",
        ]
        for name, (base, values) in schema.enums.items():
            out.append(f"enum class {name} : {_SCALARS[base][0]} {{")
            out += [f"  {key} = {value}," for key, value in values]
            out += ["};", ""]
        for name, members in schema.unions.items():
            out += [f"enum class {name} : uint8_t {{", "  NONE = 0,"]
            out += [f"  {member} = {i}," for i, member in enumerate(members, 1)]
            out += ["};", ""]
        out += [f"struct {name};" for name in schema.tables]
        out.append("")
        for name, fields in schema.tables.items():
            out.append(f"struct {name} final : flatbuffers::Table {{")
            slot = 0
            for field in fields:
                out += ["  " + line for line in self.accessor(field, slot)]
                slot += 2 if field.type in schema.unions else 1
            out += ["};", ""]
        out += [
            f'inline constexpr char kProgramIdentifier[] = "{schema.identifier}";',
            "",
            f"}}  // namespace {schema.namespace}",
            "",
            "namespace mcugen::schema {",
            "",
            "/// What a slot of a vtable holds. The byte after it: bytes of the scalar or vector",
            "/// element, index of the table or of the union (whose type is the slot before).",
            "enum FieldKind : uint8_t { kScalar, kString, kVector, kTable, kTableVector, kUnion };",
            "",
        ]
        starts, entries = [0], []
        for name, fields in schema.tables.items():
            slots = self.slots(fields)
            entries.append(
                f"    /* {self.table_index[name]:2} {name} */"
                + "".join(f" {entry}," for _, entry in slots)
            )
            starts.append(starts[-1] + len(slots))
        out += ["inline constexpr uint8_t kFields[] = {", *entries, "};", ""]
        out += [
            "/// kFields of table i: entries kFirstField[i] to kFirstField[i + 1] - 1.",
            "inline constexpr uint8_t kFirstField[] = {",
            "    " + ", ".join(map(str, starts)),
            "};",
            "",
        ]
        union_starts, union_tables = [0], []
        for members in schema.unions.values():
            union_tables += [self.table_index[member] for member in members]
            union_starts.append(len(union_tables))
        out += [
            "/// Table of each union member; union i starts at kFirstMember[i], its type 1.",
            f"inline constexpr uint8_t kMembers[] = {{{', '.join(map(str, union_tables))}}};",
            f"inline constexpr uint8_t kFirstMember[] = {{{', '.join(map(str, union_starts))}}};",
            "",
            f"inline constexpr uint8_t kRootTable = {self.table_index[schema.root]};",
        ]
        out += ["", "}  // namespace mcugen::schema", ""]
        if starts[-1] > 255:
            raise ConfigError("schema: more than 255 fields: widen kFirstField")
        return "\n".join(out)


def render() -> str:
    """Return the text of program_reader.h for the installed wheel."""
    return _Writer(program_schema()).text()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it would change")
    parser.add_argument("-o", "--output", type=Path, help="write here instead")
    options = parser.parse_args(argv)
    output = options.output or firmware_dir() / "runtime" / "schema" / "program_reader.h"
    text = render()
    if options.check:
        same = output.is_file() and output.read_text(encoding="utf-8") == text
        print(f"{output}: {'up to date' if same else 'out of date'}")
        return 0 if same else 1
    output.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
