# SPDX-License-Identifier: BSD-3-Clause
"""The runner's project, and what is refused before anything is sent to a device."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from samples_of_specs import artifact, tensor

from mcugen.base.errors import ConfigError, DeviceError, DoesNotFitError
from mcugen.boards.load import list_boards
from mcugen.boards.spec import BoardSpec
from mcugen.cli import runner
from mcugen.cli.commands import push
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve
from mcugen.device.protocol.info import DeviceInfo, PoolUse
from mcugen.device.runner import SharedArena
from mcugen.program import operator_table
from mcugen.program.memory import plan_memory
from mcugen.project import fill
from mcugen.project.contents import model_contents, runner_contents
from mcugen.project.libraries import RUNTIME
from mcugen.project.render import render, render_project
from mcugen.project.runner import placed_model

INFO = DeviceInfo(
    protocol=1,
    firmware_id="0123456789abcdef",
    board="qemu-m4",
    model="runner",
    pte_sha256="",
    pte_bytes=0,
    method="",
    clock_hz=25_000_000,
    clock_source="fixed",
    counter="systick",
    counter_hz=25_000_000,
    empty_ticks=0,
    state="empty",
    error="no model",
    memory={name: PoolUse(0, 0) for name in ("planned", "method", "temp", "io", "stack")},
    inputs=(),
    outputs=(),
    runner=1000,
    pte_crc32=0,
)


@pytest.mark.parametrize("board", list_boards(), ids=lambda board: board.id)
def test_a_runner_has_one_arena_and_no_model(board: BoardSpec) -> None:
    files = render_project(runner_contents(board)).files
    script = files["linker/memory.ld"].decode()

    assert "src/model_pte.c" not in files
    assert f"{RUNTIME}/app/runner/model_store.cpp" in files
    assert f"{RUNTIME}/app/embedded/model_store.cpp" not in files
    region = board.arena_region
    assert f"__arena_end = ORIGIN({region.name}) + LENGTH({region.name});" in script
    assert re.search(rf"^  {region.name} \(rwx\) : ORIGIN = 0x{region.start:08x}", script, re.M)
    # What is in the same region lies below the arena.
    assert script.index(".model_arena (NOLOAD)") > script.index(".bss (NOLOAD)")
    for pool in (".model_pte", ".planned_memory", ".method_pool", ".temp_pool", ".io_pool"):
        assert pool not in script


def test_a_runner_has_every_operator() -> None:
    project = render_project(runner_contents(list_boards()[0]))
    source = project.files["src/operators.cpp"].decode()

    assert re.findall(r'Kernel\("([^"]+)"', source) == list(operator_table.names())


def test_an_ordinary_project_holds_nothing_of_a_runner() -> None:
    model = artifact()
    files = model_contents(model, plan_memory(model, list_boards()[0]), list_boards()[0]).copied

    assert f"{RUNTIME}/app/embedded/model_store.cpp" in files
    assert not [path for path in files if "/app/runner/" in path]


def test_a_model_that_does_not_fit_is_refused_with_the_numbers() -> None:
    model = artifact()
    need = len(model.pte) + 16 + 64 + 512
    push._check_room(model, len(model.pte), dataclasses.replace(INFO, runner=need))

    with pytest.raises(DoesNotFitError) as caught:
        push._check_room(model, len(model.pte), dataclasses.replace(INFO, runner=need - 1))

    assert caught.value.exit_code == 4
    assert f"needs {need:,} B; the runner on qemu-m4 has {need - 1:,} B" in caught.value.message
    assert "64 for planned memory" in caught.value.message


def test_other_methods_come_out_of_the_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "two.pte"
    file.write_bytes(b"all methods")
    model = artifact()
    settings = resolve(Options(str(file), "qemu-m4"))

    assert push._program(settings, model, "") == (model.pte, "forward")
    assert push._program(settings, model, "forward") == (model.pte, "forward")
    assert push._program(settings, model, "other") == (b"all methods", "other")
    with pytest.raises(ConfigError, match="one method, 'forward', not 'other'"):
        push._program(resolve(Options("digits", "qemu-m4")), model, "other")


def test_tensors_are_described_as_the_device_knows_them() -> None:
    first, second = push._specs("input", ((6, 24), (11, 1)))

    assert (first.dtype, first.shape, first.nbytes) == ("float32", (6,), 24)
    assert (second.dtype, second.shape, second.nbytes) == ("bool", (1,), 1)


def test_the_runner_takes_no_model_when_it_is_built() -> None:
    with pytest.raises(ConfigError, match="'digits' is one"):
        runner._settings(Options("digits", "qemu-m4"))


def test_a_placed_model_has_a_header() -> None:
    # The check value of CRC-32/ISO-HDLC.
    crc = (0xCBF43926).to_bytes(4, "little")
    assert placed_model(b"123456789") == b"MCGM\x09\0\0\0" + crc + bytes(4) + b"123456789"


def test_a_shared_arena_is_not_written_past(tmp_path: Path) -> None:
    ram = tmp_path / "ram"
    ram.write_bytes(bytes(64))
    arena = SharedArena(ram, 0)
    arena.write_model(b"x" * 48)
    assert ram.read_bytes() == bytes(16) + b"x" * 48

    with pytest.raises(DeviceError, match=r"49 B .* has 48 B"):
        arena.write_model(b"y" * 49)
    assert ram.read_bytes() == bytes(16) + b"x" * 48


def test_inputs_are_staged_where_the_device_says(tmp_path: Path) -> None:
    ram = tmp_path / "ram"
    ram.write_bytes(bytes(96))
    arena = SharedArena(ram, 16)
    info = dataclasses.replace(INFO, state="ready", io_offset=32, inputs=((1, 3), (1, 17)))
    arena.write_inputs(info, [b"abc", b"d" * 17])
    assert ram.read_bytes() == bytes(48) + b"abc" + bytes(13) + b"d" * 17 + bytes(15)

    with pytest.raises(DeviceError, match="input 0 has 4 B; the model takes 3 B"):
        arena.write_inputs(info, [b"abcd"])
    with pytest.raises(DeviceError, match="input 2 has 1 B; the model takes 0 B"):
        arena.write_inputs(info, [b"", b"", b"x"])
    with pytest.raises(DeviceError, match="no model"):
        arena.write_inputs(INFO, [b"x"])


def test_what_a_push_took_is_told_in_words() -> None:
    loaded = dataclasses.replace(
        INFO, pte_bytes=500, memory=INFO.memory | {"method": PoolUse(200, 400)}
    )
    document = {
        "model": {"name": "double"},
        "board": {"id": "qemu-m4", "name": "QEMU"},
        "memory": push._memory(loaded),
        "counter": "instructions",
        "count": 12345,
        "inputs": [],
        "outputs": [{"file": "y.bin", "dtype": tensor().dtype, "bytes": 16}],
    }

    assert push.push_text(document).splitlines() == [
        "double runs on QEMU (qemu-m4)",
        "memory: 700 of 1,000 B (pte 500, io 0, planned 0, method 200)",
        "instructions: 12,345 for one inference, of zeros",
        "y.bin: int8, 16 B",
    ]


def test_the_readme_names_the_command() -> None:
    text = render(fill.runner_readme_context(list_boards()[0]))

    assert f"mcugen push MODEL --board {list_boards()[0].id}" in text
