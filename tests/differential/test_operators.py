# SPDX-License-Identifier: BSD-3-Clause
"""Single operator calls: our bytes on the host against the reference, and on every CPU against
those of the host.

    pytest tests/differential/test_operators.py --cases 100000 --seed 7
    pytest tests/differential/test_operators.py --case shape:7:1234     # that one alone

The reference is the wheel's host runtime, for `cortex_m::*` its Python reference operators. Each
stream of cases states its tolerance and why; integers have none. Bytes on a CPU must be exactly
those of the host, but for the bits of a NaN.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from case_counts import cases_of, chosen
from harness import FAMILIES, HostProgram, OnDevice, Reference, difference, same_bits, stream
from op_case import OpCase

pytestmark = [pytest.mark.torch, pytest.mark.toolchain, pytest.mark.qemu]

CHUNK = 120  #: cases per test
BATCH = 40  #: cases per program


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one = metafunc.config.getoption("--case")
    total = metafunc.config.getoption("--cases")
    chunks: list[tuple[str, int, int, int]] = []
    if one is not None:
        family, seed, index = one.split(":")
        chunks.append((family, int(seed), int(index), int(index) + 1))
    else:
        seed = metafunc.config.getoption("--seed")
        for family in FAMILIES:
            count = cases_of(family, total)
            for start in range(0, count, CHUNK):
                chunks.append((family, seed, start, min(start + CHUNK, count)))
    # Two groups: as many sets of simulated machines as a small computer has cores.
    metafunc.parametrize(
        "chunk",
        [
            pytest.param(
                chunk,
                id=f"{chunk[0]}-seed{chunk[1]}-{chunk[2]}",
                marks=pytest.mark.xdist_group(f"differential-{number % 2}"),
            )
            for number, chunk in enumerate(chunks)
        ],
    )


class Failures:
    """Collects what went wrong, by where it ran."""

    def __init__(self, family: str, seed: int) -> None:
        self._prefix = f"{family}:{seed}"
        self._texts: list[str] = []
        self.failed: Counter[str] = Counter()

    def add(self, where: str, index: int, case: OpCase, text: str) -> None:
        self.failed[where] += 1
        self._texts.append(
            f"{where}: {case.op}: {text.strip()}\n"
            f"  rerun: pytest tests/differential/test_operators.py --case {self._prefix}:{index}\n"
            f"  {' '.join(repr(case).split())[:700]}"
        )

    def __str__(self) -> str:
        more = f"\n… and {len(self._texts) - 12} more" if len(self._texts) > 12 else ""
        return "\n".join([f"{len(self._texts)} failures", *self._texts[:12]]) + more


def test_operators(
    request: pytest.FixtureRequest,
    chunk: tuple[str, int, int, int],
    reference: Reference,
    our_host: HostProgram,
    devices: dict[str, OnDevice],
    count: Callable[[str, str, int, int], None],
) -> None:
    family, seed, start, end = chunk
    if request.config.getoption("--case") is not None:
        drawn = [(start, next(itertools.islice(stream(family, seed), start, end)))]
    else:
        drawn = list(chosen(family, seed, request.config.getoption("--cases")))[start:end]
    failures = Failures(family, seed)

    expected = reference.expect([case for _, case in drawn])
    numbered = []  # (index in the stream, case, expected results)
    for (index, _), (case, answer) in zip(drawn, expected, strict=True):
        if isinstance(answer, str):
            failures.add("reference", index, case, answer)
        else:
            numbered.append((index, case, answer))
    for at in range(0, len(numbered), BATCH):
        _batch(numbered[at : at + BATCH], reference, our_host, devices, failures)

    lost = failures.failed["reference"]
    for where in ("host", *devices):
        failed = failures.failed[where] + lost
        if where != "host":  # what fails on the host is not tried on a device
            failed += failures.failed["host"]
        count("single-operator cases", where, len(drawn) - failed, failed)
    assert not failures.failed, str(failures)


def _batch(
    numbered: Sequence[tuple[int, OpCase, list[bytes]]],
    reference: Reference,
    our_host: HostProgram,
    devices: dict[str, OnDevice],
    failures: Failures,
) -> None:
    """Run the cases in one program; alone those with which it fails."""
    batch = reference.ask("build", [case for _, case, _ in numbered])
    ran = our_host(batch.pte)
    if ran.error:
        if len(numbered) == 1:
            index, case, _ = numbered[0]
            failures.add("host", index, case, ran.error)
            return
        half = len(numbered) // 2
        for part in (numbered[:half], numbered[half:]):
            _batch(part, reference, our_host, devices, failures)
        return
    on_host = batch.split(ran.output)
    for (index, case, answer), got, slots in zip(numbered, on_host, batch.slots, strict=True):
        texts = [
            difference(slot.dtype, each, right, case.ulp, case.atol)
            for slot, each, right in zip(slots, got, answer, strict=True)
        ]
        for number, text in enumerate(texts):
            if text:
                failures.add("host", index, case, f"output {number}: {text}")
                break
    for where, device in devices.items():
        ran = device(batch.pte)
        if ran.error:
            for index, case, _ in numbered:
                failures.add(where, index, case, ran.error)
            continue
        for (index, case, _), got, right, slots in zip(
            numbered, batch.split(ran.output), on_host, batch.slots, strict=True
        ):
            if not all(
                same_bits(slot.dtype, a, b) for slot, a, b in zip(slots, got, right, strict=True)
            ):
                failures.add(where, index, case, "other bytes than on the host")
