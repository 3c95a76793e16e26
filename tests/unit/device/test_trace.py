# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's log taken apart, calls told apart, cycles estimated. Whole traces: tests/qemu."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from mcugen.base.errors import DeviceError
from mcugen.boards.load import load_board
from mcugen.device.trace.calls import CallTracer
from mcugen.device.trace.code import parse_listing, short_name
from mcugen.device.trace.cycles import CycleEstimate, in_pairs, one_by_one
from mcugen.device.trace.flash import wait_cycles
from mcugen.device.trace.kinds import Kind, action
from mcugen.device.trace.log import Block, BlockLog
from mcugen.device.trace.timings import TIMINGS
from mcugen.program.call_facts import CallFacts, CallSequence


def listed(start: int, *half_words: str) -> bytes:
    """What QEMU logs when it translates a block."""
    lines, address = [], start
    for text in half_words:
        lines.append(f"0x{address:08x}:  {text:<9}  some      thing\n")
        address += 2 * len(text.split())
    return b"----------------\nIN: name\n" + "".join(lines).encode() + b"\n"


def trace(start: int, flags: str = "ff020200") -> bytes:
    return f"Trace 0: 0x7f00 [00800408/{start:08x}/00000010/{flags}] name\n".encode()


A, B, C = 0x100, 0x200, 0x300
STOPPED = b"Stopped execution of TB chain before 0x7f00 [00000200] name\n"
LOG = b"".join(
    [
        *(listed(A, "2301", "f8d2 0004", "d0fe"), trace(A)),
        *(listed(B, "2302", "2303", "e7fe"), trace(B), trace(A), trace(B)),
        # Announced, not started; then in parts.
        *(trace(A), trace(B), STOPPED, listed(B, "2302"), trace(B, "ff020201")),
        *(listed(B + 2, "2303", "e7fe"), trace(B + 2)),
        # Left at its second instruction, which is repeated alone.
        *(trace(A), b"cpu_io_recompile: rewound execution of TB to 00000102\n"),
        *(listed(A + 2, "f8d2 0004"), trace(A + 2, "ff038201")),
        # Left at its first.
        *(trace(B), b"cpu_io_recompile: rewound execution of TB to 00000200\n"),
        *(listed(B, "2302"), trace(B, "ff038201")),
        *(trace(B), trace(A), trace(B)),
    ]
)
BLOCK_A, BLOCK_B = Block((0x100, 0x102, 0x106)), Block((0x200, 0x202, 0x204))
EXECUTED = [
    *(BLOCK_A, BLOCK_B, BLOCK_A, BLOCK_B, BLOCK_A, Block((0x200,)), Block((0x202, 0x204))),
    *(Block((0x100,)), Block((0x102,)), Block((0x200,)), BLOCK_B, BLOCK_A, BLOCK_B),
]


@pytest.mark.parametrize("chunk", [1, 7, 100, len(LOG)])
def test_a_log_gives_what_was_executed_however_it_arrives(chunk: int) -> None:
    log = BlockLog(lambda address: False, lambda before, block: None)
    log.edges = Counter()

    for begin in range(0, len(LOG), chunk):
        log.feed(LOG[begin : begin + chunk])
    log.close()

    assert log.edges == Counter(pairwise(EXECUTED))


def test_boundaries_change_where_is_counted_from_their_block_on() -> None:
    seen = []
    first: Counter[tuple[Block, Block]] = Counter()
    second: Counter[tuple[Block, Block]] = Counter()

    def on_boundary(before: Block | None, block: Block) -> None:
        seen.append((before, block))
        log.edges = second

    log = BlockLog(lambda address: address == B, on_boundary)
    log.edges = first
    log.feed(listed(A, "2301") + trace(A) + trace(A) + listed(B, "2301") + trace(B))
    log.feed(listed(C, "2301") + trace(C) + trace(A))
    log.close()

    a, b, c = Block((A,)), Block((B,)), Block((C,))
    assert seen == [(a, b)]
    assert first == {(a, a): 1, (a, b): 1}
    assert second == {(b, c): 1, (c, a): 1}


def test_a_block_that_was_never_listed_is_an_error() -> None:
    log = BlockLog(lambda address: False, lambda before, block: None)

    with pytest.raises(DeviceError, match="says nothing"):
        log.feed(trace(A) + trace(A))


LISTING = """
image.elf:     file format elf32-littlearm

00000010 <mcugen::cycle_counter_start() [clone .isra.0]>:
      10:\t4770      \tbx\tlr

00000020 <mcugen::cycle_counter_now()>:
      20:\t4770      \tbx\tlr
      22:\t00000000 \t.word\t0x00000000

00000100 <mcugen::model_execute(unsigned long long*)>:
     100:\tf7ff ff86 \tbl\t10 <mcugen::cycle_counter_start() [clone .isra.0]>
     104:\t2300      \tmovs\tr3, #0
     106:\t4798      \tblx\tr3
     108:\tdbfc      \tblt.n\t104 <mcugen::model_execute(unsigned long long*)+0x4>
     10a:\tf7ff ff89 \tbl\t20 <mcugen::cycle_counter_now()>

00000200 <mcugen::ops::cortex_m__pad_out(executorch::runtime::Context&)>:
     200:\t4798      \tblx\tr3
     202:\t4770      \tbx\tlr

00000300 <mcugen::ops::aten__view_out(executorch::runtime::Context&)>:
     300:\t4770      \tbx\tlr
"""


def call(number: int, function: str) -> CallFacts:
    return CallFacts(number, f"a::{function}", function, 10, (), (), number)


def test_functions_that_share_an_address_are_all_known():
    symbols = "00000300 t mcugen::ops::aten__squeeze_out(int)\n20000300 b mcugen::ops::data\n"

    code = parse_listing(LISTING, symbols)

    for name in ("aten__view_out", "aten__squeeze_out"):
        assert code.entries(f"mcugen::ops::{name}") == {0x300}
    assert code.entries("mcugen::ops::data") == frozenset()
    assert code.function_at(0x302).startswith("mcugen::ops::aten__")


BRANCHING = CallSequence(
    (call(0, "cortex_m__pad_out"), call(1, "aten__view_out"), call(2, "cortex_m__pad_out")),
    # call 0; jump over call 1; call 2
    ((("call", 0), ("jump", 3), ("call", 1), ("call", 2), ("other", 0)),),
)


def test_a_branch_leaves_open_which_call_is_next() -> None:
    assert [each.number for each in BRANCHING.after(None)] == [0]
    assert [each.number for each in BRANCHING.after(0)] == [1, 2]
    assert [each.number for each in BRANCHING.after(1)] == [2]
    assert BRANCHING.after(2) == ()
    assert [BRANCHING.may_end(number) for number in (None, 0, 1, 2)] == [False, False, False, True]


#: A call enters another operator's function itself; the second call is jumped over.
INFERENCE = b"".join(
    [
        *(listed(0x10, "4770"), trace(0x10), listed(0x104, "2300", "4798"), trace(0x104)),
        *(listed(0x200, "4798"), trace(0x200), listed(0x300, "4770"), trace(0x300)),
        *(listed(0x202, "4770"), trace(0x202), listed(0x108, "dbfc"), trace(0x108)),
        *(trace(0x104), trace(0x200), trace(0x300), trace(0x202), trace(0x108)),
        *(listed(0x10A, "f7ff ff89"), trace(0x10A), listed(0x20, "4770"), trace(0x20)),
    ]
)


def test_instructions_belong_to_the_call_that_the_runtime_made() -> None:
    code = parse_listing(LISTING)
    tracer = CallTracer(code, BRANCHING)

    tracer.log.feed(INFERENCE)
    calls, runtime = tracer.result()

    assert [each.runs for each in calls] == [1, 0, 1]
    assert [each.instructions for each in calls] == [3, 0, 3]
    assert runtime.instructions == 2 + 1 + 2 + 1 + 1
    names = {short_name(name): n for name, n in calls[0].by_function(code).items()}
    assert names == {"ops::cortex_m__pad_out": 2, "ops::aten__view_out": 1}


def test_a_trace_without_its_end_is_an_error() -> None:
    tracer = CallTracer(parse_listing(LISTING), BRANCHING)
    tracer.log.feed(INFERENCE[: INFERENCE.index(trace(0x10A))])

    with pytest.raises(DeviceError, match="ends before the inference does"):
        tracer.result()


def test_a_call_that_is_another_than_the_programs_is_an_error() -> None:
    sequence = CallSequence((call(0, "aten__view_out"), call(1, "cortex_m__pad_out")), ((),))
    sequence = CallSequence(sequence.calls, ((("call", 0), ("call", 1)),))
    tracer = CallTracer(parse_listing(LISTING), sequence)

    with pytest.raises(DeviceError, match=r"enters .*pad_out.* where the program has a::aten"):
        tracer.log.feed(INFERENCE)


def test_an_image_without_the_operators_function_is_an_error() -> None:
    sequence = CallSequence((call(0, "aten__mul_out"),), ((("call", 0),),))

    with pytest.raises(DeviceError, match="no symbols to know aten__mul_out by"):
        CallTracer(parse_listing(LISTING), sequence)


@pytest.mark.parametrize(
    "name, operands, kind, count, jumps",
    [
        ("ldrsb", "r3, [r0, #4]", Kind.LOAD, 1, False),
        ("ldr", "pc, [pc, #8]", Kind.LOAD, 1, True),
        ("ldrd", "r2, r3, [r0], #8", Kind.LOAD_MANY, 2, False),
        ("ldmia", "sp!, {r4, r5, r6, pc}", Kind.LOAD_MANY, 4, True),
        ("pop", "{r4-r7, pc}", Kind.LOAD_MANY, 5, True),
        ("vldmia", "r1!, {d8-d15}", Kind.LOAD_MANY, 16, False),
        ("vldr", "s0, [r0]", Kind.LOAD, 1, False),
        ("vldr", "d0, [r0]", Kind.LOAD_MANY, 2, False),
        ("push", "{r4, lr}", Kind.STORE_MANY, 2, False),
        ("strble", "r1, [r0], #1", Kind.STORE, 1, False),
        ("smlad", "r0, r1, r2, r0", Kind.ACCUMULATE, 1, False),
        ("smlal", "r0, r1, r2, r3", Kind.ACCUMULATE_LONG, 1, False),
        ("smlald", "r0, r1, r2, r3", Kind.ACCUMULATE_LONG, 1, False),
        ("smull", "r0, r1, r2, r3", Kind.MULTIPLY_LONG, 1, False),
        ("smmulr", "r0, r1, r2", Kind.MULTIPLY, 1, False),
        ("smlabb", "r0, r1, r2, r0", Kind.ACCUMULATE, 1, False),
        ("muls", "r0, r1", Kind.MULTIPLY, 1, False),
        ("sdiv", "r0, r1, r2", Kind.DIVIDE, 1, False),
        ("bic", "r0, r1, r2", Kind.ALU, 1, False),
        ("bls", "104 <f(int)+0x4>", Kind.BRANCH, 1, True),
        ("bl", "104 <f>", Kind.CALL, 1, True),
        ("blx", "r3", Kind.BRANCH, 1, True),
        ("cbnz", "r3, 104 <f>", Kind.BRANCH, 1, True),
        ("tbb", "[pc, r0]", Kind.TABLE_BRANCH, 1, True),
        ("mov", "pc, r0", Kind.BRANCH, 1, True),
        ("ssat", "r0, #8, r1", Kind.ALU, 1, False),
        ("ssub8", "r0, r1, r2", Kind.ALU, 1, False),
        ("vmul.f32", "s0, s1, s2", Kind.FLOAT, 1, False),
        ("vfma.f32", "s0, s1, s2", Kind.FLOAT_ACCUMULATE, 1, False),
        ("vmladava.s8", "r0, q0, q1", Kind.VECTOR, 1, False),
        ("cpsid", "i", Kind.SYSTEM, 1, False),
    ],
)
def test_instructions_are_of_a_kind(
    name: str, operands: str, kind: Kind, count: int, jumps: bool
) -> None:
    found = action(name, operands)

    assert (found.kind, found.count, found.jumps) == (kind, count, jumps)


@pytest.mark.parametrize(
    "name, operands, reads, writes",
    [
        ("add", "r0, r1, r2, lsl #2", "r1 r2", "r0"),
        ("adds", "r0, #1", "r0", "r0 flags"),
        ("uxtb", "r0, r1", "r1", "r0"),
        ("ldr", "r0, [r1], #4", "r1", "r0 r1"),
        ("str", "r0, [r1, #4]!", "r0 r1", "r1"),
        ("cmp", "r0, r1", "r0 r1", "flags"),
        ("bne", "104 <f>", "flags", ""),
        ("smlal", "r0, r1, r2, r3", "r0 r1 r2 r3", "r0 r1"),
        ("ldmia", "r0!, {r2-r4}", "r0", "r0 r2 r3 r4"),
        ("stmia", "r0!, {r2, r3}", "r0 r2 r3", "r0"),
    ],
)
def test_instructions_read_and_write(name: str, operands: str, reads: str, writes: str) -> None:
    found = action(name, operands)

    assert (found.reads, found.writes) == (set(reads.split()), set(writes.split()))


def cycles(cpu: str, *lines: str) -> float:
    actions = [action(*line.split(" ", 1)) for line in lines]
    timings = TIMINGS[cpu]
    return (one_by_one if timings.issues == 1 else in_pairs)(actions, timings)


@pytest.mark.parametrize(
    "cpu, lines, expected",
    [
        # DDI 0439B, 3.3.3: "normally three cycles total", "normally four cycles total".
        ("cortex-m4", ["ldr r0, [r1]", "ldr r2, [r3]"], 3),
        ("cortex-m4", ["ldr r0, [r1, r2]", "str r0, [r3, #20]"], 3),
        ("cortex-m4", ["ldr r0, [r1, r5]", "ldr r1, [r2]", "ldr r2, [r3, #4]"], 4),
        ("cortex-m4", ["ldr r0, [r1]", "ldr r2, [r0]"], 4),  # the address waits
        ("cortex-m4", ["str r0, [r1]", "ldr r2, [r3]"], 3),  # nothing pipelines behind a store
        # M3's manual alone says that a load which moves its base is not pipelined.
        ("cortex-m4", ["ldr r0, [r1], #4", "ldr r2, [r3], #4"], 3),
        ("cortex-m3", ["ldr r0, [r1], #4", "ldr r2, [r3]"], 4),
        ("cortex-m3", ["ldr r0, [r1]", "ldr r2, [r3]"], 3),
        ("cortex-m4", ["ldr r0, [r1, r2]", "str r1, [r3, r2]"], 3),
        ("cortex-m4", ["add r3, r4", "str r1, [r5, r2]"], 3),  # but for #imm, a store takes 2
        ("cortex-m4", ["add r1, r4", "ldr r0, [r1]"], 4),  # no forwarding to an address
        ("cortex-m4", ["add r1, r4", "str r1, [r5]"], 2),
        ("cortex-m0plus", ["adds r1, r4", "ldr r0, [r1]"], 3),
        ("cortex-m4", ["ldmia r0!, {r1-r4}"], 5),
        ("cortex-m4", ["smlad r0, r1, r2, r0", "smlal r4, r5, r6, r7"], 2),
        ("cortex-m3", ["mla r0, r1, r2, r0", "smlal r4, r5, r6, r7"], 7.5),
        ("cortex-m0plus", ["ldr r0, [r1]", "ldr r2, [r3]", "muls r0, r2"], 5),
        ("cortex-m33", ["ldr r0, [r1]", "add r2, r3, r4", "add r0, r0, r2"], 3),
        ("cortex-m33", ["ldr r0, [r1]", "add r0, r0, r2"], 3),
        ("cortex-m7", ["add r0, r1, r2", "add r3, r4, r5"], 1),
        ("cortex-m7", ["add r0, r1, r2", "add r3, r0, r5"], 2),
        ("cortex-m7", ["ldr r0, [r1]", "ldr r2, [r3]", "smlad r4, r0, r2, r4"], 3),
        ("cortex-m7", ["smlad r4, r0, r2, r4", "smlad r4, r1, r3, r4"], 2),
        ("cortex-m7", ["smlad r4, r0, r2, r4", "add r4, r4, r3"], 3),
        ("cortex-m7", ["ldmia r0!, {r1-r4}", "add r5, r6, r7"], 3),
    ],
)
def test_cycles_of_a_straight_run(cpu: str, lines: list[str], expected: float) -> None:
    assert cycles(cpu, *lines) == expected


def test_flash_is_waited_for_by_the_line():
    """180 MHz: 5 wait states; 64 lines of 16 bytes of code are kept, the rest is read each time."""
    board = load_board("nucleo")
    lines = [Block((0x0800_0000 + 16 * n, 0x0800_0002 + 16 * n)) for n in range(66)]
    edges = Counter({(line, lines[0]): 1000 - n for n, line in enumerate(lines)})

    assert wait_cycles(edges, 0, board) == 5 * (64 + 936 + 935)
    assert wait_cycles(Counter({(Block((0x2000_0000,)), lines[0]): 9}), 0, board) == 0
    assert wait_cycles(Counter(), 17, board) == 5 * 2
    assert wait_cycles(edges, 17, load_board("qemu-m4")) == 0


def test_a_branch_costs_more_when_it_is_taken() -> None:
    code = parse_listing(LISTING)
    estimate = CycleEstimate.for_core(code, "cortex-m4")
    assert estimate is not None
    branch, back, on = Block((0x108,)), Block((0x104, 0x106)), Block((0x10A,))

    assert estimate.of(Counter({(branch, on): 1})) == 1
    assert estimate.of(Counter({(branch, back): 2})) == 6
    assert CycleEstimate.for_core(code, "cortex-m55") is None


@pytest.mark.parametrize(
    "cpu, expected", [("cortex-m0", 4), ("cortex-m0plus", 3), ("cortex-m4", 3)]
)
def test_a_return_that_pops_refills_the_pipeline(cpu: str, expected: int) -> None:
    """4 + N, 3 + N and 1 + N + P cycles, N with PC."""
    code = parse_listing("100:\tbd10      \tpop\t{r4, pc}\n")
    estimate = CycleEstimate.for_core(code, cpu)
    assert estimate is not None

    assert estimate.of(Counter({(Block((0x100,)), Block((0x200,))): 1})) == expected + 2
