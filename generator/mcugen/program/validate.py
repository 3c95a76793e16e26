# SPDX-License-Identifier: BSD-3-Clause
"""Whether a program's indices, tensors and data hold together: what `load_method` would refuse.

A generated project leaves that out (`MCUGEN_CHECK_PROGRAM` in firmware/runtime/platform/config.h):
its one program has passed here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mcugen.base.errors import PteError
from mcugen.program.artifact import DTYPES
from mcugen.program.values import list_items, tensor_bytes, used_values

#: What kinds of values a list may have.
_LISTED = {
    "IntList": ("Int",),
    "TensorList": ("Tensor",),
    "OptionalTensorList": ("Tensor", "Null"),
}
_MOST_AXES = 16  # kTensorDimensionLimit
_MOST_BYTES = (1 << 31) - 1


def check_supported(file: Any, name: str) -> None:
    """Refuse what the runtime does not run, in words."""
    delegates = sorted({d.id for plan in file.program.execution_plan for d in plan.delegates})
    if delegates:
        raise PteError(
            f"{name}: parts of it are delegated to {', '.join(delegates)}; "
            "the firmware runs no delegates",
            hint="Export it for the Cortex-M backend, without a partitioner.",
        )
    if file.named_data is not None and file.named_data.pte_data:
        raise PteError(f"{name}: carries named data: not supported")


def check_plan(plan: Any, file: Any, name: str) -> None:
    """Check every index of one method, and that each tensor lies inside its memory."""
    where = f"{name}: damaged: method '{plan.name}'"
    count = len(plan.values)
    if len(plan.chains) != 1:
        raise PteError(f"{name}: method '{plan.name}' has {len(plan.chains)} chains, expected 1")
    for index in (*plan.inputs, *plan.outputs):
        if not 0 <= index < count:
            raise PteError(f"{where} has input or output value {index} of {count}")
    for index, value in enumerate(plan.values):
        for item in list_items(value.val):
            if not 0 <= item < count:
                raise PteError(f"{where}: value {index} lists value {item} of {count}")
            kind, listed = type(value.val).__name__, type(plan.values[item].val).__name__
            if listed not in _LISTED.get(kind, (listed,)):
                raise PteError(f"{where}: value {index} is a {kind} with a {listed}")
        if type(value.val).__name__ == "Tensor":
            _check_tensor(value.val, plan, file, f"value {index}", name)
    instructions = plan.chains[0].instructions
    for position, instruction in enumerate(instructions):
        what = f"{where}: instruction {position}"
        arguments = instruction.instr_args
        for index in used_values(arguments):
            if not 0 <= index < count:
                raise PteError(f"{what} uses value {index} of {count}")
        match type(arguments).__name__:
            case "KernelCall":
                if not 0 <= arguments.op_index < len(plan.operators):
                    raise PteError(f"{what} calls operator {arguments.op_index}")
            case "JumpFalseCall":
                # One behind the last instruction is the end.
                if not 0 <= arguments.destination_instruction <= len(instructions):
                    raise PteError(
                        f"{what} jumps to instruction {arguments.destination_instruction} "
                        f"of {len(instructions)}"
                    )
                condition = plan.values[arguments.cond_value_index].val
                if type(condition).__name__ != "Bool" and not (
                    type(condition).__name__ == "Tensor"
                    and DTYPES[int(condition.scalar_type)][0] == "bool"
                ):
                    raise PteError(f"{what} jumps on value {arguments.cond_value_index}, no bool")
            case "MoveCall":
                source, target = (type(plan.values[i].val).__name__ for i in used_values(arguments))
                if source != target:
                    raise PteError(f"{what} moves a {source} to a {target}")
            case "FreeCall":
                kind = type(plan.values[arguments.value_index].val).__name__
                if kind != "Tensor":
                    raise PteError(f"{what} frees a {kind}")
            case other:
                raise PteError(f"{name}: instruction {position} is a {other}: not supported")


def _check_tensor(tensor: Any, plan: Any, file: Any, what: str, name: str) -> None:
    where = f"{name}: damaged: {what}"
    if int(tensor.scalar_type) not in DTYPES:
        raise PteError(f"{name}: {what} has dtype {tensor.scalar_type!r}: not supported")
    if any(size < 0 for size in tensor.sizes):
        raise PteError(f"{where} has sizes {list(tensor.sizes)}")
    if sorted(tensor.dim_order) != list(range(len(tensor.sizes))):
        raise PteError(f"{where} has dimension order {list(tensor.dim_order)}")
    if len(tensor.sizes) > _MOST_AXES:
        raise PteError(f"{where} has {len(tensor.sizes)} axes")
    # Strides are products of sizes with every zero taken as one.
    item_bytes = DTYPES[int(tensor.scalar_type)][1]
    if item_bytes * math.prod(max(size, 1) for size in tensor.sizes) > _MOST_BYTES:
        raise PteError(f"{where} has sizes {list(tensor.sizes)}: too big")
    if tensor.storage_offset:
        raise PteError(f"{name}: {what} has a storage offset: not supported")
    if int(tensor.shape_dynamism) == 2:
        raise PteError(f"{name}: {what} has an unbounded dynamic shape: not supported")
    if tensor.extra_tensor_info is not None and int(tensor.extra_tensor_info.location) != 0:
        raise PteError(f"{name}: {what} has its data outside of the program: not supported")
    if tensor.extra_tensor_info is not None and int(tensor.extra_tensor_info.device_type) != 0:
        raise PteError(f"{name}: {what} is on another device: not supported")
    if tensor.allocation_info is not None:
        buffers = plan.non_const_buffer_sizes
        memory_id, offset = tensor.allocation_info.memory_id, tensor.allocation_info.memory_offset
        nbytes = tensor_bytes(tensor)
        if not 0 < memory_id < len(buffers) or offset + nbytes > buffers[memory_id]:
            raise PteError(
                f"{where} lies outside planned memory (buffer {memory_id}, byte {offset})"
            )
        if offset % min(item_bytes, 8):
            raise PteError(f"{where} is not aligned: byte {offset} of planned memory")
        _check_data(tensor, file.mutable_data or [], where, "initial state")
    else:
        _check_data(tensor, file.program.constant_buffer, where, "constant")


def _check_data(tensor: Any, buffers: Sequence[Any], where: str, kind: str) -> None:
    index, nbytes = tensor.data_buffer_idx, tensor_bytes(tensor)
    if not index:
        return
    if index >= len(buffers):
        raise PteError(f"{where} uses {kind} {index} of {len(buffers)}")
    have = len(buffers[index].storage)
    if nbytes > have:
        raise PteError(f"{where} needs {nbytes:,} B of {kind} data, the file has {have:,} B")
