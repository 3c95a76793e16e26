# SPDX-License-Identifier: BSD-3-Clause
"""The one place where templates are filled in: contents of a project → its files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import TemplateError
from mcugen.base.resources import templates_dir
from mcugen.project.contexts import Context

if TYPE_CHECKING:
    import jinja2

    from mcugen.project.contents import ProjectContents

APP_CONFIG = "src/app_config.cpp"


@dataclass(frozen=True)
class RenderedProject:
    """All files of a project but its manifest, by path, and the id that the firmware tells."""

    files: Mapping[str, bytes]
    firmware_id: str  #: 16 hex digits that stand for all files with an empty id


def render_project(contents: ProjectContents) -> RenderedProject:
    """Return the project's files. Raises TemplateError if a template and its context disagree."""
    rendered = {path: render(context).encode() for path, context in contents.templates.items()}
    files = {**contents.copied, **contents.generated, **rendered}
    firmware_id = _digest({**files, APP_CONFIG: render(contents.config).encode()})
    config = replace(contents.config, firmware_id=firmware_id)
    return RenderedProject({**files, APP_CONFIG: render(config).encode()}, firmware_id)


def render(context: Context) -> str:
    """Return the text of the context's template. Raises TemplateError if the two do not agree."""
    import jinja2

    values = {field.name: getattr(context, field.name) for field in fields(context)}
    try:
        return _environment().get_template(context.template).render(values)
    except jinja2.TemplateError as error:
        raise TemplateError(f"templates/{context.template}: {error}") from error


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        # Lengths first: no two different sets of files can give the same stream.
        digest.update(f"{len(path)} {path} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:16]


def hex32(value: int) -> str:
    """Return a 32-bit number as C writes it: 0x08000000."""
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{value} does not fit 32 bits")
    return f"0x{value:08x}"


def c_ident(text: str) -> str:
    """Return `text` with every character that no C identifier may hold replaced by `_`."""
    ident = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return f"_{ident}" if not ident or ident[0].isdigit() else ident


def c_string(text: str) -> str:
    """Return `text` as a C string literal, quotes included."""
    from mcugen.project.c_array import string_literals

    return "".join(string_literals(text.encode(), 1 << 30)) or '""'


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters: Sequence[Any] = (hex32, c_ident, c_string)
    environment.filters.update({function.__name__: function for function in filters})
    return environment
