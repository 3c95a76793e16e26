# SPDX-License-Identifier: BSD-3-Clause
"""Drives the fuzz targets of the host's parsers: host_protocol.py, host_files.py, host_pte.py.

    python tests/fuzz/fuzz_host.py TARGET [libFuzzer options] CORPUS...         # needs atheris
    python tests/fuzz/fuzz_host.py TARGET --mutations N [--seed S] CORPUS...    # needs nothing
    python tests/fuzz/fuzz_host.py TARGET --seeds DIR                           # writes them

A finding is whatever a target raises: only McugenError may come out of a parser, and the targets
catch that. So is an input that takes 20 s of CPU time, and one that takes more and more: some
inputs are drawn out, by repeating a part of them, and four times the length may not take eight
times the lines.
"""

from __future__ import annotations

import argparse
import importlib
import random
import shlex
import signal
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
MODULES = {
    **dict.fromkeys(("protocol", "replies", "client"), "host_protocol"),
    **dict.fromkeys(("board", "config", "tensors", "state"), "host_files"),
    **dict.fromkeys(("pte", "plan"), "host_pte"),
}
#: Targets that import torch.
SLOW_TO_START = ("pte", "plan")
TIMEOUT_S = 20
#: One of this many inputs is drawn out, and to how many bytes.
GROWN_ONE_OF = 1 << 11
GROWN_BYTES = (1 << 10, 1 << 12)
#: What C code spends is seen only by its CPU time, and only of much.
TIMED_BYTES = 1 << 16
MOST_TIMED_S = 5.0


class Target(NamedTuple):
    """What is fuzzed. one_input raises what is a finding."""

    one_input: Callable[[bytes], None]
    seeds: Callable[[], dict[str, bytes]]
    tokens: tuple[bytes, ...] = ()  #: what mutations put in
    grows: bool = True  #: False: the bytes are no text whose parts can be repeated


class Finding(Exception):
    """Not raised by a parser but found of it."""


def load(name: str) -> Target:
    """Import a target, and with it what it fuzzes."""
    target: Target = importlib.import_module(MODULES[name]).TARGETS[name]
    return target


# --- what is wrong with an input ---------------------------------------------------------------


def examine(target: Target, data: bytes, *, timed: bool = False) -> None:
    """Raises what is a finding. timed: so is CPU time, beside the count of lines."""
    draw = zlib.crc32(data)
    # CPU time: how busy the machine is does not matter.
    signal.setitimer(signal.ITIMER_VIRTUAL, TIMEOUT_S)
    try:
        target.one_input(data)
        if target.grows and data and draw % GROWN_ONE_OF == 0:
            check_growth(target, data, random.Random(draw), timed=timed)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def on_timeout(*_: object) -> None:
    raise Finding(f"it takes more than {TIMEOUT_S} s")


def check_growth(
    target: Target, data: bytes, generator: random.Random, *, timed: bool = False
) -> None:
    """Raises Finding if the lines that are run grow faster than the input."""
    start = generator.randrange(len(data))
    part = data[start : start + generator.choice((1, 2, 3, 8, 30, 200))]
    short, long, longest = (
        data[:start] + part * (size // len(part)) + data[start:]
        for size in (*GROWN_BYTES, TIMED_BYTES)
    )
    before, after = (lines_of(target.one_input, each) for each in (short, long))
    growth = GROWN_BYTES[1] // GROWN_BYTES[0]
    if after > 2 * growth * before:
        raise Finding(f"{len(short)} B run {before} lines, {len(long)} B run {after}")
    if timed:
        started = time.process_time()
        target.one_input(longest)
        if (taken := time.process_time() - started) > MOST_TIMED_S:
            raise Finding(f"{len(longest)} B take {taken:.1f} s")


def lines_of(call: Callable[[bytes], None], data: bytes) -> int:
    """Return how many lines of Python it runs."""
    count = 0

    def on_event(frame: Any, event: str, argument: object) -> Any:
        nonlocal count
        count += 1
        return on_event

    before = sys.gettrace()
    sys.settrace(on_event)
    try:
        call(data)
    finally:
        sys.settrace(before)
    return count


# --- mutations ---------------------------------------------------------------------------------


def mutate(
    data: bytes, others: list[bytes], tokens: tuple[bytes, ...], generator: random.Random
) -> bytes:
    """A small random change."""
    value = bytearray(data)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(value) + 1)
        kind = generator.randrange(8)
        if kind == 0 and value:
            value[at % len(value)] ^= 1 << generator.randrange(8)
        elif kind == 1 and value:
            value[at % len(value)] = generator.choice(
                b"\0\n\r%[]{},\xff-0e" + generator.randbytes(4)
            )
        elif kind == 2:
            del value[at : at + generator.randint(1, 8)]
        elif kind == 3:
            value[at:at] = generator.randbytes(generator.randint(1, 4))
        elif kind == 4:
            value[at:at] = value[at : at + generator.randint(1, 40)]
        elif kind <= 6 and tokens:  # put in, or over what is there
            value[at : at + generator.choice((0, 0, 1, 4))] = generator.choice(tokens)
        elif others:
            other = generator.choice(others)
            start = generator.randrange(len(other) + 1)
            value[at:at] = other[start : start + generator.randint(1, 200)]
    return bytes(value[:4096])


# --- drivers -----------------------------------------------------------------------------------


def read_corpus(paths: list[str]) -> list[bytes]:
    files = [
        file for path in map(Path, paths) for file in (path.glob("*") if path.is_dir() else [path])
    ]
    return [file.read_bytes() for file in sorted(files)]


def run_mutations(name: str, target: Target, arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("corpus", nargs="*")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGVTALRM, on_timeout)
    corpus = [*read_corpus(options.corpus), *target.seeds().values()]
    generator = random.Random(options.seed)
    started = time.process_time()
    for number in range(len(corpus) + options.mutations):
        if number < len(corpus):
            data = corpus[number]
        else:
            data = mutate(generator.choice(corpus), corpus, target.tokens, generator)
        try:
            examine(target, data)
        except BaseException:
            print(f"input: {data!r}", file=sys.stderr)
            raise
    rate = (len(corpus) + options.mutations) / (time.process_time() - started)
    print(
        f"{name}: {len(corpus)} files and {options.mutations} mutations, {rate:,.0f} a second: "
        "nothing found"
    )


def run_atheris(name: str, arguments: list[str]) -> None:
    import atheris

    # Tracing costs most of the time: only what is ours is traced, and where it goes, not what it
    # compares, which would take as long again. There is no public switch for that.
    hook = atheris.instrument_imports(include=["mcugen"])
    hook._trace_dataflow = False
    with hook:
        target = load(name)
    signal.signal(signal.SIGVTALRM, on_timeout)
    seeds = list(target.seeds().values())

    def custom_mutator(data: bytes, most_bytes: int, seed: int) -> bytes:
        if seed % 4 == 0:
            return bytes(atheris.Mutate(data, most_bytes))
        return mutate(data, seeds, target.tokens, random.Random(seed))[:most_bytes]

    atheris.Setup(
        # To merge, libFuzzer gives its own name and options to a shell.
        [shlex.join((sys.executable, sys.argv[0], name)), *arguments],
        lambda data: examine(target, data, timed=True),
        custom_mutator=custom_mutator,
    )
    atheris.Fuzz()


def main() -> None:
    name, *arguments = sys.argv[1:]
    if arguments[:1] == ["--seeds"]:
        folder = Path(arguments[1])
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in load(name).seeds().items():
            (folder / file).write_bytes(data)
    elif "--mutations" in arguments:
        run_mutations(name, load(name), arguments)
    else:
        run_atheris(name, arguments)


if __name__ == "__main__":
    # The targets import this module by its name: it is to be there once.
    sys.modules["fuzz_host"] = sys.modules["__main__"]
    main()
