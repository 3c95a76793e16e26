# SPDX-License-Identifier: BSD-3-Clause
"""No image needs more stack than is planned: read from the machine code of each CPU's runner.

After an operator has come to need more: `python tests/firmware/stack_bound.py --update` with the
runners of all CPUs (tests/README.md), and look at what it writes.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import stack_bound
from harness import BOARDS
from stack_bound import FAULT_BYTES, Image

from mcugen.program import memory
from mcugen.program.operator_table import OPERATOR_STACK_BYTES, names, operator
from mcugen.program.schema import program_schema

pytestmark = pytest.mark.toolchain

#: How far an entry may be above what is needed before it is out of date.
MOST_SPARE_BYTES = 160


@pytest.fixture(scope="module")
def image(runner_elf: Callable[[str], Path]) -> Callable[[str], Image]:
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    kept: dict[str, Image] = {}

    def read(board: str) -> Image:
        if board not in kept:
            kept[board] = Image(runner_elf(board))
        return kept[board]

    return read


@pytest.mark.parametrize("board", BOARDS)
def test_no_operator_needs_more_than_its_entry_says(
    board: str, image: Callable[[str], Image]
) -> None:
    needs = image(board).operator_bytes
    said = {operator(name).function: operator(name).stack_bytes for name in names()}

    assert needs.keys() == said.keys()
    assert {name: (need, said[name]) for name, need in needs.items() if need > said[name]} == {}


@pytest.mark.parametrize("board", BOARDS)
def test_all_but_operators_needs_no_more_than_is_planned(
    board: str, image: Callable[[str], Image]
) -> None:
    read = image(board)

    assert read.base_bytes <= memory.STACK_FULL_BASE_BYTES, read.deepest("reset_handler")
    assert 0 < read.at_call_bytes <= memory.STACK_AT_CALL_BYTES
    assert 0 < read.interrupt_bytes <= memory.STACK_INTERRUPT_BYTES
    assert 0 < read.fault_bytes <= FAULT_BYTES


def test_entries_say_no_more_than_is_needed(
    image: Callable[[str], Image], without_runner: frozenset[str]
) -> None:
    needs = [image(board).operator_bytes for board in BOARDS if board not in without_runner]
    spare = {}
    for name in names():
        entry = operator(name)
        most = max(need[entry.function] for need in needs)
        if entry.stack_bytes > max(most + MOST_SPARE_BYTES, OPERATOR_STACK_BYTES):
            spare[name] = (most, entry.stack_bytes)

    assert spare == {}


def test_tables_of_a_program_nest_as_deep_as_the_bound_says() -> None:
    schema = program_schema()

    def depth(table: str) -> int:
        types = [field.type.strip("[]") for field in schema.tables[table]]
        inner = [each for name in types for each in schema.unions.get(name, (name,))]
        return 1 + max((depth(each) for each in inner if each in schema.tables), default=0)

    (times,) = (times for names, times in stack_bound.RECURSIONS if "Verifier" in names)
    assert depth(schema.root) == 1 + times


# --- the tool itself

SOURCE = """
typedef int (*Function)(int);
__attribute__((noipa)) int use(volatile char* bytes) {{ return bytes[0]; }}
extern "C" {{
__attribute__((noipa)) void systick_interrupt() {{}}
__attribute__((noipa)) void uart_receive_interrupt() {{
  volatile char bytes[40];
  use(bytes);
}}
__attribute__((noipa)) int leaf(int x) {{
  volatile char bytes[200];
  bytes[0] = x;
  return use(bytes) + x;
}}
__attribute__((noipa)) int outer(int x) {{
  volatile char bytes[100];
  bytes[0] = x;
  {body}
}}
int reset_handler() {{ return outer(1) + 1; }}
}}
"""


def linked(folder: Path, cpu: str, body: str) -> Path:
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    source = folder / "small.cpp"
    source.write_text(SOURCE.format(body=body))
    command = ["arm-none-eabi-g++", f"-mcpu={cpu}", "-mthumb", "-Os", "-g1", "-fno-exceptions"]
    command += ["-nostdlib", "-nostartfiles", "-Wl,-e,reset_handler", str(source), "-lgcc"]
    subprocess.run([*command, "-o", str(folder / "small.elf")], check=True, capture_output=True)
    return folder / "small.elf"


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_adds_up_the_frames_of_the_deepest_path(cpu: str, tmp_path: Path) -> None:
    elf = linked(tmp_path, cpu, "return leaf(x) + use(bytes);")

    read = Image(elf)

    frames = 100 + 200
    assert frames + 2 * 4 <= read.base_bytes <= frames + 60
    assert 27 * 4 + 40 + 16 <= read.interrupt_bytes <= 27 * 4 + 40 + 16 + 24
    path = " ".join(read.deepest("reset_handler"))
    assert path.index("outer") < path.index("leaf")


def test_a_library_function_counts(tmp_path: Path) -> None:
    without = Image(linked(tmp_path, "cortex-m0plus", "return use(bytes);")).base_bytes
    divided = Image(
        linked(tmp_path, "cortex-m0plus", "return use(bytes) + (long long)x / use(bytes);")
    )

    assert divided.base_bytes > without + 8


@pytest.mark.parametrize(
    "body, message",
    [
        pytest.param(
            "return x > 0 ? outer(x - 1) + use(bytes) : use(bytes);",
            "recursion: outer → outer",
            id="recursion",
        ),
        pytest.param(
            "char more[x]; more[0] = x; return use(bytes) + use(more);",
            "is not constant",
            id="alloca",
        ),
        pytest.param(
            "return ((Function)(x * 64))(x) + use(bytes);",
            "what does outer call here",
            id="pointer",
        ),
    ],
)
def test_refuses_what_has_no_bound(body: str, message: str, tmp_path: Path) -> None:
    elf = linked(tmp_path, "cortex-m4", body)

    with pytest.raises(ValueError, match=message):
        assert Image(elf).base_bytes


def test_update_writes_what_is_needed_beyond_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(stack_bound.FIRMWARE / "ops", tmp_path / "ops")
    monkeypatch.setattr(stack_bound, "FIRMWARE", tmp_path)
    tables = sorted((tmp_path / "ops").glob("*/*.toml"))
    before = [table.read_text() for table in tables]
    needs = {operator(name).function: operator(name).stack_bytes for name in names()}

    stack_bound.update_tables(needs)
    unchanged = [table.read_text() for table in tables]
    stack_bound.update_tables(needs | {"aten__add_out": 1999})
    changed = (tmp_path / "ops/pointwise/operators.toml").read_text()

    assert unchanged == before
    entry = changed.partition('["aten::add.out"]')[2].partition("\n\n")[0]
    assert entry.endswith("stack_bytes = 2048")
