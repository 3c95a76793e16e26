# SPDX-License-Identifier: BSD-3-Clause
"""Read a `.pte`: check it, strip what no instruction uses, and describe what is left.

Nothing here imports torch until a file is really parsed: the deserializer that comes with the
executorch wheel does (2 to 3 s), so results are kept by the file's sha256.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from mcugen import cache
from mcugen.boards import Isa
from mcugen.errors import ExportError, PteError
from mcugen.quiet import quiet

#: Alignment of constants inside the file; the file itself is placed on the same boundary.
CONSTANT_ALIGNMENT = 16

_IDENTIFIER = b"ET12"
_HEADER_MAGIC = b"eh00"
_HEADER_BYTES = 32
_SCHEMA_VERSION = 0
_DEFAULT_METHOD = "forward"

#: ScalarType of the schema to (numpy name, bytes per element).
DTYPES: dict[int, tuple[str, int]] = {
    0: ("uint8", 1),
    1: ("int8", 1),
    2: ("int16", 2),
    3: ("int32", 4),
    4: ("int64", 8),
    5: ("float16", 2),
    6: ("float32", 4),
    7: ("float64", 8),
    11: ("bool", 1),
    28: ("uint32", 4),
    29: ("uint64", 8),
    27: ("uint16", 2),
}
_ITEM_BYTES = {name: size for name, size in DTYPES.values()}

#: Files whose change makes a kept result stale.
SOURCES = ("pte.py", "operators.py", "runtime_layout.py")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of the method."""

    name: str
    shape: tuple[int, ...]  #: logical, e.g. (1, 3, 32, 32) in NCHW
    dim_order: tuple[int, ...]  #: axes from outermost to innermost in memory: (0, 2, 3, 1) is NHWC
    dtype: str  #: numpy's name
    scale: float | None  #: real = scale * (q - zero_point); None when float or not recorded
    zero_point: int | None
    planned: bool  #: lives in planned memory; False: the caller provides its bytes
    #: Of an input that is a number: what the program was traced with, the only value it takes.
    fixed: float | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """The shape in memory order: (1, 32, 32, 3) for an NHWC image."""
        return tuple(self.shape[axis] for axis in self.dim_order)


@dataclass(frozen=True)
class OperatorUse:
    """One operator of the program and how often it is called."""

    name: str  #: "cortex_m::quantized_conv2d.out"
    calls: int
    int8: bool  #: False: works on float data in between, a fallback
    layers: tuple[str, ...] = ()  #: names of the model's modules, where known


@dataclass(frozen=True)
class PteArtifact:
    """A checked and stripped `.pte` and all that later stages need to know about it."""

    pte: bytes
    name: str
    sha256: str  #: of `pte`
    source_sha256: str  #: of the file before stripping
    method_name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: tuple[OperatorUse, ...]
    planned_buffers: tuple[int, ...]  #: bytes of each memory-planned buffer, from memory id 1 on
    method_bytes: int  #: what loading the method takes from the method allocator
    temp_bytes: int  #: the largest scratch any call takes from the temp allocator
    macs: int  #: multiply-accumulates per inference
    isa: Isa | None  #: None: unknown, a user's `.pte`
    io: str | None  #: "int8", "float", or None for a mixture
    executorch_version: str
    stripped_bytes: int  #: how much smaller `pte` is than the file it was made from
    softmax_output: (
        bool  #: output 0 holds a classifier's logits: softmax turns it into probabilities
    )
    profile_model: str  #: what the MLPerf Tiny command `profile%` answers: "ic01", or the name
    keeps_state: bool = False  #: an inference may depend on those before it: mutable buffers
    full_runtime: bool = False  #: needs what MCUGEN_RUNTIME_FULL adds to the firmware's runtime

    def to_json(self) -> dict[str, Any]:
        """Return everything but the bytes of the `.pte`, as JSON-able values."""
        document = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "pte"
        }
        document["inputs"] = [vars(spec) for spec in self.inputs]
        document["outputs"] = [vars(spec) for spec in self.outputs]
        document["operators"] = [vars(use) for use in self.operators]
        document["isa"] = self.isa.value if self.isa else None
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any], pte: bytes) -> PteArtifact:
        """Rebuild what `to_json` described; raises PteError if `pte` is not the one described."""
        if cache.sha256_hex(pte) != document["sha256"]:
            raise PteError(f"{document['name']}: the .pte does not match its description")
        values = dict(document)
        values["inputs"] = tuple(_spec_from_json(spec) for spec in document["inputs"])
        values["outputs"] = tuple(_spec_from_json(spec) for spec in document["outputs"])
        values["operators"] = tuple(
            OperatorUse(use["name"], use["calls"], use["int8"], tuple(use["layers"]))
            for use in document["operators"]
        )
        values["planned_buffers"] = tuple(document["planned_buffers"])
        values["isa"] = Isa(document["isa"]) if document["isa"] else None
        return cls(pte=pte, **values)


def _spec_from_json(spec: dict[str, Any]) -> TensorSpec:
    return TensorSpec(
        **{**spec, "shape": tuple(spec["shape"]), "dim_order": tuple(spec["dim_order"])}
    )


def read_pte(data: bytes, *, name: str) -> PteArtifact:
    """Return the checked, stripped and described form of a `.pte`.

    Args:
        data: the file's bytes.
        name: what to call the model.

    Raises PteError, naming the cause, for a file that is not a usable `.pte`;
    UnsupportedOperatorError for operators the firmware does not have.
    """
    check_container(data, name=name)
    key = cache.make_key(
        what="read_pte",
        pte=cache.sha256_hex(data),
        name=name,
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("executorch",)),
    )
    kept = cache.load("pte", key)
    if kept is not None:
        try:
            return PteArtifact.from_json(json.loads(kept["artifact.json"]), kept["model.pte"])
        except (KeyError, TypeError, ValueError, PteError):
            pass  # Written by something else: read the file again.
    artifact = _read(data, name)
    cache.store(
        "pte",
        key,
        {
            "model.pte": artifact.pte,
            "artifact.json": json.dumps(artifact.to_json(), sort_keys=True).encode(),
        },
    )
    return artifact


def check_container(data: bytes, *, name: str) -> None:
    """Check identifier and extended header (no torch); raises PteError naming what is wrong."""
    if not data:
        raise PteError(f"{name}: the .pte file is empty")
    if len(data) < 8:
        raise PteError(f"{name}: the .pte is truncated: {len(data)} bytes")
    identifier = data[4:8]
    if identifier != _IDENTIFIER:
        what = f"identifier is {identifier!r}, expected {_IDENTIFIER!r}"
        if identifier[:2] == b"ET":
            what += ": made for another version of ExecuTorch's file format"
            raise PteError(f"{name}: {what}", hint="Export it again with executorch 1.5.1.")
        raise PteError(f"{name}: not a .pte file ({what})")
    if len(data) < 8 + _HEADER_BYTES:
        raise PteError(f"{name}: the .pte is truncated: {len(data)} bytes, no room for its header")
    if data[8:12] == _HEADER_MAGIC:
        _check_extended_header(data, name)
    (root,) = struct.unpack_from("<I", data, 0)
    if root >= len(data) - 4:
        raise PteError(f"{name}: damaged: its root table lies at {root}, past the file's end")


def _check_extended_header(data: bytes, name: str) -> None:
    length, program, base, segments = struct.unpack_from("<IQQQ", data, 12)
    if length < _HEADER_BYTES - 8:
        raise PteError(f"{name}: damaged: its extended header says it is {length} bytes long")
    if length < _HEADER_BYTES:
        segments = 0
    if program > len(data):
        raise PteError(
            f"{name}: the .pte is truncated: its header promises a program of {program:,} B, "
            f"the file has {len(data):,} B"
        )
    if base and base < program:
        raise PteError(
            f"{name}: damaged: its header puts the constants at byte {base:,}, "
            f"inside the program of {program:,} B"
        )
    if base and base + segments > len(data):
        raise PteError(
            f"{name}: the .pte is truncated: its header promises {base + segments:,} B, "
            f"the file has {len(data):,} B"
        )
    if base == 0 and segments:
        raise PteError(f"{name}: damaged: its header has {segments:,} B of constants at no offset")


def deserialize(data: bytes, *, name: str) -> Any:
    """Return the wheel's PTEFile for a `.pte` (imports torch). Raises PteError."""
    check_container(data, name=name)
    with quiet():
        from executorch.exir._serialize._program import deserialize_pte_binary

        try:
            file = deserialize_pte_binary(data)
        except Exception as error:  # struct.error, IndexError, UnicodeDecodeError, ValueError, ...
            raise PteError(f"{name}: damaged: {_cause(error)}") from error
    if file.program.version > _SCHEMA_VERSION:
        raise PteError(
            f"{name}: has schema version {file.program.version}, this executorch reads "
            f"{_SCHEMA_VERSION}: a newer ExecuTorch made it",
            hint="Export it again with executorch 1.5.1.",
        )
    return file


def _cause(error: Exception) -> str:
    text = str(error).strip().splitlines()
    detail = text[0] if text else "it"
    if isinstance(error, (struct.error, IndexError, OverflowError, UnicodeDecodeError)):
        return "an offset or a length in it points outside the file"
    if isinstance(error, ValueError):
        return detail
    return f"its contents contradict the schema ({detail})"


def find_method(program: Any, *, name: str) -> Any:
    """Return the execution plan to run: "forward", else the only one that computes anything."""
    plans = {plan.name: plan for plan in program.execution_plan}
    if _DEFAULT_METHOD in plans:
        return plans[_DEFAULT_METHOD]
    working = [
        plan for plan in plans.values() if plan.inputs or any(c.instructions for c in plan.chains)
    ]
    if len(working) == 1:
        return working[0]
    listed = ", ".join(sorted(plans)) or "none"
    raise PteError(f"{name}: no method '{_DEFAULT_METHOD}' (methods: {listed})")


def _read(data: bytes, name: str) -> PteArtifact:
    from mcugen import operators, runtime_layout

    file = deserialize(data, name=name)
    plan = find_method(file.program, name=name)
    try:
        _check_supported(file, name)
        for each in file.program.execution_plan:
            _check_plan(each, file, name)
        operators.check_calls(plan)
        stripped = strip(data, name=name)
        program = deserialize(stripped, name=name).program
        plan = find_method(program, name=name)
        inputs = tuple(_tensor_spec(program, plan, "input", i) for i in range(len(plan.inputs)))
        outputs = tuple(_tensor_spec(program, plan, "output", i) for i in range(len(plan.outputs)))
        return PteArtifact(
            pte=stripped,
            name=name,
            sha256=cache.sha256_hex(stripped),
            source_sha256=cache.sha256_hex(data),
            method_name=plan.name,
            inputs=inputs,
            outputs=outputs,
            operators=_operator_uses(plan),
            planned_buffers=tuple(plan.non_const_buffer_sizes[1:]),
            method_bytes=runtime_layout.method_allocator_bytes(program, plan.name),
            temp_bytes=operators.temp_bytes(plan),
            macs=operators.macs(plan),
            isa=None,
            io=_io_kind(inputs, outputs),
            executorch_version=cache.package_versions(("executorch",))["executorch"],
            stripped_bytes=len(data) - len(stripped),
            softmax_output=_looks_like_logits(plan, inputs, outputs),
            profile_model=name,
            keeps_state=operators.keeps_state(plan),
            full_runtime=_needs_full_runtime(plan),
        )
    except ExportError as error:
        if not error.message.startswith(f"{name}:"):
            raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
        raise
    except (struct.error, IndexError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise PteError(f"{name}: damaged: {_cause(error)}") from error


# --- checks -------------------------------------------------------------------------------------


def _check_supported(file: Any, name: str) -> None:
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


def _check_plan(plan: Any, file: Any, name: str) -> None:
    """Check every index of one method, and that each tensor lies inside its memory."""
    where = f"{name}: damaged: method '{plan.name}'"
    count = len(plan.values)
    if len(plan.chains) != 1:
        raise PteError(f"{name}: method '{plan.name}' has {len(plan.chains)} chains, expected 1")
    for index in (*plan.inputs, *plan.outputs):
        if not 0 <= index < count:
            raise PteError(f"{where} has input or output value {index} of {count}")
    for index, value in enumerate(plan.values):
        for item in _list_items(value.val):
            if not 0 <= item < count:
                raise PteError(f"{where}: value {index} lists value {item} of {count}")
        if type(value.val).__name__ == "Tensor":
            _check_tensor(value.val, plan, file, f"value {index}", name)
    instructions = plan.chains[0].instructions
    for position, instruction in enumerate(instructions):
        what = f"{where}: instruction {position}"
        arguments = instruction.instr_args
        for index in _used_values(arguments):
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
                source, target = (
                    type(plan.values[i].val).__name__ for i in _used_values(arguments)
                )
                if source != target:
                    raise PteError(f"{what} moves a {source} to a {target}")
            case "FreeCall":
                kind = type(plan.values[arguments.value_index].val).__name__
                if kind != "Tensor":
                    raise PteError(f"{what} frees a {kind}")
            case other:
                raise PteError(f"{name}: instruction {position} is a {other}: not supported")


def _used_values(arguments: Any) -> list[int]:
    """Return the indices of the values that an instruction uses, in order."""
    match type(arguments).__name__:
        case "KernelCall" | "DelegateCall":
            return list(arguments.args)
        case "MoveCall":
            return [arguments.move_from, arguments.move_to]
        case "JumpFalseCall":
            return [arguments.cond_value_index]
        case "FreeCall":
            return [arguments.value_index]
    return []


def _check_tensor(tensor: Any, plan: Any, file: Any, what: str, name: str) -> None:
    where = f"{name}: damaged: {what}"
    if int(tensor.scalar_type) not in DTYPES:
        raise PteError(f"{name}: {what} has dtype {tensor.scalar_type!r}: not supported")
    if any(size < 0 for size in tensor.sizes):
        raise PteError(f"{where} has sizes {list(tensor.sizes)}")
    if sorted(tensor.dim_order) != list(range(len(tensor.sizes))):
        raise PteError(f"{where} has dimension order {list(tensor.dim_order)}")
    if int(tensor.shape_dynamism) == 2:
        raise PteError(f"{name}: {what} has an unbounded dynamic shape: not supported")
    if tensor.extra_tensor_info is not None and int(tensor.extra_tensor_info.location) != 0:
        raise PteError(f"{name}: {what} has its data outside of the program: not supported")
    if tensor.allocation_info is not None:
        buffers = plan.non_const_buffer_sizes
        memory_id, offset = tensor.allocation_info.memory_id, tensor.allocation_info.memory_offset
        nbytes = tensor_bytes(tensor)
        if not 0 < memory_id < len(buffers) or offset + nbytes > buffers[memory_id]:
            raise PteError(
                f"{where} lies outside planned memory (buffer {memory_id}, byte {offset})"
            )
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


def tensor_bytes(tensor: Any) -> int:
    """Return the bytes of a program's tensor, at its largest if its shape is dynamic."""
    return math.prod(tensor.sizes) * DTYPES[int(tensor.scalar_type)][1]


def _list_items(value: Any) -> tuple[int, ...]:
    """Value indices a list holds; -1 in an optional tensor list stands for None."""
    kind = type(value).__name__
    if kind in ("IntList", "TensorList"):
        return tuple(value.items)
    if kind == "OptionalTensorList":
        return tuple(item for item in value.items if item != -1)
    return ()


# --- stripping ----------------------------------------------------------------------------------


def strip(data: bytes, *, name: str) -> bytes:
    """Return the `.pte` without what nothing uses: constants, values, operators.

    The exporter leaves the float weights, the unfused scales and their shapes in the file. Equal
    scalars and lists are shared too, and the values renumbered: each value costs the method
    allocator 16 bytes or more. The same input always gives the same bytes, and stripping twice
    changes nothing.
    """
    file = deserialize(data, name=name)
    program = file.program
    for plan in program.execution_plan:
        _strip_plan(plan)
    program.constant_buffer = _strip_data(program, program.constant_buffer, planned=False)
    # What a planned tensor starts with is in another list.
    initial = _strip_data(program, file.mutable_data or [], planned=True)
    with quiet():
        from executorch.exir._serialize._program import serialize_pte_binary

        return bytes(
            serialize_pte_binary(
                replace(file, program=program, mutable_data=initial or None, named_data=None),
                extract_delegate_segments=True,
                segment_alignment=CONSTANT_ALIGNMENT,
                constant_tensor_alignment=CONSTANT_ALIGNMENT,
            )
        )


def _instructions(plan: Any) -> list[Any]:
    """Return what the instructions of all chains hold: kernel calls, moves, jumps, frees."""
    return [instruction.instr_args for chain in plan.chains for instruction in chain.instructions]


def _calls(plan: Any) -> list[Any]:
    return [each for each in _instructions(plan) if type(each).__name__ == "KernelCall"]


def _written_values(plan: Any) -> set[int]:
    """Return the values that instructions write: of a call its return value, the last argument."""
    written = {call.args[-1] for call in _calls(plan) if call.args}
    moves = (each for each in _instructions(plan) if type(each).__name__ == "MoveCall")
    return written | {move.move_to for move in moves}


def _strip_plan(plan: Any) -> None:
    used = set(plan.inputs) | set(plan.outputs)
    for instruction in _instructions(plan):
        used.update(_used_values(instruction))
    pending = list(used)
    while pending:
        items = set(_list_items(plan.values[pending.pop()].val)) - used
        used |= items
        pending.extend(items)

    # A value that something writes must stay its own.
    own = set(plan.inputs) | set(plan.outputs) | _written_values(plan)
    new_index: dict[int, int] = {}
    first: dict[tuple[object, ...], int] = {}
    kept: list[Any] = []
    # Scalars before lists, so that equal lists of equal scalars are seen to be equal.
    for old in sorted(used, key=lambda i: (bool(_list_items(plan.values[i].val)), i)):
        value = plan.values[old].val
        key = _value_key(value, new_index) if old not in own else None
        if key is not None and key in first:
            new_index[old] = first[key]
            continue
        new_index[old] = len(kept)
        kept.append(plan.values[old])
        if key is not None:
            first[key] = new_index[old]
    for value in kept:
        if _list_items(value.val):
            value.val.items = [new_index.get(item, item) for item in value.val.items]
    plan.values = kept
    plan.inputs = [new_index[i] for i in plan.inputs]
    plan.outputs = [new_index[i] for i in plan.outputs]
    for instruction in _instructions(plan):
        _renumber(instruction, new_index)
    for chain in plan.chains:
        chain.inputs = []  # Unused by any runtime; they would keep old numbers alive.
        chain.outputs = []
        chain.stacktrace = None
    _strip_operators(plan)


def _renumber(instruction: Any, new_index: dict[int, int]) -> None:
    """Give an instruction the new numbers of its values. Jumps stay: no instruction goes away."""
    match type(instruction).__name__:
        case "KernelCall" | "DelegateCall":
            instruction.args[:] = [new_index[i] for i in instruction.args]
        case "MoveCall":
            instruction.move_from = new_index[instruction.move_from]
            instruction.move_to = new_index[instruction.move_to]
        case "JumpFalseCall":
            instruction.cond_value_index = new_index[instruction.cond_value_index]
        case "FreeCall":
            instruction.value_index = new_index[instruction.value_index]


def _strip_operators(plan: Any) -> None:
    calls = _calls(plan)
    names = [(op.name, op.overload) for op in plan.operators]
    order: dict[tuple[str, str], int] = {}
    kept: list[Any] = []
    for index in sorted({call.op_index for call in calls}):
        if names[index] not in order:
            order[names[index]] = len(kept)
            kept.append(plan.operators[index])
    for call in calls:
        call.op_index = order[names[call.op_index]]
    plan.operators = kept


def _value_key(value: Any, new_index: dict[int, int]) -> tuple[object, ...] | None:
    """Return what makes two immutable values the same, or None for a tensor or tensor list."""
    kind = type(value).__name__
    match kind:
        case "Int":
            return kind, value.int_val
        case "Bool":
            return kind, value.bool_val
        case "Double":
            # By bits: 0.0 and -0.0 differ, a NaN equals itself.
            return kind, struct.pack("<d", float(value.double_val))
        case "String":
            return kind, value.string_val
        case "Null":
            return (kind,)
        case "IntList":
            return kind, tuple(new_index[item] for item in value.items)
        case "BoolList" | "DoubleList":
            return kind, tuple(map(repr, value.items))
    return None


def _strip_data(program: Any, buffers: Sequence[Any], *, planned: bool) -> list[Any]:
    """Return the data that tensors use, cut to what they use; what is equal once.

    planned: what tensors in planned memory start with; else constants. Tensors get its new numbers.
    """
    need: dict[int, int] = {}
    tensors = []
    for plan in program.execution_plan:
        for value in plan.values:
            if _is_tensor(value, planned=planned):
                tensors.append(value.val)
                index = value.val.data_buffer_idx
                if index:
                    need[index] = max(need.get(index, 0), tensor_bytes(value.val))
    if planned and not need:
        return []
    kept: list[Any] = [replace(buffers[0], storage=b"")] if buffers else []
    first: dict[bytes, int] = {}
    new_index = {0: 0}
    for old in sorted(need):
        storage = bytes(buffers[old].storage[: need[old]])
        if storage not in first:
            first[storage] = len(kept)
            kept.append(replace(buffers[old], storage=storage))
        new_index[old] = first[storage]
    for tensor in tensors:
        tensor.data_buffer_idx = new_index[tensor.data_buffer_idx]
    return kept


def _is_tensor(value: Any, *, planned: bool) -> bool:
    """Whether a value is a tensor that is, or is not, in planned memory."""
    return (
        type(value.val).__name__ == "Tensor" and (value.val.allocation_info is not None) == planned
    )


def dead_constant_bytes(data: bytes, *, name: str) -> int:
    """Return the bytes of constants in a `.pte` that no instruction, input or output uses."""
    program = deserialize(data, name=name).program
    for plan in program.execution_plan:
        _strip_plan(plan)
    used = {
        value.val.data_buffer_idx
        for plan in program.execution_plan
        for value in plan.values
        if _is_tensor(value, planned=False)
    }
    return sum(
        len(buffer.storage) for i, buffer in enumerate(program.constant_buffer) if i not in used
    )


# --- description --------------------------------------------------------------------------------


def _constant_method(program: Any, method: str) -> float | int | None:
    """Return the number a constant method gives, as `QuantizeInputs` records scales."""
    for plan in program.execution_plan:
        if plan.name == method and plan.outputs:
            value = plan.values[plan.outputs[0]].val
            kind = type(value).__name__
            if kind == "Double":
                return float(value.double_val)
            if kind == "Int":
                return int(value.int_val)
    return None


#: Numbers as inputs and outputs travel as 8 bytes, a bool as 1, None as none.
_NUMBERS = {
    "Int": ("int64", ()),
    "Double": ("float64", ()),
    "Bool": ("bool", ()),
    "Null": ("uint8", (0,)),
}


def number_of(value: Any) -> float | None:
    """Return the number that a value of a program holds when it is loaded, None for another."""
    match type(value).__name__:
        case "Int":
            return int(value.int_val)
        case "Bool":
            return bool(value.bool_val)
        case "Double":
            return float(value.double_val)
    return None


def _needs_full_runtime(plan: Any) -> bool:
    """Whether a method has what only the full runtime and application have.

    Inputs and outputs that are numbers, lists of tensors that are moved, views of inputs that the
    plan has no memory for.
    """
    ends = [plan.values[index].val for index in (*plan.inputs, *plan.outputs)]
    if any(type(value).__name__ in _NUMBERS for value in ends):
        return True
    for instruction in _instructions(plan):
        used = [plan.values[index].val for index in _used_values(instruction)]
        if type(instruction).__name__ == "MoveCall":
            if type(used[0]).__name__ in ("TensorList", "OptionalTensorList"):
                return True
        elif type(instruction).__name__ == "KernelCall":
            view = call_name(plan, instruction).startswith("executorch_prim::et_view")
            if view and (used[0].allocation_info is None or used[-1].allocation_info is None):
                return True
    return False


def _tensor_spec(program: Any, plan: Any, side: str, position: int) -> TensorSpec:
    index = (plan.inputs if side == "input" else plan.outputs)[position]
    tensor = plan.values[index].val
    kind = type(tensor).__name__
    if kind in _NUMBERS:
        number, shape = _NUMBERS[kind]
        return TensorSpec(
            name=f"{side}{position}",
            shape=shape,
            dim_order=tuple(range(len(shape))),
            dtype=number,
            scale=None,
            zero_point=None,
            planned=False,
            fixed=number_of(tensor) if side == "input" else None,
        )
    if kind != "Tensor":
        raise PteError(f"{side} {position} is a {kind}: only tensors and numbers are supported")
    dtype = DTYPES[int(tensor.scalar_type)][0]
    scale: float | None = None
    zero_point: int | None = None
    if dtype in ("int8", "uint8", "int16"):
        for prefix in ("", f"{plan.name}_"):
            found = _constant_method(program, f"{prefix}{side}{position}_scale")
            offset = _constant_method(program, f"{prefix}{side}{position}_zp")
            if found is not None and offset is not None:
                scale, zero_point = float(found), int(offset)
    return TensorSpec(
        name=f"{side}{position}",
        shape=tuple(tensor.sizes),
        dim_order=tuple(tensor.dim_order),
        dtype=dtype,
        scale=scale,
        zero_point=zero_point,
        planned=tensor.allocation_info is not None,
    )


def call_name(plan: Any, call: Any) -> str:
    """Return "namespace::operator.overload" of a kernel call."""
    operator = plan.operators[call.op_index]
    return f"{operator.name}.{operator.overload}" if operator.overload else operator.name


def call_is_int8(plan: Any, call: Any) -> bool:
    """Whether a call works on quantized data: no float tensor but at a quantize/dequantize edge."""
    if call_name(plan, call).startswith("cortex_m::"):
        return True
    values = (plan.values[index].val for index in call.args)
    return not any(
        type(value).__name__ == "Tensor" and DTYPES[int(value.scalar_type)][0].startswith("float")
        for value in values
    )


def _operator_uses(plan: Any) -> tuple[OperatorUse, ...]:
    calls: Counter[str] = Counter()
    int8: dict[str, bool] = {}
    for call in _calls(plan):
        name = call_name(plan, call)
        calls[name] += 1
        int8[name] = int8.get(name, True) and call_is_int8(plan, call)
    return tuple(OperatorUse(name, calls[name], int8[name]) for name in sorted(calls))


def _io_kind(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> str | None:
    dtypes = {spec.dtype for spec in (*inputs, *outputs)}
    return {"int8": "int8", "float32": "float"}.get(dtypes.pop()) if len(dtypes) == 1 else None


def _looks_like_logits(
    plan: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> bool:
    """Guess whether output 0 is a classifier's: [1, n], fewer numbers than come in, no softmax yet.

    Only what `results%` prints depends on it.
    """
    if not inputs or not outputs:
        return False
    names = [call_name(plan, call) for call in _calls(plan)]
    shape = outputs[0].shape
    return (
        len(shape) == 2
        and shape[0] == 1
        and 1 < shape[1] < math.prod(inputs[0].shape)
        and not any("softmax" in name for name in names[-2:])
    )
