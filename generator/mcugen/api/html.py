# SPDX-License-Identifier: BSD-3-Clause
"""A report as a notebook shows it. Jinja escapes every value: names come from users' models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcugen.flow.report.text import percent

_TEMPLATE = """\
<div class="mcugen-report">
<p><b>{{ head }}</b></p>
<table>
{%- for name, value in figures %}
<tr><th style="text-align: left">{{ name }}</th><td style="text-align: left">{{ value }}</td></tr>
{%- endfor %}
</table>
{%- for text in warnings %}
<p><b>warning:</b> {{ text }}</p>
{%- endfor %}
<details><summary>{{ rows | length }} operators</summary>
<table>
<tr>{% for name in header %}<th style="text-align: left">{{ name }}</th>{% endfor %}</tr>
{%- for row in rows %}
<tr>{% for cell in row %}<td style="text-align: left">{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</table></details>
<details><summary>as text</summary><pre>{{ text }}</pre></details>
</div>
"""
#: Columns of the operators' table: what a report may have of them, in this order.
_COLUMNS = {
    "layer": "layer",
    "operator": "operator",
    "name": "operator",
    "calls": "calls",
    "macs": "MACs",
    "instructions": "instructions",
    "cycles": "cycles",
    "share": "share",
    "int8": "type",
    "reason": "why",
}


def report_html(
    head: str,
    figures: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    layers: Sequence[dict[str, Any]],
    text: str,
) -> str:
    """Return a table of figures, one of the operators, and the text report."""
    from jinja2 import Environment

    columns = [key for key in _COLUMNS if layers and key in layers[0]]
    return (
        Environment(autoescape=True)
        .from_string(_TEMPLATE)
        .render(
            head=head,
            figures=figures,
            warnings=warnings,
            header=[_COLUMNS[key] for key in columns],
            rows=[[_cell(key, row.get(key)) for key in columns] for row in layers],
            text=text,
        )
    )


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key == "int8":
        return "int8" if value else "float"
    if key == "share":
        return percent(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
