# SPDX-License-Identifier: BSD-3-Clause
"""The RP2040's second boot stage, run over models of its SSI and of the Pico's flash.

It runs before anything that could report an error: what it gets wrong is a board that stays dark.
SSI: RP2040 datasheet 4.10.13. Flash: W25Q16JV datasheet 7.1 (registers), 8.2 (instructions).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import pytest
import unicorn
from unicorn import arm_const

from mcugen.base.resources import firmware_dir
from mcugen.boards.load import load_board

STAGE = 0x2004_1F00  # the last 256 bytes of SRAM (2.8.1.2)
IMAGE = 0x1000_0100
PADS, PADS_CLEAR, SSI, VTOR = 0x4002_0000, 0x4002_3000, 0x1800_0000, 0xE000_ED08
CTRLR0, CTRLR1, SSIENR, SER, BAUDR, SR, DR0 = 0x00, 0x04, 0x08, 0x10, 0x14, 0x28, 0x60
RX_SAMPLE_DLY, SPI_CTRLR0 = 0xF0, 0xF4
SETTINGS = (CTRLR0, CTRLR1, BAUDR, RX_SAMPLE_DLY, SPI_CTRLR0)
SR_BUSY, SR_TFE = 1 << 0, 1 << 2
STACK, ENTRY = 0x2004_2000, 0x1000_0201


@dataclass
class Flash:
    """A W25Q16JV. writable: QE keeps what is written. busy_polls: of status 1 after a write."""

    status_2: int = 0
    writable: bool = True
    busy_polls: int = 3
    write_enabled: bool = False
    continuous: bool = False
    busy_for: int = 0
    commands: list[int] = field(default_factory=list)

    def serial(self, sent: list[int]) -> list[int]:
        """One transfer on one wire, a byte for a byte."""
        assert not self.continuous, "it reads addresses, not commands"
        command = sent[0]
        self.commands.append(command)
        if command == 0x35:
            assert not self.busy_for, "status 2 is read while it is written"
            return [0xFF, *[self.status_2] * (len(sent) - 1)]
        if command == 0x05:
            self.busy_for = max(0, self.busy_for - 1)
            return [0xFF, *[int(self.busy_for > 0)] * (len(sent) - 1)]
        if command == 0x06:
            assert len(sent) == 1
            self.write_enabled = True
            return [0xFF]
        assert command == 0x31 and len(sent) == 2, f"{command:#x}, {len(sent)} bytes"
        assert self.write_enabled, "Write Enable must come first"
        if self.writable:
            self.status_2 = sent[1]
        self.write_enabled, self.busy_for = False, self.busy_polls
        return [0xFF, 0xFF]

    def quad(self, word: int) -> None:
        """Fast Read Quad I/O: 24 bits of address and 8 of mode on four wires."""
        assert self.status_2 & 2, "QE is 0: IO2 and IO3 are WP and HOLD"
        self.continuous = word >> 4 & 3 == 0b10


class Board:
    """What the stage finds: the ring oscillator, the SSI as the boot ROM leaves it, a flash."""

    def __init__(self, flash: Flash) -> None:
        self.flash = flash
        self.ssi = dict.fromkeys(SETTINGS, 0) | {SSIENR: 1, SER: 1}
        self.sent: list[int] = []
        self.received: list[int] = []
        self.cleared: set[int] = set()
        self.pads: dict[int, int] = {}
        self.trouble: str | None = None
        self.busy_seen = False
        self.uc = uc = unicorn.Uc(
            unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        )
        uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M0)
        uc.mem_map(0x2004_0000, 0x2000)
        uc.mem_map(0x1000_0000, 0x1000)
        uc.mem_map(0xE000_E000, 0x1000)
        uc.mem_write(STAGE, code())
        uc.mem_write(IMAGE, struct.pack("<2I", STACK, ENTRY))
        pads, clear = self.pads.__setitem__, lambda at, bits: self.cleared.add((at, bits))
        uc.mmio_map(PADS, 0x1000, None, None, lambda u, at, size, value, _: pads(at, value), None)
        uc.mmio_map(
            PADS_CLEAR, 0x1000, None, None, lambda u, at, s, value, _: clear(at, value), None
        )
        uc.mmio_map(SSI, 0x1000, self._read, None, self._write, None)

    def run(self) -> None:
        self.uc.reg_write(arm_const.UC_ARM_REG_LR, 0)
        self.uc.reg_write(arm_const.UC_ARM_REG_SP, STAGE)
        self.uc.emu_start(STAGE | 1, ENTRY & ~1, timeout=60_000_000)
        assert self.trouble is None, self.trouble
        assert self.uc.reg_read(arm_const.UC_ARM_REG_PC) == ENTRY & ~1, "never arrived"

    def _fail(self, text: str) -> None:
        self.trouble = self.trouble or text
        self.uc.emu_stop()

    def _write(self, _uc: object, at: int, _size: int, value: int, _data: object) -> None:
        try:
            if at == DR0:
                assert self.ssi[SSIENR], "data for an SSI that is off"
                self.sent.append(value)
                return
            assert at in self.ssi, f"register {at:#x}"
            assert at == SSIENR or not self.ssi[SSIENR], f"{at:#x} is only written while it is off"
            assert not self.sent, "a transfer is cut off"
            self.ssi[at] = value
        except AssertionError as error:
            self._fail(str(error))

    def _read(self, _uc: object, at: int, _size: int, _data: object) -> int:
        try:
            if at == SR:
                if self.sent and not self.busy_seen:
                    self.busy_seen = True
                    return SR_BUSY
                self._transfer()
                return SR_TFE
            assert at == DR0 and self.received, f"{at:#x} is read, and nothing has come"
            return self.received.pop(0)
        except AssertionError as error:
            self._fail(str(error))
            return 0

    def _transfer(self) -> None:
        """The chip select goes down with the first word and up once the queue is empty."""
        self.busy_seen = False
        sent, self.sent = self.sent, []
        if not sent:
            return
        ctrlr0 = self.ssi[CTRLR0]
        if ctrlr0 >> 8 & 3 == 0:
            assert (ctrlr0 >> 21 & 3, ctrlr0 >> 16 & 31) == (0, 7), "bytes on one wire"
            self.received += self.flash.serial(sent)
            return
        first = read_mode(self)
        assert first == ("quad", 8, 32, 4) and sent[0] == 0xEB, (first, sent)
        self.flash.quad(sent[1])
        self.received += [0xFFFFFFFF] * (self.ssi[CTRLR1] + 1)


def read_mode(board: Board) -> tuple[str, int, int, int]:
    """How flash is read where it is mapped: wires, bits of command and address, dummy clocks."""
    ctrlr0, spi = board.ssi[CTRLR0], board.ssi[SPI_CTRLR0]
    assert ctrlr0 >> 8 & 3 == 3, "TMOD: read after a command"
    assert ctrlr0 >> 16 & 31 == 31, "frames of 32 bits"
    wires = {0: "serial", 2: "quad"}[ctrlr0 >> 21 & 3]
    assert spi & 3 == {"serial": 0, "quad": 1 if spi >> 8 & 3 else 2}[wires], "TRANS_TYPE"
    return wires, (0, 4, 8, 16)[spi >> 8 & 3], (spi >> 2 & 15) * 4, spi >> 11 & 31


def code() -> bytes:
    """Return what boot2.h holds: that it is what boot2.s says is another test's business."""
    text = (firmware_dir() / "bsp/rp2040/boot2.h").read_text(encoding="utf-8")
    words = re.findall(r"0x[0-9A-F]{8}(?=,)", text.split("kCode[kNumWords] = {")[1].split("}")[0])
    assert len(words) == 63
    return struct.pack("<63I", *(int(word, 16) for word in words))


def started(flash: Flash) -> Board:
    board = Board(flash)
    board.run()
    assert board.ssi[SSIENR] == 1 and board.ssi[CTRLR1] == 0
    assert struct.unpack("<I", board.uc.mem_read(VTOR, 4)) == (IMAGE,)
    assert board.uc.reg_read(arm_const.UC_ARM_REG_MSP) == STACK
    return board


@pytest.mark.parametrize("status_2", [0x00, 0x02, 0x78])
def test_flash_is_read_on_four_wires_without_commands(status_2: int) -> None:
    """QE set by the factory or by the stage, which leaves the other bits as they are."""
    board = started(Flash(status_2))
    clock_hz = load_board("rpi_pico").clock_hz / board.ssi[BAUDR]

    assert board.flash.status_2 == status_2 | 2
    assert read_mode(board) == ("quad", 0, 32, 4)  # 24 of address, 8 of mode (8.2.16)
    assert board.flash.continuous
    assert board.ssi[SPI_CTRLR0] >> 24 & 0x30 == 0x20, "each read must keep it at that"
    assert board.ssi[BAUDR] % 2 == 0 and clock_hz <= 133e6
    assert (0x31 in board.flash.commands) == (status_2 & 2 == 0), "written only where it must be"
    # Drive of 8 mA and fast slew for the clock, no Schmitt trigger on the four data pins.
    assert board.pads == {0x04: 2 << 4 | 1} and board.cleared == {(4 * n, 2) for n in range(2, 6)}


@pytest.mark.parametrize(
    "flash", [Flash(writable=False), Flash(writable=False, busy_polls=1 << 40)]
)
def test_a_flash_that_keeps_no_qe_is_read_on_one_wire(flash: Flash) -> None:
    """Protected, or busy for ever: the wait is bounded, and the image runs."""
    if flash.busy_polls > 3:
        # Its answer to status 2 means nothing then; it is not refused by this one.
        flash.serial = lambda sent, real=flash.serial: (
            [0xFF, 0x00] if sent[0] == 0x35 else real(sent)
        )
    board = started(flash)

    assert read_mode(board) == ("serial", 8, 24, 0)
    assert board.ssi[SPI_CTRLR0] >> 24 == 0x03
    assert load_board("rpi_pico").clock_hz / board.ssi[BAUDR] <= 50e6  # 9.6: fR of 03h
