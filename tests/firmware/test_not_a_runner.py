# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen push` to a board that runs an ordinary image, and that image's answers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from firmware_build import Qemu, build_target

from mcugen.boards.load import load_board
from mcugen.device.qemu import QemuMachine

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

BOARD = load_board("nucleo_f446re")
MODEL = Path(__file__).resolve().parent.parent / "golden" / "mlperf_tiny" / "ad_cm_q_m4.pte"


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_target(BOARD, tmp_path_factory.mktemp("ordinary"))


@pytest.fixture
def url(elf: Path, tmp_path: Path) -> Iterator[str]:
    machine = QemuMachine(BOARD, elf, tmp_path / "session.json")
    yield machine.start()
    machine.stop()


def test_push_names_the_command_that_puts_a_runner_there(
    mcugen: Callable[..., CompletedProcess[str]], url: str, tmp_path: Path
) -> None:
    done = mcugen("push", MODEL, "--board", "nucleo", "--device", url, cwd=tmp_path, exit_code=7)

    assert "not a runner" in done.stderr
    assert "mcugen flash --runner --board nucleo_f446re" in done.stderr


@pytest.mark.parametrize("kind", [0x10, 0x11])
def test_an_ordinary_image_knows_no_frames_of_a_runner(elf: Path, kind: int) -> None:
    with Qemu(BOARD, elf) as device:
        answer = device.request(kind, 1, struct.pack("<II", 0, 0))

    assert answer == (kind | 0x80, 2, b"unknown frame type")
