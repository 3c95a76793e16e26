# SPDX-License-Identifier: BSD-3-Clause
"""Startup, faults, counters and console on every QEMU machine that stands for a board.

The same images run on all of them; baud rates and DWT are not modelled there and are not tested
here, clock trees only of the STM32L4.
"""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from firmware_build import STACK_BYTES, Qemu, build_target, frame, missing_qemu

from mcugen.boards.load import list_boards
from mcugen.boards.spec import BoardSpec

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

#: Each in one process: an image is built once.
BOARDS = [
    pytest.param(
        board,
        id=board.id,
        marks=[
            pytest.mark.xdist_group(board.id),
            pytest.mark.skipif(bool(missing_qemu(board)), reason=missing_qemu(board)),
        ],
    )
    for board in list_boards()
    if board.qemu is not None
]
#: Where QEMU has a clock controller, what the image makes of it; it has none for other families.
CLOCK_SOURCES = {"stm32l4": "msi_lse"}
LONG_LOOP_INSTRUCTIONS = 9_999_999
OTHER_INSTRUCTIONS = 50_000  # of fake_model's execution besides the loop
UNDEFINED, UNMAPPED, OVERFLOW, ABORT, LONG_LOOP, JUMP = 0xE1, 0xE2, 0xE3, 0xE4, 0xE6, 0xE7


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest) -> BoardSpec:
    return request.param


@pytest.fixture(scope="module")
def elf(board: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_target(board, tmp_path_factory.mktemp("elf"))


@pytest.fixture(scope="module")
def device(board: BoardSpec, elf: Path) -> Iterator[Qemu]:
    with Qemu(board, elf) as machine:
        yield machine


def info(device: Qemu) -> dict:
    (line,) = device.command("mcugen info")
    return json.loads(line.removeprefix("m-mcugen-info-"))


def ask_for(device: Qemu, trouble: int) -> None:
    body = struct.pack("<HI", 0, 0) + bytes([trouble])
    assert device.request(2, 1, body) == (0x82, 0, b"")


def execute(device: Qemu) -> int:
    kind, status, payload = device.request(3, 2)
    assert (kind, status) == (0x83, 0)
    return int.from_bytes(payload, "little")


def test_info_tells_the_counter_and_its_frequency(board: BoardSpec, device: Qemu) -> None:
    assert board.qemu is not None
    told = info(device)

    # QEMU has no DWT: the self-test must have found that out.
    assert told["counter"] == "systick"
    assert told["counter_hz"] == told["clock_hz"] == board.qemu.counter_hz
    assert told["clock_source"] == CLOCK_SOURCES.get(board.bsp, "fixed")
    assert told["empty_ticks"] * 1e9 / board.qemu.counter_hz < 100


def test_ticks_count_instructions_and_repeat_exactly(board: BoardSpec, device: Qemu) -> None:
    """The pauses put the counter at another phase each time; the loop spans several wraps."""
    assert board.qemu is not None
    ask_for(device, LONG_LOOP)
    ticks = []
    for pause in (0, 0.003, 0.011, 0.017, 0.09):
        time.sleep(pause)
        ticks.append(execute(device))

    assert len(set(ticks)) == 1
    instructions = ticks[0] * 1e9 / board.qemu.counter_hz
    assert 0 <= instructions - LONG_LOOP_INSTRUCTIONS < OTHER_INSTRUCTIONS


def test_time_goes_on_while_an_interval_is_measured(board: BoardSpec, device: Qemu) -> None:
    ask_for(device, LONG_LOOP)
    before = int(device.command("timestamp")[0].removeprefix("m-lap-us-"))
    for _ in range(5):
        execute(device)
    after = int(device.command("timestamp")[0].removeprefix("m-lap-us-"))

    # Five loops of 10 ms of virtual time; the device also sleeps in between, in real time.
    assert 50_000 <= after - before < 5_000_000
    assert after < 600_000_000


def test_stack_use_is_measured(device: Qemu) -> None:
    peak, total = info(device)["memory"]["stack"]

    assert total == STACK_BYTES
    assert 200 < peak < 2000


def test_tensors_of_any_byte_go_through_both_ways(device: Qemu) -> None:
    data = bytes(range(256)) + bytes(reversed(range(244)))
    assert device.request(2, 3, struct.pack("<HI", 0, 100) + data)[1] == 0

    reply = device.request(5, 4, struct.pack("<HIH", 0, 100, len(data)))

    assert reply == (0x85, 0, data)
    device.request(2, 5, struct.pack("<HI", 0, 0) + bytes(506))
    device.request(2, 5, struct.pack("<HI", 0, 506) + bytes(94))


def test_requests_are_answered_quickly(device: Qemu) -> None:
    """Verification sends hundreds of frames."""
    device.request(1, 0)
    start = time.monotonic()
    for seq in range(50):
        device.request(1, seq)

    assert (time.monotonic() - start) / 50 < 0.02


def test_a_burst_is_kept_while_an_inference_runs(device: Qemu) -> None:
    ask_for(device, LONG_LOOP)
    device.send(b"infer 3 0%name%profile%" + b"%" * 100)
    answer = device.until(b"m-model-[fake]\r\nm-ready\r\n" + b"m-ready\r\n" * 100, timeout=60)

    assert b"m-infer-done" in answer and b"overrun" not in answer


def test_more_than_the_ring_holds_is_reported_as_lost(device: Qemu) -> None:
    ask_for(device, LONG_LOOP)
    device.send(b"infer 20 0%" + b"x" * 2000)
    device.until(b"m-infer-done", timeout=120)
    device.until(b"m-ready\r\n")
    time.sleep(0.5)
    device.send(b"%")
    answer = device.until(b"m-ready\r\n")

    assert b"e-[Receive overrun: " in answer or b"e-[Command too long]" in answer
    assert device.command("name") == ["m-name-dut-[mcugen]"]


def test_silence_in_a_frame_ends_it(device: Qemu) -> None:
    device.send(b"\0\5ab")

    assert device.until(b"m-ready\r\n") == b"e-[Frame timeout]\r\nm-ready\r\n"


def test_a_damaged_frame_is_answered(device: Qemu) -> None:
    data = bytearray(frame(1, 1, b"hello"))
    data[4] ^= 1

    assert device.raw_request(bytes(data), 0) == (0xFF, 1, b"bad CRC")


@pytest.mark.parametrize(
    ("trouble", "kind", "causes"),
    [
        (UNDEFINED, "UsageFault", ["undefined instruction"]),
        (UNMAPPED, "BusFault", ["precise data bus error"]),
        (JUMP, "MemManage", ["instruction access violation"]),
        (OVERFLOW, None, ["stack overflow"]),
        (ABORT, "Panic", ["ExecuTorch runtime aborted"]),
    ],
    ids=["undefined", "unmapped", "jump", "overflow", "abort"],
)
def test_faults_are_reported_in_words(
    board: BoardSpec, elf: Path, trouble: int, kind: str | None, causes: list[str]
) -> None:
    with Qemu(board, elf) as device:
        ask_for(device, trouble)
        device.send(frame(3, 1))
        device.until(b"e-[Fault: ")
        name = device.until(b"]\r\n").decode()[:-3]
        if board.cpu == "cortex-m0plus" and kind not in (None, "Panic"):
            # Armv6-M has one kind of fault, and no register that says what it was.
            kind, causes = "HardFault", []
            report = device.until(b"m-fault-cfsr-0x00000000\r\n").decode()
        else:
            report = device.until(b"m-fault-cause-").decode()
        while not all(cause in report for cause in causes):
            report += device.until(b"\r\n").decode()

    fields = dict(
        line.removeprefix("m-fault-").split("-", 1)
        for line in report.split("\r\n")
        if line.startswith("m-fault-") and "-0x" in line
    )
    assert kind in (None, name)
    assert name in ("HardFault", "MemManage", "BusFault", "UsageFault", "Panic")
    assert set(fields) >= {"pc", "lr", "cfsr"}
    if trouble in (UNDEFINED, UNMAPPED):
        assert "model_execute" in function_at(elf, int(fields["pc"], 16)), fields
    if trouble == UNMAPPED and causes:
        assert fields["address"] == "0x3f000000"


def function_at(elf: Path, address: int) -> str:
    done = subprocess.run(
        ["arm-none-eabi-addr2line", "-e", str(elf), "-f", "-C", "-i", hex(address)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_nothing_is_constructed_before_main(elf: Path) -> None:
    sections = subprocess.run(
        ["arm-none-eabi-size", "-A", str(elf)], capture_output=True, text=True, check=True
    ).stdout

    assert ".init_array" not in sections


def test_no_heap_and_no_printf_are_linked(elf: Path) -> None:
    symbols = subprocess.run(
        ["arm-none-eabi-nm", str(elf)], capture_output=True, text=True, check=True
    ).stdout

    for unwanted in ("malloc", "_sbrk", "printf", "__cxa_guard_acquire", "_impure_ptr"):
        assert not any(line.split()[-1].endswith(unwanted) for line in symbols.splitlines())
