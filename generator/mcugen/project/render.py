# SPDX-License-Identifier: BSD-3-Clause
"""The one place where templates are filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import TemplateError
from mcugen.base.resources import templates_dir
from mcugen.project.contexts import Context

if TYPE_CHECKING:
    import jinja2


def render(context: Context) -> str:
    """Return the text of the context's template. Raises TemplateError if the two do not agree."""
    import jinja2

    values = {field.name: getattr(context, field.name) for field in fields(context)}
    try:
        return _environment().get_template(context.template).render(values)
    except jinja2.TemplateError as error:
        raise TemplateError(f"templates/{context.template}: {error}") from error


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
