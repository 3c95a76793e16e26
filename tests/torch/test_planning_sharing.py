# SPDX-License-Identifier: BSD-3-Clause
"""Values that are one tensor at different times: what is moved to one place, and what is not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from executorch.exir.scalar_type import ScalarType
from mlperf_tiny_vectors import golden_pte
from test_planning import outputs
from test_planning_passes import Net

from mcugen.boards.spec import Isa
from mcugen.program.planning.arrange import Passes, arrange
from mcugen.program.planning.gathering import gather
from mcugen.program.planning.lifetimes import find_blocks
from mcugen.program.planning.overlapping import Overlap
from mcugen.program.planning.sharing import part_values, share_values
from mcugen.program.read import read_pte
from mcugen.program.values import kernel_calls

RELU = "aten::relu.out"


def chain(*names: str, **given: dict[str, object]) -> Net:
    """Each tensor from the one before it, of 64 bytes as a rule."""
    net = Net(names[0], names[-1])
    for name in names:
        net.tensor(name, *given.get(name, {}).pop("sizes", (1, 64)), **given.get(name, {}))
    for source, target in pairwise(names):
        net.call(RELU, source, target)
    return net


def used(net: Net, plan: object) -> list[str]:
    """The names of the tensors that calls write."""
    names = {index: name for name, index in net.names.items()}
    return [names[call.args[-1]] for call in kernel_calls(plan)]


def test_equal_tensors_at_one_place_are_one_value():
    net = chain("x", "a", "b", "c", "d", "y", a={"at": 512}, c={"at": 512}, d={"at": 1024})
    plan = net.plan()

    share_values(plan)

    assert used(net, plan) == ["a", "b", "a", "d", "y"]
    assert [call.args[0] for call in kernel_calls(plan)][2:] == [
        net.names[name] for name in ("b", "a", "d")
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"at": 576}, id="another place"),
        pytest.param({"at": 512, "sizes": (64, 1)}, id="another shape"),
        pytest.param({"at": 512, "order": (1, 0)}, id="another order"),
        pytest.param({"at": 512, "dtype": ScalarType.BYTE}, id="another type"),
    ],
)
def test_what_differs_stays_its_own(other):
    net = chain("x", "a", "b", "c", "y", a={"at": 512}, c=other)
    plan = net.plan()

    share_values(plan)

    assert used(net, plan) == ["a", "b", "c", "y"]


def test_inputs_and_outputs_stay_their_own():
    net = chain("x", "a", "b", "y", x={"at": 0}, a={"at": 512}, b={"at": 0}, y={"at": 512})
    plan = net.plan()

    share_values(plan)

    assert used(net, plan) == ["a", "b", "y"]


def test_parted_values_live_as_long_as_before():
    """So that a plan of ours can be planned again."""
    net = chain("x", "a", "b", "c", "y", a={"at": 512}, c={"at": 512})
    plan = net.plan()
    lives = sorted((b.first, b.last) for b in find_blocks(plan))
    share_values(plan)
    assert sorted((b.first, b.last) for b in find_blocks(plan)) != lives

    part_values(plan)

    assert sorted((b.first, b.last) for b in find_blocks(plan)) == lives


def places(net: Net, plan: object) -> dict[str, int]:
    return {
        name: plan.values[index].val.allocation_info.memory_offset
        for name, index in net.names.items()
    }


def gathered(net: Net, total: int, **more) -> dict[str, int]:
    plan = net.plan()
    gather(plan, find_blocks(plan), total, more.get("fixed", ()), more.get("overlaps", ()))
    return places(net, plan)


def test_tensors_take_turns_at_two_places():
    """As the exporter might put them: each behind the one before."""
    net = chain("x", "a", "b", "c", "d", "e", "y", y={"sizes": (1, 32)})

    found = gathered(net, 512)

    assert found["a"] == found["c"] == found["e"] != found["b"] == found["d"]


def test_what_stays_is_not_moved():
    net = chain("x", "a", "b", "c", "d", "y")
    before = places(net, net.plan())

    found = gathered(net, 512, fixed=(0, 1, 2, 3, 4))

    assert found == before


def test_moved_tensors_keep_to_their_leave():
    """b may lie over a from 32 bytes before it on; there is no room to lie apart."""
    net = chain("x", "a", "b", "y", x={"at": 64}, a={"at": 32}, b={"at": 0}, y={"at": 64})
    blocks = find_blocks(net.plan())
    a, b = (
        next(i for i, block in enumerate(blocks) if net.names[name] in block.members)
        for name in ("a", "b")
    )

    found = gathered(net, 128, overlaps=[Overlap(1, b, a, 32, 16)])

    assert found["b"] + 32 <= found["a"] or found["b"] >= found["a"] + 64
    assert max(found.values()) <= 64


@pytest.mark.parametrize("isa", [Isa.DSP, Isa.SCALAR])
def test_ad_widens_its_inputs_in_their_own_place(isa):
    """640 inputs, 1,280 B of 16 bits, and 128 results; five tensors and three of scratch."""
    before = read_pte(golden_pte("ad", "int8", "m4"), name="ad")

    after = arrange(before, Passes(isa))

    assert outputs(after) == outputs(before)
    assert after.planned_buffers == (1280 + 128,)
    assert after.method_bytes <= 1024
