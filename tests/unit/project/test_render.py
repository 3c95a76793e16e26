# SPDX-License-Identifier: BSD-3-Clause
"""Templates and their contexts agree, and values reach C in C's spelling."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import get_args

import pytest
from sample_project import sample_artifact, sample_plan, use_sample_firmware

from mcugen.base.errors import TemplateError
from mcugen.base.resources import data_root, templates_dir
from mcugen.boards.load import list_boards, load_board
from mcugen.project import contexts, fill, render
from mcugen.project.contents import model_contents
from mcugen.project.linker import linker_context


def test_every_template_has_a_context() -> None:
    of_contexts = {context.template for context in get_args(contexts.Context)}

    assert of_contexts == {path.name for path in templates_dir().glob("*.j2")}


def test_a_name_the_context_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclasses.dataclass(frozen=True)
    class Empty:
        template = "board_config.cpp.j2"

    with pytest.raises(TemplateError, match=r"templates/board_config\.cpp\.j2: 'id' is undefined"):
        render.render(Empty())  # type: ignore[arg-type]


def test_license_is_this_repository_s() -> None:
    """Generated projects carry it; it must not drift. (The wheel has no root LICENSE.)"""
    root = data_root() / "LICENSE"
    if not root.is_file():
        pytest.skip("not in a checkout")

    assert (templates_dir() / "LICENSE").read_bytes() == root.read_bytes()


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", '""'),
        ("digits", '"digits"'),
        ('say "hi"\\', '"say \\42hi\\42\\134"'),
        ("??/", '"\\77\\77/"'),
        ("\n1", '"\\0121"'),
        ("µ", '"\\302\\265"'),
    ],
)
def test_c_string(text: str, literal: str) -> None:
    assert render.c_string(text) == literal


@pytest.mark.parametrize(("text", "ident"), [("a-b.c", "a_b_c"), ("7seg", "_7seg"), ("", "_")])
def test_c_ident(text: str, ident: str) -> None:
    assert render.c_ident(text) == ident


@pytest.mark.parametrize(("value", "text"), [(0, "0x00000000"), (0xFFFFFFFF, "0xffffffff")])
def test_hex32(value: int, text: str) -> None:
    assert render.hex32(value) == text


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_hex32_refuses_what_does_not_fit(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit 32 bits"):
        render.hex32(value)


@pytest.mark.parametrize("board", list_boards(), ids=lambda b: b.id)
def test_linker_script_places_every_role_in_its_region(board) -> None:
    text = render.render(linker_context(sample_plan(sample_artifact()), board))

    for role, section in (
        ("code", ".text"),
        ("model", ".model_pte"),
        ("stack", ".stack"),
        ("data", ".bss"),
        ("planned", ".planned_memory"),
        ("method", ".method_pool"),
        ("temp", ".temp_pool"),
        ("io", ".io_pool"),
    ):
        block = text.split(f"\n  {section} ", 1)[1].split("}", 1)[1].splitlines()[0]
        assert block.split()[1] == board.region_for(role).name, role


def test_linker_script_puts_the_stack_at_the_bottom() -> None:
    """An overflow must leave the region downwards, not run into data."""
    context = linker_context(sample_plan(sample_artifact()), load_board("nucleo"))

    assert context.ram_sections[0].kind == "stack"
    assert context.stack_guard


def test_empty_pools_are_empty_spans() -> None:
    """A zero-sized array is not C++."""
    artifact = dataclasses.replace(sample_artifact(), planned_buffers=(0, 32))
    text = render.render(fill.app_config_context(artifact, sample_plan(artifact)))

    assert "[0]" not in text
    assert "planned_memory_2[32]" in text
    assert "    Span<uint8_t>(),\n    Span<uint8_t>(planned_memory_2),\n" in text
    assert "/*temp_pool=*/Span<uint8_t>()," in text


def test_a_model_without_planned_buffers() -> None:
    artifact = dataclasses.replace(sample_artifact(), planned_buffers=())
    text = render.render(fill.app_config_context(artifact, sample_plan(artifact)))

    assert "/*planned_buffers=*/nullptr," in text
    assert "kPlannedBuffers" not in text


def test_operators_are_sorted_and_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_sample_firmware(tmp_path / "firmware", monkeypatch)
    artifact = sample_artifact()
    artifact = dataclasses.replace(artifact, operators=artifact.operators * 2)
    contents = model_contents(artifact, sample_plan(artifact), load_board("nucleo"))
    table = contents.templates["src/operators.cpp"]

    assert isinstance(table, contexts.OperatorsContext)
    assert [row.name for row in table.operators] == ["aten::one.out", "aten::two.out"]
    assert table.operators[0].function == "aten__one_out"
    assert isinstance(contents.config, contexts.AppConfigContext)
    assert contents.config.num_operators == 2


@pytest.mark.parametrize("dependencies", [(), ("a",), ("a", "b")])
def test_library_json_is_json(dependencies: tuple[str, ...], tmp_path: Path) -> None:
    context = contexts.LibraryContext(
        "n", "1.0.0", "d", "BSD-3-Clause", dependencies, ("-Os", "-Ix")
    )
    document = json.loads(render.render(context))

    assert document.get("dependencies", {}) == dict.fromkeys(dependencies, "*")
    assert document["build"]["flags"] == ["-Os", "-Ix"]
