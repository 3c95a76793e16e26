# SPDX-License-Identifier: BSD-3-Clause
"""Small programs that use every part of the runtime, written by hand in the exporter's schema.

    python tests/runtime/programs.py DIR      # writes <name>.pte

The operators are those of kernels.h: `test::add.out(a, b, out)` and so on. Value indices are named
as they are made.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from executorch.exir import schema as s
from executorch.exir._serialize._flatbuffer_program import _program_to_flatbuffer
from executorch.exir._serialize._program import PTEFile, serialize_pte_binary
from executorch.exir.scalar_type import ScalarType


class Plan:
    """Collects the values, operators and instructions of one method."""

    def __init__(self, name: str, planned: list[int]) -> None:
        self.name = name
        self.planned = planned
        self.values: list[s.EValue] = []
        self.operators: list[s.Operator] = []
        self.instructions: list[s.Instruction] = []
        self.delegates: list[s.BackendDelegate] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def value(self, val: object) -> int:
        self.values.append(s.EValue(val=val))
        return len(self.values) - 1

    def tensor(
        self,
        sizes: list[int],
        *,
        dtype: ScalarType = ScalarType.FLOAT,
        constant: int = 0,
        at: tuple[int, int] | None = None,
        name: str | None = None,
        dynamic: int = 0,
        dim_order: list[int] | None = None,
        **extra: object,
    ) -> int:
        allocation = None if at is None else s.AllocationDetails(at[0], at[1], 0)
        info = None
        if name is not None or extra:
            info = s.ExtraTensorInfo(fully_qualified_name=name, **extra)
        return self.value(
            s.Tensor(
                scalar_type=dtype,
                storage_offset=0,
                sizes=sizes,
                dim_order=list(range(len(sizes))) if dim_order is None else dim_order,
                requires_grad=False,
                layout=0,
                data_buffer_idx=constant,
                allocation_info=allocation,
                shape_dynamism=s.TensorShapeDynamism(dynamic),
                extra_tensor_info=info,
            )
        )

    def call(self, name: str, *args: int, overload: str = "out") -> None:
        operator = s.Operator(name, overload)
        if operator not in self.operators:
            self.operators.append(operator)
        index = self.operators.index(operator)
        self.instructions.append(s.Instruction(s.KernelCall(index, list(args))))

    def build(self) -> s.ExecutionPlan:
        return s.ExecutionPlan(
            name=self.name,
            container_meta_type=s.ContainerMetadata("in", "out"),
            values=self.values,
            inputs=self.inputs,
            outputs=self.outputs,
            chains=[s.Chain([], [], self.instructions, None)],
            operators=self.operators,
            delegates=self.delegates,
            non_const_buffer_sizes=[0, *self.planned],
        )


def program(plans: list[Plan], constants: list[bytes]) -> s.Program:
    return s.Program(
        version=0,
        execution_plan=[plan.build() for plan in plans],
        constant_buffer=[s.Buffer(b""), *map(s.Buffer, constants)],
        backend_delegate_data=[],
        segments=[],
        constant_segment=s.SubsegmentOffsets(0, []),
        mutable_data_segments=None,
        named_data=None,
    )


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def add_plan(name: str = "forward") -> Plan:
    """out = (x + [1..6]) + x; x and out are the caller's, the sum is planned."""
    plan = Plan(name, [64])
    x = plan.tensor([2, 3])
    c = plan.tensor([2, 3], constant=1)
    t = plan.tensor([2, 3], at=(1, 16))
    out = plan.tensor([2, 3])
    plan.inputs, plan.outputs = [x], [out]
    plan.call("test::add", x, c, t, t)
    plan.call("test::add", t, x, out, out)
    return plan


def lists_plan() -> Plan:
    """Every kind of value goes through one kernel, which adds all of it up into out[0]."""
    plan = Plan("lists", [32, 32])
    x = plan.tensor([2], at=(1, 0))
    y = plan.tensor([2], constant=2)
    out = plan.tensor([1], at=(2, 16))
    seven = plan.value(s.Int(7))
    eight = plan.value(s.Int(8))
    half = plan.value(s.Double(0.5))
    yes = plan.value(s.Bool(True))
    text = plan.value(s.String("four"))
    none = plan.value(s.Null())
    ints = plan.value(s.IntList([seven, eight, seven]))
    doubles = plan.value(s.DoubleList([0.25, 0.125]))
    bools = plan.value(s.BoolList([True, False, True]))
    tensors = plan.value(s.TensorList([x, y]))
    optionals = plan.value(s.OptionalTensorList([none, -1, y]))
    empty = plan.value(s.IntList([]))
    plan.inputs, plan.outputs = [x, seven, half, yes, text, none], [out, seven]
    plan.call(
        "test::sum",
        seven,
        half,
        yes,
        text,
        none,
        ints,
        doubles,
        bools,
        tensors,
        optionals,
        empty,
        out,
        out,
    )
    return plan


def control_plan() -> Plan:
    """y = cond ? x + c : x, written as the emitter writes torch.cond."""
    plan = Plan("control", [64])
    cond = plan.tensor([], dtype=ScalarType.BOOL, at=(1, 0))
    x = plan.tensor([2], at=(1, 16))
    c = plan.tensor([2], constant=2)
    added = plan.tensor([2], at=(1, 32))
    y = plan.tensor([2])  # A placeholder: a move gives it its memory.
    out = plan.tensor([2], at=(1, 48))
    never = plan.value(s.Bool(False))
    plan.inputs, plan.outputs = [cond, x], [out]
    plan.instructions = [s.Instruction(s.JumpFalseCall(cond, 4))]
    plan.call("test::add", x, c, added, added)
    plan.instructions += [
        s.Instruction(s.MoveCall(added, y)),
        s.Instruction(s.JumpFalseCall(never, 5)),
        s.Instruction(s.MoveCall(x, y)),
    ]
    plan.call("test::copy", y, out, out)
    plan.instructions.append(s.Instruction(s.FreeCall(added)))
    return plan


def loop_plan() -> Plan:
    """An instruction that jumps to itself for as long as the input is false."""
    plan = Plan("loop", [64])
    cond = plan.tensor([], dtype=ScalarType.BOOL, at=(1, 0))
    plan.inputs, plan.outputs = [cond], [cond]
    plan.instructions = [s.Instruction(s.JumpFalseCall(cond, 0))]
    return plan


def state_plan() -> Plan:
    """counter += 1; out = counter. The counter starts at 41 and is an attribute."""
    plan = Plan("state", [64])
    counter = plan.tensor([1], constant=1, at=(1, 0), name="counter")
    one = plan.tensor([1], constant=3)
    out = plan.tensor([1], at=(1, 16))
    plan.outputs = [out]
    plan.call("test::add", counter, one, counter, counter)
    plan.call("test::copy", counter, out, out)
    return plan


def dynamic_plan() -> Plan:
    """out = x, of up to 4 x 3 elements."""
    plan = Plan("dynamic", [128])
    x = plan.tensor([4, 3], at=(1, 0), dynamic=1)
    out = plan.tensor([4, 3], at=(1, 64), dynamic=1)
    plan.inputs, plan.outputs = [x], [out]
    plan.call("test::copy", x, out, out)
    return plan


def list_moves_plan() -> Plan:
    """out = sum of (cond ? [x, c] : [x]); a move gives the list that is summed its tensors."""
    plan = Plan("list_moves", [64])
    cond = plan.tensor([], dtype=ScalarType.BOOL, at=(1, 0))
    x = plan.tensor([2], at=(1, 16))
    c = plan.tensor([2], constant=2)
    both = plan.value(s.TensorList([x, c]))
    one = plan.value(s.TensorList([x]))
    chosen = plan.value(s.TensorList([]))
    optionals = plan.value(s.OptionalTensorList([-1, c]))
    moved = plan.value(s.OptionalTensorList([]))
    never = plan.value(s.Bool(False))
    out = plan.tensor([2], at=(1, 32))
    plan.inputs, plan.outputs = [cond, x], [out]
    plan.instructions = [
        s.Instruction(s.JumpFalseCall(cond, 3)),
        s.Instruction(s.MoveCall(both, chosen)),
        s.Instruction(s.JumpFalseCall(never, 4)),
        s.Instruction(s.MoveCall(one, chosen)),
        s.Instruction(s.MoveCall(optionals, moved)),
    ]
    # A number may be moved to and computed: loops do that with what they carry.
    one_more, sum_of_both = plan.value(s.Int(1)), plan.value(s.Int(2))
    plan.instructions.append(s.Instruction(s.MoveCall(one_more, sum_of_both)))
    plan.call("executorch_prim::add", one_more, sum_of_both, sum_of_both, overload="Scalar")
    plan.outputs.append(sum_of_both)
    plan.call("test::total", chosen, out, out)
    return plan


def list_inputs_plan() -> Plan:
    """out = sum of a list of a planned and an unplanned input, beside lists of other types."""
    plan = Plan("list_inputs", [64])
    planned = plan.tensor([2], at=(1, 0))
    unplanned = plan.tensor([2])
    tensors = plan.value(s.TensorList([planned, unplanned]))
    seven = plan.value(s.Int(7))
    ints = plan.value(s.IntList([seven, seven]))
    doubles = plan.value(s.DoubleList([0.25, float("nan")]))
    bools = plan.value(s.BoolList([True, False]))
    optionals = plan.value(s.OptionalTensorList([planned]))
    out = plan.tensor([2], at=(1, 16))
    plan.inputs = [tensors, ints, doubles, bools, optionals]
    plan.outputs = [out]
    plan.call("test::total", tensors, out, out)
    return plan


def views_plan() -> Plan:
    """out = x as 3 x 2; neither x nor the view of it are planned."""
    plan = Plan("views", [64])
    x = plan.tensor([6], dynamic=1)
    three, two = plan.value(s.Int(3)), plan.value(s.Int(2))
    shape = plan.value(s.IntList([three, two]))
    view = plan.tensor([6, 6], dynamic=1)
    out = plan.tensor([3, 2], at=(1, 0))
    plan.inputs, plan.outputs = [x], [out]
    plan.call("executorch_prim::et_view", x, shape, view, overload="default")
    plan.call("test::copy", view, out, out)
    return plan


def result_types_plan() -> Plan:
    """The sum of two numbers overwrites a bool that a jump depends on."""
    plan = Plan("result_types", [])
    number, condition = plan.value(s.Int(0x1234)), plan.value(s.Bool(False))
    plan.outputs = [number]
    plan.call("executorch_prim::add", number, number, condition, overload="Scalar")
    plan.instructions.append(s.Instruction(s.JumpFalseCall(condition, 0)))
    return plan


def in_place_plan() -> Plan:
    """first, second = x; x += first."""
    plan = Plan("in_place", [64])
    x = plan.tensor([2], at=(1, 0))
    first = plan.tensor([2], at=(1, 16))
    second = plan.tensor([2], at=(1, 32))
    both = plan.value(s.TensorList([first, second]))
    plan.inputs, plan.outputs = [x], [x, second]
    plan.call("test::twice", x, first, second, both)
    plan.call("test::add_", x, first, x)
    return plan


def one_tensor(**arguments: object) -> bytes:
    """A method that only has one tensor, with the fault that the arguments put into it."""
    plan = Plan("forward", [64])
    sizes = arguments.pop("sizes", [4])
    storage_offset = arguments.pop("storage_offset", 0)
    index = plan.tensor(sizes, **arguments)  # type: ignore[arg-type]
    plan.values[index].val.storage_offset = storage_offset
    plan.outputs = [index]
    return inline(program([plan], [floats(1, 2, 3, 4)]))


def edited(edit: object) -> bytes:
    """add_plan() after `edit(plan)`."""
    plan = add_plan()
    edit(plan)  # type: ignore[operator]
    return inline(program([plan], CONSTANTS))


def inline(prog: s.Program) -> bytes:
    """The bare FlatBuffer, constants inside, as before segments came."""
    data = _program_to_flatbuffer(prog, constant_tensor_alignment=16, delegate_alignment=None).data
    return bytes(data)


CONSTANTS = [floats(1, 2, 3, 4, 5, 6), floats(10, 20), floats(1)]


def all_programs() -> dict[str, bytes]:
    plans = [add_plan(), lists_plan(), control_plan(), state_plan(), dynamic_plan(), loop_plan()]
    methods = program(plans, CONSTANTS)
    segmented = PTEFile(methods, mutable_data=[s.Buffer(b""), s.Buffer(floats(41))])
    huge = 2**31 - 1

    def delegate(plan: Plan) -> None:
        reference = s.BackendDelegateDataReference(s.DataLocation.INLINE, 0)
        plan.delegates = [s.BackendDelegate("EthosUBackend", reference, [])]

    def argument(index: int) -> object:
        def edit(plan: Plan) -> None:
            plan.instructions[0].instr_args.args[1] = index

        return edit

    def operator(index: int) -> object:
        def edit(plan: Plan) -> None:
            plan.instructions[0].instr_args.op_index = index

        return edit

    def instruction(args: object) -> object:
        return lambda plan: plan.instructions.append(s.Instruction(args))

    def value(val: object) -> object:
        return lambda plan: plan.value(val)

    def call(*names_and_args: object) -> object:
        return lambda plan: plan.call(*names_and_args)

    # Values of add_plan(): 0 is x, 1 the constant, 2 planned, 3 out.
    def moved(plan: Plan) -> None:
        plan.instructions.append(s.Instruction(s.MoveCall(1, 2)))

    def view(plan: Plan, source: int, out: int) -> None:
        six = plan.value(s.Int(6))
        shape = plan.value(s.IntList([six]))
        plan.call("executorch_prim::et_view", source, shape, out, overload="default")

    def moved_and_viewed(plan: Plan) -> None:
        placeholder = plan.tensor([2, 3])
        plan.instructions.append(s.Instruction(s.MoveCall(2, placeholder)))
        view(plan, 1, placeholder)

    def list_out(*outs: int) -> object:
        def edit(plan: Plan) -> None:
            plan.call("test::twice", 0, *outs, plan.value(s.TensorList(list(outs))))

        return edit

    def planned_input_moved(plan: Plan) -> None:
        plan.inputs.append(2)
        plan.instructions = [s.Instruction(s.MoveCall(1, 2))]

    return {
        "methods": bytes(serialize_pte_binary(segmented)),
        "inline": inline(program([add_plan()], CONSTANTS)),
        "extended": inline(
            program(
                [
                    list_moves_plan(),
                    list_inputs_plan(),
                    views_plan(),
                    in_place_plan(),
                    result_types_plan(),
                ],
                CONSTANTS,
            )
        ),
        # One fault each; the name says which, the test which Error.
        "bad_negative_size": one_tensor(sizes=[-1]),
        "bad_numel": one_tensor(sizes=[65536, 65536]),
        "bad_strides": one_tensor(sizes=[huge, huge, 0]),
        "bad_rank": one_tensor(sizes=[1] * 17),
        "bad_dim_order": one_tensor(sizes=[2, 2], dim_order=[0, 0]),
        "bad_dim_order_length": one_tensor(sizes=[2, 2], dim_order=[0]),
        "bad_dim_order_range": one_tensor(sizes=[2, 2], dim_order=[0, 2]),
        "bad_storage_offset": one_tensor(storage_offset=1),
        "bad_unbounded": one_tensor(dynamic=2),
        "bad_constant_index": one_tensor(constant=9),
        "bad_constant_short": one_tensor(sizes=[5], constant=1),
        "bad_memory_id_0": one_tensor(at=(0, 0)),
        "bad_memory_id_2": one_tensor(at=(2, 0)),
        "bad_memory_end": one_tensor(at=(1, 52)),
        "bad_memory_wrap": one_tensor(at=(1, 0xFFFFFFF8)),
        "bad_memory_unaligned": one_tensor(at=(1, 2)),
        "bad_mutable_state": one_tensor(at=(1, 0), constant=1),
        "bad_external": one_tensor(name="w", location=s.TensorDataLocation.EXTERNAL),
        "bad_device": one_tensor(device_type=s.DeviceType.CUDA),
        "bad_delegate": edited(delegate),
        "bad_argument": edited(argument(4)),
        "bad_argument_negative": edited(argument(-1)),
        "bad_operator": edited(operator(1)),
        "bad_operator_negative": edited(operator(-1)),
        "bad_operator_name": edited(lambda plan: plan.operators.__setitem__(0, s.Operator("", ""))),
        "bad_operator_long": edited(
            lambda plan: plan.operators.__setitem__(0, s.Operator("n" * 100, "o" * 100))
        ),
        "bad_operator_unknown": edited(lambda plan: plan.call("test::unknown", 0)),
        "bad_input": edited(lambda plan: plan.inputs.append(99)),
        "bad_output": edited(lambda plan: plan.outputs.append(-5)),
        "bad_jump": edited(instruction(s.JumpFalseCall(0, 9))),
        "bad_jump_type": edited(instruction(s.JumpFalseCall(0, 1))),
        "bad_move": edited(instruction(s.MoveCall(0, 99))),
        "bad_free": edited(instruction(s.FreeCall(-1))),
        "bad_delegate_call": edited(instruction(s.DelegateCall(0, []))),
        "bad_int_list": edited(value(s.IntList([0]))),
        "bad_int_list_index": edited(value(s.IntList([1 << 40]))),
        "bad_tensor_list": edited(value(s.TensorList([4]))),
        "bad_optional_list": edited(value(s.OptionalTensorList([5]))),
        "bad_optional_list_index": edited(value(s.OptionalTensorList([-2]))),
        "bad_write_constant": edited(call("test::add", 0, 0, 1, 1)),
        "bad_write_constant_lying": edited(call("test::add", 0, 0, 1, 3)),
        "bad_write_constant_returned": edited(call("test::add", 0, 0, 3, 1)),
        "bad_write_in_place": edited(call("test::add_", 1, 0, 1)),
        "bad_write_in_place_lying": edited(call("test::add_", 1, 0, 3)),
        "bad_write_input": edited(call("test::add", 0, 0, 0, 0)),
        "bad_write_first_of_list": edited(list_out(1, 3)),
        "bad_write_last_of_list": edited(list_out(2, 1)),
        "bad_write_several_lying": edited(call("aten::native_dropout", 0, 0, 0, 1, 3, 3)),
        "bad_write_moved": edited(moved),
        "bad_write_viewed": edited(lambda plan: view(plan, 1, 2)),
        "bad_view_of_constant_out": edited(lambda plan: view(plan, 0, 1)),
        "bad_view_moved": edited(moved_and_viewed),
        "bad_input_moved": edited(planned_input_moved),
    }


def exported_buffers() -> bytes:
    """What the exporter makes of buffers that forward() changes, one of them with initial data."""
    import torch
    from executorch.exir import ExecutorchBackendConfig, to_edge
    from executorch.exir.passes.init_mutable_pass import InitializedMutableBufferPass

    class Counters(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("state", torch.tensor([41.0, 1.0]))
            self.register_buffer("fresh", torch.zeros(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.state.add_(x)
            self.fresh.add_(x)
            return self.state + self.fresh

    edge = to_edge(torch.export.export(Counters().eval(), (torch.ones(2),)))
    config = ExecutorchBackendConfig(
        emit_mutable_buffer_names=True, passes=[InitializedMutableBufferPass(["state"])]
    )
    return bytes(edge.to_executorch(config).buffer)


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in all_programs().items():
        (folder / f"{name}.pte").write_bytes(data)
    (folder / "buffers.pte").write_bytes(exported_buffers())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
