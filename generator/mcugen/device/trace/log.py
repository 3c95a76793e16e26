# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's log of executed translation blocks (`-d exec,in_asm,nochain`), read as it is written.

A log of an inference has millions of lines, nearly all of which were seen before, so that a run of
known ones is counted without a look at each. What QEMU takes back is taken back: a block that it
announced and then did not start ("Stopped execution"), or left in the middle to repeat a device
access ("rewound execution").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mcugen.base.errors import DeviceError

_TRACE = b"Trace "
_ANNOUNCED = b"announced "
_STOPPED = b"Stopped execution of TB chain"
_LISTED = re.compile(rb"0x([0-9a-f]+):  ((?:[0-9a-f]{4} ?){1,2}) ")
_REWOUND = b"cpu_io_recompile: rewound execution of TB to "


@dataclass(frozen=True)
class Block:
    """A run of instructions that QEMU translated as one and executes to its end."""

    addresses: tuple[int, ...]

    @property
    def start(self) -> int:
        """Address of the first instruction."""
        return self.addresses[0]


#: How often a block was executed and which came next: (block, next block) → times.
Edges = Counter[tuple[Block, Block]]
#: What a block that may be a boundary means: called as boundary(block before, block).
Boundary = Callable[[Block | None, Block], None]


class BlockLog:
    """Takes a log apart and counts pairs of consecutive blocks.

    edges: where pairs are counted now; None: they are not. `on_boundary` may change it; what it
    sets counts from the boundary's own block on.
    """

    def __init__(self, is_boundary: Callable[[int], bool], on_boundary: Boundary) -> None:
        """Call `on_boundary` whenever a block begins at an address that `is_boundary`."""
        self.edges: Edges | None = None
        self._is_boundary = is_boundary
        self._on_boundary = on_boundary
        self._blocks: dict[bytes, Block] = {}  # by line
        self._same: dict[Block, Block] = {}  # one object for each: compared by identity first
        self._known: set[bytes] = set()  # lines of blocks that are no boundaries
        self._translated: dict[int, tuple[int, ...]] = {}  # by address of the first instruction
        self._listed: dict[int, int] = {}  # half-words of the block that is listed
        self._lines: Counter[tuple[bytes, bytes]] = Counter()  # pairs not yet in `edges`
        self._last: bytes | None = None
        self._rest = b""
        self._held: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the log."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        self._take(self._held + lines)

    def close(self) -> None:
        """The log has ended."""
        held, self._held = [*self._held, b""], []
        self._take(held)
        self._count()

    def _take(self, lines: list[bytes]) -> None:
        known = self._known
        if any(line not in known and line.startswith((_STOPPED, _REWOUND)) for line in lines):
            lines = _taken_back(lines)
        # What comes next may take the last block back.
        self._held = [lines.pop()] if lines and lines[-1].startswith(_TRACE) else []
        begin = 0
        for index in [i for i, line in enumerate(lines) if line not in known]:
            self._run(lines[begin:index])
            self._special(lines[index])
            begin = index + 1
        self._run(lines[begin:])

    def _run(self, lines: Sequence[bytes]) -> None:
        """Count lines of known blocks."""
        if not lines:
            return
        if self.edges is not None and self._last is not None:
            self._lines[self._last, lines[0]] += 1
            self._lines.update(pairwise(lines))
        self._last = lines[-1]

    def _special(self, line: bytes) -> None:
        if line.startswith(_TRACE):
            block = self._blocks.get(line) or self._new_block(line)
            if self._is_boundary(block.start):
                if self.edges is not None and self._last is not None:
                    self._lines[self._last, line] += 1
                self._count()
                before = self._blocks.get(self._last) if self._last is not None else None
                self._on_boundary(before, block)
                self._last = line
            else:
                self._known.add(line)
                self._run([line])
        elif line.startswith(_ANNOUNCED):
            announced = line.removeprefix(_ANNOUNCED)
            if announced not in self._blocks:
                self._new_block(announced)
        elif line.startswith(b"IN:"):
            self._listed = {}
        elif (listed := _LISTED.match(line)) is not None:
            address = int(listed[1], 16)
            for offset, half_word in enumerate(listed[2].split()):
                self._listed[address + 2 * offset] = int(half_word, 16)
            self._translated[min(self._listed)] = _begins(self._listed)

    def _new_block(self, line: bytes) -> Block:
        """Return what a line of the log announces: `Trace 0: host [base/address/flags/…] name`."""
        text, _, until = line.partition(b"|")
        try:
            address = int(text.split(b"/", 2)[1], 16)
            addresses = self._translated[address]
        except (IndexError, ValueError, KeyError):
            raise DeviceError(f"QEMU's log has a line that says nothing: {line!r}") from None
        if until:
            addresses = tuple(each for each in addresses if each < int(until, 16))
        block = self._same.setdefault(Block(addresses), Block(addresses))
        self._blocks[line] = block
        return block

    def _count(self) -> None:
        """Move what was counted by lines to `edges`."""
        if self.edges is not None:
            for (line, following), times in self._lines.items():
                self.edges[self._blocks[line], self._blocks[following]] += times
        self._lines.clear()


def _begins(half_words: dict[int, int]) -> tuple[int, ...]:
    """Return where instructions begin. QEMU's disassembler does not know them all."""
    found = []
    address = min(half_words)
    while address in half_words:
        found.append(address)
        # Arm DDI 0403, A5.1: 0b11101, 0b11110 and 0b11111 begin instructions of 32 bits.
        address += 4 if half_words[address] >> 11 >= 0b11101 else 2
    return tuple(found)


def _taken_back(lines: list[bytes]) -> list[bytes]:
    """Return the lines without the blocks, or with only the parts of blocks, that were executed.

    What was announced stays as such: QEMU lists its instructions only this once.
    """
    kept: list[bytes] = []
    for line in lines:
        if not line.startswith((_STOPPED, _REWOUND)):
            kept.append(line)
        elif kept and kept[-1].startswith(_TRACE):
            announced = kept.pop()
            kept.append(_ANNOUNCED + announced)
            if line.startswith(_REWOUND):
                until = line[len(_REWOUND) :].strip()
                # At its first instruction: the repetition is all of it.
                if b"/" + until + b"/" not in announced:
                    kept.append(announced + b"|" + until)
    return kept
