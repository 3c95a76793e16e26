# SPDX-License-Identifier: BSD-3-Clause
"""The FlatBuffers schema of a `.pte`, read from the `.fbs` files inside the ExecuTorch wheel.

Only the part of the FlatBuffers grammar that they use is read; anything else is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mcugen.base.errors import ConfigError
from mcugen.base.resources import executorch_dir

SCHEMA_FILES = ("program.fbs", "scalar_type.fbs")


@dataclass(frozen=True)
class Field:
    """One field of a table; `default` is the text after `=`, if any."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Schema:
    """What the generator needs of the `.fbs` files, in file order."""

    namespace: str
    identifier: str
    root: str
    enums: dict[str, tuple[str, tuple[tuple[str, int], ...]]]
    unions: dict[str, tuple[str, ...]]
    tables: dict[str, tuple[Field, ...]]


def parse_schema(texts: list[str]) -> Schema:
    """Return the schema of the concatenated `.fbs` texts.

    Raises ConfigError on a declaration outside the subset that program.fbs uses.
    """
    namespace = identifier = root = ""
    enums: dict[str, tuple[str, tuple[tuple[str, int], ...]]] = {}
    unions: dict[str, tuple[str, ...]] = {}
    tables: dict[str, tuple[Field, ...]] = {}
    statement = re.compile(
        r"\s*(?:(?P<word>include|namespace|file_identifier|file_extension|root_type)\s+"
        r"(?P<value>[^;]+);"
        r"|(?P<kind>table|enum|union)\s+(?P<name>\w+)\s*(?::\s*(?P<base>\w+)\s*)?"
        r"\{(?P<body>[^}]*)\})"
    )
    for text in texts:
        source = re.sub(r"//[^\n]*", "", text).strip()
        position = 0
        while position < len(source):
            match = statement.match(source, position)
            if match is None:
                raise ConfigError(f"schema: cannot read {source[position : position + 60]!r}")
            position = match.end()
            while position < len(source) and source[position].isspace():
                position += 1
            word, value = match["word"], (match["value"] or "").strip()
            if word == "namespace":
                namespace = value
            elif word == "file_identifier":
                identifier = value.strip('"')
            elif word == "root_type":
                root = value
            elif match["kind"] == "enum":
                enums[match["name"]] = (match["base"], _enumerators(match["body"]))
            elif match["kind"] == "union":
                names = [name.strip() for name in match["body"].split(",")]
                unions[match["name"]] = tuple(name for name in names if name)
            elif match["kind"] == "table":
                tables[match["name"]] = _fields(match["name"], match["body"])
    return Schema(namespace, identifier, root, enums, unions, tables)


def _enumerators(body: str) -> tuple[tuple[str, int], ...]:
    result: list[tuple[str, int]] = []
    for item in filter(None, (part.strip() for part in body.split(","))):
        name, _, value = (text.strip() for text in item.partition("="))
        result.append((name, int(value) if value else (result[-1][1] + 1 if result else 0)))
    return tuple(result)


def _fields(table: str, body: str) -> tuple[Field, ...]:
    pattern = re.compile(
        r"(\w+)\s*:\s*(\[?\w+\]?)\s*(?:=\s*([\w.+-]+))?\s*(?:\(\s*force_align\s*:\s*\d+\s*\))?$"
    )
    result = []
    for item in filter(None, (part.strip() for part in body.split(";"))):
        match = pattern.match(item)
        if match is None:
            raise ConfigError(f"schema: table {table}: cannot read {item!r}")
        result.append(Field(*match.groups()))
    return tuple(result)


@cache
def program_schema() -> Schema:
    """Return the schema of the installed wheel."""
    folder = executorch_dir() / "exir" / "_serialize"
    texts = [(folder / name).read_text(encoding="utf-8") for name in reversed(SCHEMA_FILES)]
    return parse_schema(texts)
