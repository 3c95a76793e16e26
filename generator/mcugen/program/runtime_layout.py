# SPDX-License-Identifier: BSD-3-Clause
"""How much of the method allocator loading a method takes, to the byte.

The other half of `firmware/runtime/executor/method_layout.{h,cpp}`: one block of arrays, in that
order. Sizes are those of 32-bit Arm, which the C++ side asserts.
"""

from __future__ import annotations

from typing import Any

from mcugen.base.errors import PteError

_EVALUE = 16
_INT64 = 8
_TENSOR_IMPL = 32
_BOXED_LIST = 12  # BoxedEvalueList<T>: two pointers and a length.
_ARRAY_REF = 8
_OPTIONAL_TENSOR = 8
_TENSOR = 4
_CHAIN = 12
_INSTRUCTION = 8
_POINTER = 4
_WORD = 4


def method_allocator_bytes(program: Any, method_name: str = "forward") -> int:
    """Return the bytes that `Program::load_method(method_name, …)` allocates.

    program: an `executorch.exir.schema.Program`, as the wheel's deserializer gives it.
    Holds for a pool that starts 8-byte aligned and has not been allocated from before, and a
    MemoryManager with a temp allocator. Raises PteError if there is no such method.
    """
    plan = next((p for p in program.execution_plan if p.name == method_name), None)
    if plan is None:
        names = ", ".join(p.name for p in program.execution_plan)
        raise PteError(f"the program has no method {method_name!r}", hint=f"It has: {names}")
    instructions = [each for chain in plan.chains for each in chain.instructions]
    return (
        sum(_value_bytes(value.val) for value in plan.values)
        + _CHAIN * len(plan.chains)
        + _INSTRUCTION * len(instructions)
        + _POINTER * max(map(_arguments, instructions), default=0)
    )


def _value_bytes(value: Any) -> int:
    # By name: importing executorch.exir.schema would import torch.
    kind = type(value).__name__
    if kind == "Tensor":
        rank = len(value.sizes)
        static = int(value.shape_dynamism) == 0
        # A static tensor's sizes stay in the program, and vectors share one stride.
        words = (rank if rank >= 2 else 0) if static else 2 * rank
        return _EVALUE + _TENSOR_IMPL + _WORD * words
    if kind == "IntList":
        return _EVALUE + _BOXED_LIST + len(value.items) * (_POINTER + _INT64)
    if kind == "TensorList":
        return _EVALUE + _BOXED_LIST + len(value.items) * (_POINTER + _TENSOR)
    if kind == "OptionalTensorList":
        return _EVALUE + _BOXED_LIST + len(value.items) * (_POINTER + _OPTIONAL_TENSOR)
    if kind in ("String", "DoubleList", "BoolList"):
        return _EVALUE + _ARRAY_REF
    return _EVALUE


def _arguments(instruction: Any) -> int:
    call = instruction.instr_args
    return len(call.args) if type(call).__name__ == "KernelCall" else 0
