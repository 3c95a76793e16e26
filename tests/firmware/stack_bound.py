# SPDX-License-Identifier: BSD-3-Clause
"""Upper bounds on the stack of a linked image, from its machine code.

    python tests/firmware/stack_bound.py IMAGE.elf…           # what images and operators need
    python tests/firmware/stack_bound.py --update IMAGE.elf…  # the tables, from runners of all CPUs

How far below its caller's the stack pointer is stands in `.debug_frame`, for every instruction;
calls are read from the disassembly. It is the image that runs, after link-time optimization: what
was inlined and the compiler's library are in it, and paths that no test takes are, too, such as an
operator that refuses an argument and formats a log line. What is called through pointers is told
by POINTERS. A frame of a size that is not constant, recursion, or a call through a pointer that is
not known about, is an error.
"""

from __future__ import annotations

import bisect
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"

#: Registers that a core with an FPU pushes, and a word to align them (DDI 0403, B1.5.7).
_EXCEPTION_FRAME_BYTES = 27 * 4
#: kStackGuardWords: words at the end that tell of an overflow.
_GUARD_BYTES = 4 * 4
#: What is left of the stack if a fault report goes on where the stack was; else it starts anew.
FAULT_BYTES = 255
_SP = 13

_OPERATOR = (
    r"^mcugen::ops::(\w+)\(executorch::runtime::KernelRuntimeContext&, "
    r"executorch::runtime::Span<executorch::runtime::EValue\*>\)$"
)
_ELEMENT = r"\w\((float|long long) const\*\)$"
_TALLY = r"Tally&, (float|long long)\)$"
_RUN = r"\w\(long, void\*, executorch::runtime::etensor::ScalarType, long, void const\*, "
_CHANGE_VIEW = r"\(mcugen::ops::OpArgs&, mcugen::ops::View&, [\w:]+::Tensor const&\)$"
_KERNEL = r"^mcugen::\w+_scalar\("
_SINK = r"\(void\*, char\)$|_FUN\([\w:() ]+, char\)"
#: What a pointer may be to, by where it is called, the first that fits: "folder/file: line" of the
#: source, or the function (link-time optimization may give its call another's line) → functions'
#: names.
POINTERS = (
    (r"executor/\w+\.cpp: +instruction\.kernel\(", _OPERATOR),
    (r"shape/op_strided_copy\.cpp: ", _CHANGE_VIEW),
    (r"pointwise/pointwise\.cpp: ", _ELEMENT),
    (r"reduce/\w+\.cpp: ", _TALLY),
    (r"(common/view|index/op_gather)\.cpp: ", _RUN),
    (r"pointwise/op_minmax\.h: ", r"^mcugen::(min|max)imum_\w+_scalar\("),
    (r"network/op_convolution\.cpp: ", r"^mcugen::\w*conv2d_f32_scalar\("),
    (r"network/op_softmax_f32\.cpp: ", r"^mcugen::\w*softmax_f32_scalar\("),
    (r"\w+/op\w*\.(cpp|h): ", "|".join((_ELEMENT, _TALLY, _RUN, _KERNEL))),
    (r"app/text_writer\.h: |mcugen::TextWriter::character\(", _SINK),
    (r"app/(info|frames)\.cpp: ", r"\(unsigned int, mcugen::TensorBytes\*\)$"),
    (r"(executor|app)/\w+\.cpp: .*allocator", r"Allocator::~?\w+\("),
    (r"kernel/kernel_runtime_context\.h: |mcugen::ops::lent_scratch\(", r"Allocator::allocate\("),
    (r"app/peak_allocator\.h: ", r"Allocator::used_size\("),
    (r"executor/(program|pte_data_map)\.cpp: ", r"(Memory|Data)Loader::~?\w+\("),
    # Buffers that somebody frees: the application's are nobody's.
    (r"core/freeable_buffer\.h: ", r"\(void\*, void\*, unsigned int\)$"),
    (r"cortex_m/fault\.cpp: ", r"^report_fault"),
)
#: Functions that call themselves, and how often at most, one within the other.
RECURSIONS = (
    (r"^mcugen::\(anonymous namespace\)::pad_axis\(", 3),  # the other axes of four
    (r"^executorch::runtime::\(anonymous namespace\)::KeySink::put_number\(", 9),  # ten digits
    # The schema of a program nests no table deeper than its root (tested); it has no cycle.
    (r"^mcugen::\(anonymous namespace\)::Verifier::table\(", 4),
)
_INTERRUPTS = ("systick_interrupt", "uart_receive_interrupt")


@dataclass
class Function:
    """One function of the image."""

    name: str  #: demangled
    start: int
    end: int
    frame: int = 0  #: the most of its own
    calls: set[tuple[int, int]] = field(default_factory=set)  #: (stack at the call, function)
    pointers: set[tuple[int, int]] = field(default_factory=set)  #: (stack at the call, address)


class Image:
    """The functions of an ELF file, what calls what, and how much stack that takes."""

    def __init__(self, elf: Path, sources: Path = FIRMWARE) -> None:
        """Read `elf`. sources: what it was compiled from, as firmware/."""
        self._elf = elf
        self._sources = sources
        self._functions: dict[int, Function] = {}
        self._names: dict[int, set[str]] = defaultdict(set)
        self._depths: dict[int, int] = {}
        self._operators: set[int] = set()
        self._at_operators: list[tuple[int, int]] = []  # (function, stack at its call of one)
        with open(elf, "rb") as file:
            parsed = ELFFile(file)
            self._read_symbols(parsed)
            self._read_frames(parsed)
        self._read_code()
        self._read_pointers()

    # --- bounds

    @property
    def base_bytes(self) -> int:
        """The most stack of all but operators and interrupts."""
        return self._below(self._named("reset_handler"))

    @property
    def at_call_bytes(self) -> int:
        """The most stack in use when an operator is called."""
        return max((self._above(start) + stack for start, stack in self._at_operators), default=0)

    @property
    def interrupt_bytes(self) -> int:
        """The most that an interrupt adds, none of which interrupts another, and the guard."""
        handlers = (self._below(self._named(name)) for name in _INTERRUPTS)
        return _EXCEPTION_FRAME_BYTES + max(handlers) + _GUARD_BYTES

    @property
    def fault_bytes(self) -> int:
        """The most stack of a fault report."""
        return self._below(self._named("report_fault"))

    @property
    def operator_bytes(self) -> dict[str, int]:
        """The most stack of each operator, by its C++ function."""
        found = {}
        for start in self._operators:
            for name in self._names[start]:
                if match := re.match(_OPERATOR, name):
                    found[match[1]] = self._below(start)
        return found

    @property
    def most_bytes(self) -> int:
        """The most stack that the image can use."""
        deepest = max(self.operator_bytes.values(), default=0)
        return max(self.base_bytes, self.at_call_bytes + deepest) + self.interrupt_bytes

    def deepest(self, name: str) -> list[str]:
        """Return the path of calls with the most stack: "bytes at the call, function"."""
        lines = []
        start = self._named(name)
        while True:
            own = self._functions[start]
            depths = {at + self._below(to): (at, to) for at, to in own.calls if to != start}
            most = max(depths, default=0)
            if most < self._below(start) or not depths:
                return [*lines, f"{own.frame:6} {own.name}"]
            at, start = depths[most]
            lines.append(f"{at:6} {own.name}")

    def _below(self, start: int, path: tuple[int, ...] = ()) -> int:
        """Return the most stack that a call of the function takes."""
        if start in path:
            names = [self._functions[each].name for each in (*path[path.index(start) :], start)]
            raise ValueError(f"{self._elf}: recursion: " + " → ".join(names))
        if start not in self._depths:
            own = self._functions[start]
            times = next((n for names, n in RECURSIONS if re.match(names, own.name)), None)
            again = 0
            if times is not None:
                again = times * max((at for at, to in own.calls if to == start), default=0)
            deeper = (
                at + self._below(to, (*path, start))
                for at, to in own.calls
                if to != start or times is None
            )
            self._depths[start] = again + max(own.frame, *deeper, 0)
        return self._depths[start]

    def _above(self, start: int) -> int:
        """Return the most stack that is in use when the function begins."""
        callers = (
            self._above(own.start) + at
            for own in self._functions.values()
            for at, to in own.calls
            if to == start
        )
        return max(callers, default=0)

    def _named(self, name: str) -> int:
        return next(start for start, names in self._names.items() if name in names)

    # --- reading

    def _read_symbols(self, elf: ELFFile) -> None:
        symbols = [
            (symbol["st_value"] & ~1, symbol.name)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC"
        ]
        demangled = _run("arm-none-eabi-c++filt", stdin="\n".join(name for _, name in symbols))
        for (start, _), name in zip(symbols, demangled, strict=True):
            self._names[start].add(re.sub(r" \[clone .*", "", name))
        self._starts = sorted(self._names)
        for start, following in zip(self._starts, [*self._starts[1:], 1 << 32], strict=True):
            # Not by its size: assembly of a library ends behind it, or has none.
            name = min(self._names[start], key=lambda each: (len(each), each))
            self._functions[start] = Function(name, start, following)

    def _read_frames(self, elf: ELFFile) -> None:
        rows: list[tuple[int, int | None]] = []  # address from which on; bytes, or None: not known
        for entry in elf.get_dwarf_info().CFI_entries():
            if not isinstance(entry, FDE):
                continue
            for row in entry.get_decoded().table:
                if row["cfa"].reg != _SP:
                    raise ValueError(f"{self._elf}: the frame at {row['pc']:#x} is not constant")
                rows.append((row["pc"] & ~1, row["cfa"].offset))
            rows.append(((entry["initial_location"] & ~1) + entry["address_range"], None))
        self._rows = sorted(rows, key=lambda row: (row[0], row[1] is not None))
        self._row_starts = [row[0] for row in self._rows]

    def _read_code(self) -> None:
        own: Function | None = None
        pushed = 0
        popped: list[str] = []
        for line in _run("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(self._elf)):
            head, _, rest = line.partition(":\t")
            if not rest:
                continue
            address = int(head, 16)
            if own is None or not own.start <= address < own.end:
                own, pushed, popped = self._function_at(address), 0, []
            if own is None:
                continue
            name, _, operands = rest.partition("\t")
            name = name.split(".")[0]
            stack = self._stack_at(address)
            if stack is None:  # assembly that does not say: all that it ever pushes
                pushed += _pushed(name, operands)
                stack = pushed
            own.frame = max(own.frame, stack)
            target = re.match(r"(?:\w+, )?([0-9a-f]+) <", operands)
            # VCTP is shown as "bfcsel": of Helium's low-overhead branches there are none.
            if target and name.startswith(("b", "cb")) and not name.startswith("bf"):
                to = int(target[1], 16)
                called = self._function_at(to)  # or in its middle: a library's
                if called is not None and (called is not own or (name, to) == ("bl", own.start)):
                    own.calls.add((stack, called.start))
            # "mov pc" and "ldr pc" are a switch. Where pop cannot load lr (Armv6-M), a function
            # with arguments on the stack ends in "pop {r3}; add sp, #16; bx r3".
            elif name == "blx" or (name == "bx" and operands.strip() not in ("lr", *popped)):
                own.pointers.add((stack, address))
            popped = re.findall(r"r\d", operands) if name == "pop" else popped

    def _read_pointers(self) -> None:
        """Add what may be called through pointers to the calls."""
        sites = [(own, *site) for own in self._functions.values() for site in own.pointers]
        addresses = [hex(address) for *_, address in sites]
        places = _run("arm-none-eabi-addr2line", "-e", str(self._elf), *addresses)
        for (own, stack, _), place in zip(sites, places, strict=True):
            path, _, number = place.partition(" (")[0].rpartition(":")
            source = self._sources / path.partition("mcugen_runtime/")[2]
            # Headers of ExecuTorch are not in firmware/; their lines are not needed.
            line = source.read_text().splitlines()[int(number) - 1] if source.is_file() else ""
            text = f"{source.parent.name}/{source.name}: {line}"
            places_of = (text, own.name)
            names = next(
                (names for where, names in POINTERS if any(re.match(where, p) for p in places_of)),
                None,
            )
            if names is None:
                raise ValueError(f"{self._elf}: what does {own.name} call here? {text}")
            found = {
                start
                for start, aliases in self._names.items()
                if any(re.search(names, alias) for alias in aliases)
            }
            if names is _OPERATOR:
                self._operators |= found
                self._at_operators.append((own.start, stack))
            else:
                own.calls |= {(stack, start) for start in found}

    def _function_at(self, address: int) -> Function | None:
        at = bisect.bisect_right(self._starts, address) - 1
        return self._functions[self._starts[at]] if at >= 0 else None

    def _stack_at(self, address: int) -> int | None:
        at = bisect.bisect_right(self._row_starts, address) - 1
        return self._rows[at][1] if at >= 0 else None


def _pushed(name: str, operands: str) -> int:
    """Return by how much an instruction lowers the stack pointer."""
    if name in ("push", "vpush") or (name == "stmdb" and "sp!" in operands):
        total = 0
        for each in operands.partition("{")[2].rstrip("}").split(", "):
            first, _, last = each.partition("-")
            count = int(last[1:]) - int(first[1:]) + 1 if last else 1
            total += count * (8 if first.startswith("d") else 4)
        return total
    lowered = re.search(r"\[sp, #-(\d+)\]!", operands)
    if name.startswith("sub"):
        lowered = re.match(r"sp, (?:sp, )?#(\d+)", operands)
    return int(lowered[1]) if lowered else 0


def _run(*command: str, stdin: str = "") -> list[str]:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


# --- the tables


def rounded(size: int) -> int:
    """Return what an entry says of an operator that needs `size`."""
    return -(-size // 64) * 64


def update_tables(needs: dict[str, int]) -> None:
    """Write `stack_bytes` into the entries of operators that need more than one that says nothing.

    Args:
        needs: the C++ function of each operator → the most on any core.
    """
    from mcugen.program.operator_table import OPERATOR_STACK_BYTES, function_for

    for table in sorted((FIRMWARE / "ops").glob("*/*.toml")):
        entries = re.split(r"(?m)^(?=\[)", table.read_text("utf-8"))
        for number, entry in enumerate(entries):
            name = re.match(r'\["([^"]+)"\]', entry)
            if name is None:
                continue
            entry = re.sub(r"(?m)^stack_bytes = .*\n", "", entry)
            need = needs[function_for(name[1])]
            if need > OPERATOR_STACK_BYTES:
                body = entry.rstrip("\n")
                entry = f"{body}\nstack_bytes = {rounded(need)}\n" + entry[len(body) + 1 :]
            entries[number] = entry
        table.write_text("".join(entries), "utf-8")


def main(arguments: list[str]) -> None:
    """Print the bounds of images, or write them into the tables."""
    update = arguments[:1] == ["--update"]
    needs: dict[str, int] = {}
    for path in map(Path, arguments[update:]):
        copied = path.absolute().parents[3] / "lib" / "mcugen_runtime"  # of its project
        image = Image(path, copied if copied.is_dir() else FIRMWARE)
        for name, size in image.operator_bytes.items():
            needs[name] = max(size, needs.get(name, 0))
        print(
            f"{path}: base {image.base_bytes}, when an operator is called {image.at_call_bytes}, "
            f"interrupts {image.interrupt_bytes}, a fault report {image.fault_bytes}, "
            f"most {image.most_bytes}"
        )
        print("\n".join(image.deepest("reset_handler")))
    if update:
        update_tables(needs)
    else:
        for name, size in sorted(needs.items(), key=lambda item: (-item[1], item[0])):
            print(f"{size:6} {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
