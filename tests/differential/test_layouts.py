# SPDX-License-Identifier: BSD-3-Clause
"""Operators on shapes give the same elements whatever the memory order of each tensor is, which
ExecuTorch's own, wanting contiguous ones, are no reference for.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from harness import Reference, stream
from op_case import OpCase
from op_host import Again, OpHost, T, Tensors, shared_hosts

from mcugen.program import operator_table

pytestmark = [pytest.mark.torch, pytest.mark.toolchain]

CASES = 330
SEED = 11

#: By definition about memory, or about one memory order; or nothing is written.
LEFT_OUT = {
    "aten::as_strided_copy.out",
    "aten::empty.out",
    "aten::view_copy.out",
    "dim_order_ops::_clone_dim_order.out",
    "dim_order_ops::_empty_dim_order.out",
    "dim_order_ops::_to_dim_order_copy.out",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpHost]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own below that of the run.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    host = OpHost(shared_hosts(base)[0])
    yield host
    host.close()


def call(case: OpCase, order: Callable[[T], T]) -> list[Any]:
    """The arguments of the case, every tensor as `order` gives it."""
    given, outs = list(case.args), [T(np.zeros(out.shape, out.dtype)) for out in case.outs]
    arguments: list[Any] = []
    for argument in operator_table.operator(case.op).arguments:
        if not argument.written:
            value = given.pop(0)
            if isinstance(value, T):
                value = order(value)
            elif argument.type.startswith("Tensor"):
                items = tuple(each if each is None else order(each) for each in value or ())
                value = Tensors(items, optional="?" in argument.type)
            arguments.append(value)
        elif argument.type == "Tensor[]":
            arguments.append(Tensors(tuple(map(order, outs))))
        else:
            arguments.append(order(outs.pop(0)))
    return [*arguments, Again(len(arguments) - 1)]


def test_the_memory_order_does_not_matter(host: OpHost, reference: Reference) -> None:
    rng = np.random.default_rng(SEED)

    def shuffled(tensor: T) -> T:
        return T(tensor.array, tuple(int(d) for d in rng.permutation(tensor.array.ndim)))

    some = itertools.islice(stream("shape", SEED), CASES)
    cases = [case for case in some if case.op not in LEFT_OUT]
    for case, answer in reference.expect(cases):
        assert not isinstance(answer, str), f"{case.op}: {answer}"
        replies = [host.raw(case.op, call(case, order)) for order in (lambda t: t, shuffled)]
        assert [reply.error for reply in replies] == [0, 0], f"{case}: {replies[1].log}"
        for plain, other in zip(*(reply.outs for reply in replies), strict=True):
            equal_nan = plain.dtype.kind == "f"
            assert np.array_equal(plain, other, equal_nan=equal_nan), case
