# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcugen.base.cache import sha256_hex
from mcugen.base.errors import DoesNotFitError
from mcugen.boards.load import load_board
from mcugen.boards.spec import Isa
from mcugen.program.artifact import OperatorUse, PteArtifact, TensorSpec
from mcugen.program.memory import (
    ENGINE_LIMIT_BYTES,
    STACK_AT_CALL_BYTES,
    STACK_BASE_BYTES,
    STACK_FULL_BASE_BYTES,
    STACK_INTERRUPT_BYTES,
    STACK_MARGIN_BYTES,
    STATIC_RAM_LIMIT_BYTES,
    io_bytes,
    plan_memory,
    stack_bytes,
)
from mcugen.program.operator_table import OPERATOR_STACK_BYTES, operator
from mcugen.project.upstream.memory import STACK_BYTES, with_room

TESTS = Path(__file__).parents[2]


def tensor(nbytes: int, *, planned: bool = True, dtype: str = "int8") -> TensorSpec:
    return TensorSpec("t", (1, nbytes), (0, 1), dtype, None, None, planned)


def artifact(**changes) -> PteArtifact:
    values = dict(
        pte=bytes(1000),
        name="net",
        sha256="",
        source_sha256="",
        method_name="forward",
        inputs=(tensor(100),),
        outputs=(tensor(10),),
        operators=(),
        planned_buffers=(3000,),
        method_bytes=2001,
        temp_bytes=5,
        macs=0,
        isa=None,
        io="int8",
        executorch_version="",
        stripped_bytes=0,
        softmax_output=False,
        profile_model="net",
    )
    return PteArtifact(**{**values, **changes})


def test_each_role_gets_its_bytes_rounded_up_to_16():
    plan = plan_memory(artifact(), load_board("nucleo"))

    assert plan.planned_bytes == (3008,)
    assert plan.method_bytes == 2016
    assert plan.temp_bytes == 16
    assert plan.io_bytes == 112
    assert plan.stack_bytes == stack_bytes(())
    assert plan.model_bytes == 1000
    roles = dict(pair for use in plan.regions for pair in use.role_bytes)
    assert roles == {
        "code": ENGINE_LIMIT_BYTES,
        "model": 1008,
        "data": STATIC_RAM_LIMIT_BYTES,
        "stack": stack_bytes(()),
        "planned": 3008,
        "method": 2016,
        "temp": 16,
        "io": 112,
    }


def test_used_and_free_add_up_to_the_region():
    for use in plan_memory(artifact(), load_board("qemu-m55")).regions:
        assert use.used_bytes == sum(size for _, size in use.role_bytes)
        assert use.used_bytes + use.free_bytes == use.region.size_bytes


def called(*operators: str) -> tuple[OperatorUse, ...]:
    return tuple(OperatorUse(name, 1, True) for name in operators)


def test_stack_is_that_of_the_deepest_operator_or_of_loading():
    small, large = "cortex_m::quantized_linear.out", "aten::index_put.out"
    more = STACK_INTERRUPT_BYTES + STACK_MARGIN_BYTES
    board = load_board("nucleo")

    loading = plan_memory(artifact(operators=called(small)), board).stack_bytes
    deep = plan_memory(artifact(operators=called(small, large)), board).stack_bytes
    full = plan_memory(artifact(operators=called(small), full_runtime=True), board).stack_bytes

    assert 0 <= loading - (STACK_BASE_BYTES + more) < 64
    assert 0 <= full - (STACK_FULL_BASE_BYTES + more) < 64
    assert 0 <= deep - (STACK_AT_CALL_BYTES + operator(large).stack_bytes + more) < 64
    assert loading % 64 == deep % 64 == full % 64 == 0
    assert loading < full < deep
    # An operator whose entry says nothing does not raise the need.
    assert STACK_AT_CALL_BYTES + OPERATOR_STACK_BYTES <= STACK_BASE_BYTES


def test_stack_is_never_less_than_another_runtime_is_given():
    board = load_board("nucleo")
    pte = (TESTS / "golden/mlperf_tiny/ad_cm_q_m4.pte").read_bytes()
    own = artifact(
        pte=pte, sha256=sha256_hex(pte), operators=called("cortex_m::quantized_linear.out")
    )
    upstream = with_room(own)

    assert plan_memory(upstream, board).stack_bytes == STACK_BYTES
    # It keeps a pointer for each argument of each call; ours has room for those of one call.
    assert upstream.method_bytes > own.method_bytes * 5 // 4 + 512
    # As when the last build is taken up again.
    again = PteArtifact.from_json(
        upstream.to_json() | {"sha256": sha256_hex(upstream.pte)}, upstream.pte
    )
    assert plan_memory(again, board).stack_bytes == STACK_BYTES


def test_staging_holds_inputs_and_outputs_the_plan_leaves_out():
    """Inputs are always staged; a planned output is read where it lies."""
    one = artifact(inputs=(tensor(1), tensor(17)), outputs=(tensor(40),))
    two = artifact(inputs=(tensor(1), tensor(17)), outputs=(tensor(40, planned=False),))

    assert io_bytes(one) == 16 + 32
    assert io_bytes(two) == 16 + 32 + 48


def test_no_ram_says_need_have_and_who_uses_the_rest():
    board = load_board("nucleo")
    sram = board.region_for("planned")

    with pytest.raises(DoesNotFitError) as caught:
        plan_memory(artifact(planned_buffers=(sram.size_bytes + 16,)), board)

    assert caught.value.exit_code == 4
    assert f"planned memory needs {sram.size_bytes + 16:,} B" in caught.value.message
    assert f"region '{sram.name}' of {board.id} has {sram.size_bytes:,} B" in caught.value.message
    assert f"the stack {stack_bytes(()):,}" in caught.value.message
    assert "--board qemu-m4" in caught.value.hint


def test_no_flash_names_the_model():
    board = load_board("nucleo")

    with pytest.raises(DoesNotFitError, match="the model needs") as caught:
        plan_memory(artifact(pte=bytes(board.region_for("model").size_bytes)), board)

    assert "B too much" in caught.value.message


def test_advises_int8_only_where_inputs_are_float():
    big = dict(planned_buffers=(10**9,))
    for io, advised in (("float", True), ("int8", False), (None, False)):
        with pytest.raises(DoesNotFitError) as caught:
            plan_memory(artifact(io=io, isa=Isa.DSP, **big), load_board("nucleo"))
        assert ("--io int8" in caught.value.hint) == advised


def test_a_pte_that_has_float_inputs_is_to_be_exported_again():
    """No option of ours changes what a file that was given to us takes."""
    with pytest.raises(DoesNotFitError) as caught:
        plan_memory(artifact(io="float", planned_buffers=(10**9,)), load_board("nucleo"))

    assert "exporting with int8 inputs and outputs" in caught.value.hint
    assert "--io" not in caught.value.hint


def test_exactly_full_fits():
    board = load_board("nucleo")
    sram = board.region_for("planned")
    spare = next(
        use for use in plan_memory(artifact(), board).regions if use.region == sram
    ).free_bytes

    full = dataclasses.replace(artifact(), planned_buffers=(3008 + spare,))

    assert min(use.free_bytes for use in plan_memory(full, board).regions) == 0
    with pytest.raises(DoesNotFitError):
        plan_memory(dataclasses.replace(full, planned_buffers=(3009 + spare,)), board)
