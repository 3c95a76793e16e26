# SPDX-License-Identifier: BSD-3-Clause
"""Run a `.pte` on the host: what the device must compute, byte for byte.

The instructions are walked over buffers laid out as the file's memory plan says, so that views and
reused memory behave as on the device. int8 operators give what ExecuTorch's Python reference
operators give (`executorch/backends/cortex_m/ops/operators.py`), but much faster: sums of int8
products are integers far below 2**53, so float64 convolutions and matrix products are exact in any
order. Two operators are defined in integers where the Python reference computes in float:
`quantized_avg_pool2d` (sum plus or minus half the count, divided, truncated) and `softmax` (the
fixed-point algorithm of TFLite's int8 softmax).

What a program keeps between inferences (mutable buffers) a `Reference` keeps, too: it starts as a
device does that has just loaded the model.
"""

from __future__ import annotations

import functools
import io
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen import cache
from mcugen.errors import ConfigError, PteError, UnsupportedOperatorError
from mcugen.pte import (
    DTYPES,
    PteArtifact,
    TensorSpec,
    call_name,
    deserialize,
    find_method,
    number_of,
    tensor_bytes,
)
from mcugen.quiet import quiet

if TYPE_CHECKING:
    import torch

#: Files whose change makes kept outputs stale.
SOURCES = ("reference.py", "fixed_point.py")

#: As the device: a loop in a file ends (MCUGEN_MAX_INSTRUCTIONS).
_MAX_INSTRUCTIONS = 1 << 20

Progress = Callable[[str, int, int], None]


def run_reference(
    artifact: PteArtifact, inputs: Sequence[np.ndarray | bytes]
) -> tuple[np.ndarray, ...]:
    """Return every output of one inference.

    Args:
        artifact: whose `pte` bytes are run, exactly those the device holds.
        inputs: one per method input: the tensor's dtype, in memory order (NHWC for an image) or as
            raw bytes.

    Raises ConfigError for inputs of the wrong number, dtype or size.
    """
    return Reference(artifact).run(inputs)


def reference_outputs(
    artifact: PteArtifact, inputs: Sequence[np.ndarray], *, progress: Progress | None = None
) -> tuple[np.ndarray, ...]:
    """Return every output for a batch of samples, run in order; kept on disk.

    Args:
        artifact: whose `pte` bytes are run.
        inputs: one array per method input: [n, *memory shape], of its dtype.
        progress: called as progress(what, done, total).

    Returns one array per method output: [n, *memory shape].
    """
    count = len(inputs[0]) if inputs else 0
    if count == 0 or any(len(values) != count for values in inputs):
        raise ConfigError("the host reference needs the same number of samples for each input")
    key = cache.make_key(
        what="reference outputs",
        pte=artifact.sha256,
        inputs=[cache.sha256_hex(np.ascontiguousarray(values).tobytes()) for values in inputs],
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("torch",)),
    )
    kept = cache.load("reference", key)
    if kept is not None:
        return tuple(
            np.load(io.BytesIO(kept[f"output{i}.npy"]), allow_pickle=False)
            for i in range(len(artifact.outputs))
        )
    reference = Reference(artifact)
    rows = []
    for index in range(count):
        if progress and index % 16 == 0:
            progress("host reference", index, count)
        rows.append(reference.run([values[index] for values in inputs]))
    if progress:
        progress("host reference", count, count)
    outputs = tuple(np.stack(column) for column in zip(*rows, strict=True))
    files = {}
    for i, values in enumerate(outputs):
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        files[f"output{i}.npy"] = buffer.getvalue()
    cache.store("reference", key, files)
    return outputs


class Reference:
    """A loaded program: buffers allocated, instructions decoded."""

    def __init__(self, artifact: PteArtifact) -> None:
        with quiet():
            import torch

        self._torch = torch
        self.artifact = artifact
        file = deserialize(artifact.pte, name=artifact.name)
        plan = find_method(file.program, name=artifact.name)
        self._plan = plan
        self._planned = [
            torch.zeros(size, dtype=torch.uint8) for size in plan.non_const_buffer_sizes
        ]
        self._constants = file.program.constant_buffer
        self._initial = file.mutable_data
        self._storage: dict[int, torch.Tensor] = {}  # value index to its bytes in memory order
        self._values: list[Any] = [None] * len(plan.values)
        for index, value in enumerate(plan.values):
            if type(value.val).__name__ == "Tensor":
                self._values[index] = self._tensor(index, value.val)
            else:
                self._values[index] = number_of(value.val)
        self._inputs = list(plan.inputs)
        self._outputs = list(plan.outputs)
        self._operators = _Operators(torch)
        self._steps = [
            self._step(position, instruction.instr_args)
            for position, instruction in enumerate(plan.chains[0].instructions)
        ]

    def _tensor(self, index: int, tensor: Any) -> torch.Tensor:
        """Return a view with logical shape onto the bytes the memory plan gives the tensor."""
        torch = self._torch
        nbytes = tensor_bytes(tensor)
        data = b""
        if tensor.allocation_info is not None:
            start = tensor.allocation_info.memory_offset
            storage = self._planned[tensor.allocation_info.memory_id][start : start + nbytes]
            if tensor.data_buffer_idx:
                data = self._initial[tensor.data_buffer_idx].storage
        else:
            storage = torch.zeros(nbytes, dtype=torch.uint8)
            if tensor.data_buffer_idx:
                data = self._constants[tensor.data_buffer_idx].storage
        if data and nbytes:
            storage.copy_(torch.frombuffer(bytearray(data[:nbytes]), dtype=torch.uint8))
        self._storage[index] = storage
        return self._laid_out(tensor, storage)

    def _laid_out(self, tensor: Any, storage: torch.Tensor) -> torch.Tensor:
        """Return `storage` as a tensor of the program."""
        torch = self._torch
        name, item = DTYPES[int(tensor.scalar_type)]
        dtype = getattr(torch, name)
        if tensor_bytes(tensor) == 0:
            return torch.zeros(tuple(tensor.sizes), dtype=dtype)
        strides = [0] * len(tensor.sizes)
        step = 1
        for axis in reversed(tensor.dim_order):
            strides[axis] = step
            step *= max(tensor.sizes[axis], 1)
        # Overlapping views of one buffer, as in the device's planned memory.
        return storage.view(dtype).as_strided(
            tuple(tensor.sizes), strides, storage.storage_offset() // item
        )

    def _value(self, index: int) -> Any:
        """Return what a value is now; a list is made of what its items are now."""
        value = self._plan.values[index].val
        match type(value).__name__:
            case "String":
                return value.string_val
            case "BoolList" | "DoubleList":
                return list(value.items)
            case "IntList" | "TensorList":
                return [self._values[item] for item in value.items]
            case "OptionalTensorList":
                return [self._values[item] if item != -1 else None for item in value.items]
        return self._values[index]

    # --- instructions ---

    def _step(self, position: int, instruction: Any) -> Callable[[], int]:
        """Return a call that does one instruction and returns the position of the next."""
        following = position + 1
        match type(instruction).__name__:
            case "MoveCall":
                source, target = instruction.move_from, instruction.move_to

                def move() -> int:
                    self._values[target] = self._values[source]
                    if source in self._storage:
                        self._storage[target] = self._storage[source]
                    return following

                return move
            case "JumpFalseCall":
                condition = instruction.cond_value_index
                destination = int(instruction.destination_instruction)

                def jump() -> int:
                    value = self._values[condition]
                    # A tensor counts as false if any of its elements is.
                    return following if bool(self._torch.as_tensor(value).all()) else destination

                return jump
            case "FreeCall":
                return lambda: following
        call = self._call(call_name(self._plan, instruction), list(instruction.args))

        def run() -> int:
            call()
            return following

        return run

    def _call(self, name: str, args: list[int]) -> Callable[[], None]:
        compute = _NUMBERS.get(name)
        if compute is not None:

            def number() -> None:
                values = [self._value(index) for index in args[:-1]]
                try:
                    self._values[args[-1]] = compute(*values)
                except ArithmeticError as error:
                    raise PteError(f"{self.artifact.name}: {name}: {error}") from error

            return number
        if name.startswith("executorch_prim::et_view"):
            return lambda: self._view(args[0], args[-1])
        if name.startswith("executorch_prim::"):
            raise UnsupportedOperatorError(f"the host reference has no operator {name}")
        if self._is_fixed(args):
            return self._operators.bind(name, [self._value(index) for index in args])
        # Where values change, arguments are what they are when the call is reached.
        self._operators.bind(name, [self._value(index) for index in args])  # refuses what it lacks
        return lambda: self._operators.bind(name, [self._value(index) for index in args])()

    def _is_fixed(self, args: list[int]) -> bool:
        """Whether the arguments of a call are the same each time: no instruction changes them."""
        items = [
            item
            for index in args
            if type(self._plan.values[index].val).__name__
            in ("IntList", "TensorList", "OptionalTensorList")
            for item in self._plan.values[index].val.items
        ]
        return self._changed.isdisjoint((*args, *items))

    @functools.cached_property
    def _changed(self) -> frozenset[int]:
        """The values that moves, views and arithmetic on numbers make others."""
        changed = set()
        for instruction in self._plan.chains[0].instructions:
            arguments = instruction.instr_args
            if type(arguments).__name__ == "MoveCall":
                changed.add(arguments.move_to)
            elif type(arguments).__name__ == "KernelCall":
                name = call_name(self._plan, arguments)
                if name in _NUMBERS or name.startswith("executorch_prim::"):
                    changed.add(arguments.args[-1])
        return frozenset(changed)

    def _view(self, source: int, target: int) -> None:
        """Give a tensor the memory of another one, in its own shape."""
        self._storage[target] = self._storage[source]
        self._values[target] = self._laid_out(self._plan.values[target].val, self._storage[source])

    # --- an inference ---

    def run(self, inputs: Sequence[np.ndarray | bytes]) -> tuple[np.ndarray, ...]:
        """Run one inference; see `run_reference`."""
        torch = self._torch
        if len(inputs) != len(self._inputs):
            raise ConfigError(
                f"{self.artifact.name} takes {len(self._inputs)} inputs, got {len(inputs)}"
            )
        for spec, index, value in zip(self.artifact.inputs, self._inputs, inputs, strict=True):
            if isinstance(value, np.ndarray) and value.dtype != np.dtype(spec.dtype):
                raise ConfigError(f"{spec.name} is {spec.dtype}, got {value.dtype}")
            data = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
            if len(data) != spec.nbytes:
                raise ConfigError(f"{spec.name} takes {spec.nbytes:,} B, got {len(data):,} B")
            if spec.fixed is not None:
                if data != np.array(spec.fixed, spec.dtype).tobytes():
                    raise ConfigError(f"{spec.name} is not the value that was traced, {spec.fixed}")
            elif data:
                self._storage[index].copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        # These operators are too small to share out: a second thread only waits for the first.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                self._run_steps()
        finally:
            torch.set_num_threads(threads)
        return tuple(
            self._output(spec, index)
            for spec, index in zip(self.artifact.outputs, self._outputs, strict=True)
        )

    def _run_steps(self) -> None:
        position = left = 0
        while position < len(self._steps):
            position = self._steps[position]()
            left += 1
            if left > _MAX_INSTRUCTIONS:
                raise PteError(
                    f"{self.artifact.name} does not end: {_MAX_INSTRUCTIONS:,} instructions"
                )

    def _output(self, spec: TensorSpec, index: int) -> np.ndarray:
        if index in self._storage:
            data = self._storage[index].numpy().tobytes()
        else:
            data = np.array(self._values[index] if spec.nbytes else [], spec.dtype).tobytes()
        return np.frombuffer(data, np.dtype(spec.dtype)).reshape(spec.memory_shape)


# Integers as the device keeps them: 64 bits that wrap.
def _number(value: float) -> float:
    if isinstance(value, (bool, float)):
        return value
    return (int(value) + (1 << 63)) % (1 << 64) - (1 << 63)


def _truncated_quotient(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _scalar(x: torch.Tensor) -> float:
    return x.reshape(-1)[0].item()


#: Operators whose result is a number, by what ExecuTorch's runtime computes.
_NUMBERS: dict[str, Callable[..., Any]] = {
    "aten::_local_scalar_dense": _scalar,
    "aten::sym_numel": lambda x: x.numel(),
    "aten::sym_size.int": lambda x, dim: x.shape[dim],
    "executorch_prim::add.Scalar": lambda a, b: _number(a + b),
    "executorch_prim::ceil.Scalar": math.ceil,
    "executorch_prim::eq.Scalar": operator.eq,
    "executorch_prim::floordiv.Scalar": lambda a, b: _number(a // b),
    "executorch_prim::floordiv.int": lambda a, b: _number(_truncated_quotient(a, b)),
    "executorch_prim::ge.Scalar": operator.ge,
    "executorch_prim::gt.Scalar": operator.gt,
    "executorch_prim::le.Scalar": operator.le,
    "executorch_prim::lt.Scalar": operator.lt,
    "executorch_prim::mod.Scalar": lambda a, b: a - b * _truncated_quotient(a, b),
    "executorch_prim::mod.int": lambda a, b: a - b * _truncated_quotient(a, b),
    "executorch_prim::mul.Scalar": lambda a, b: _number(a * b),
    "executorch_prim::neg.Scalar": lambda a: _number(-a),
    "executorch_prim::round.Scalar": round,
    "executorch_prim::sub.Scalar": lambda a, b: _number(a - b),
    "executorch_prim::sym_float.Scalar": float,
    "executorch_prim::sym_int.Scalar": int,
    "executorch_prim::sym_ite.Scalar": lambda condition, a, b: a if condition else b,
    "executorch_prim::sym_max.Scalar": max,
    "executorch_prim::sym_min.Scalar": min,
    "executorch_prim::sym_not.Scalar": operator.not_,
    "executorch_prim::truediv.Scalar": operator.truediv,
    "executorch_prim::trunc.Scalar": math.trunc,
}


class _Operators:
    """Operator name to what computes it. Methods take the schema's arguments without `out`."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.functional = torch.nn.functional

    def bind(self, name: str, args: list[Any]) -> Callable[[], None]:
        """Return a call without arguments that computes one instruction into its `out` tensor.

        The exporter's instruction repeats `out` as the return value: arguments, out, out.
        """
        namespace, _, rest = name.partition("::")
        operator, _, overload = rest.partition(".")
        own = getattr(self, f"{namespace}_{operator}".replace("__", "_"), None)
        if namespace in ("cortex_m", "dim_order_ops") and overload == "out":
            compute = own or self._wheel_operator(name, operator)
            inputs, out = args[:-2], args[-2]

            def call() -> None:
                out.copy_(compute(*inputs))

            return call
        return self._torch_operator(name, namespace, operator, overload, args)

    def _wheel_operator(self, name: str, operator: str) -> Callable[..., Any]:
        """Return the wheel's Python reference operator."""
        with quiet():
            import executorch.backends.cortex_m.passes  # noqa: F401 (registers them)

        packet = getattr(self.torch.ops.cortex_m, operator, None)
        if packet is None:
            raise UnsupportedOperatorError(f"the host reference has no operator {name}")
        return packet.default

    def _torch_operator(
        self, name: str, namespace: str, operator: str, overload: str, args: list[Any]
    ) -> Callable[[], None]:
        """Return torch's own out variant: float operators that int8 models leave behind."""
        if namespace == "quantized_decomposed":
            with quiet():
                import executorch.exir.passes._quant_patterns_and_replacements  # noqa: F401
        try:
            packet = getattr(getattr(self.torch.ops, namespace), operator)
            function = getattr(packet, overload or "default")
        except AttributeError as error:
            raise UnsupportedOperatorError(f"the host reference has no operator {name}") from error
        schema = function._schema.arguments
        args = [
            self._typed(value, str(a.real_type)) for value, a in zip(args, schema, strict=False)
        ]
        if len(args) < len(schema):
            raise UnsupportedOperatorError(
                f"{name} is called with {len(args)} arguments, its schema has {len(schema)}"
            )
        positional = [v for v, a in zip(args, schema, strict=False) if not a.kwarg_only]
        keywords = {a.name: v for v, a in zip(args, schema, strict=False) if a.kwarg_only}

        def call() -> None:
            function(*positional, **keywords)

        return call

    def _typed(self, value: Any, kind: str) -> Any:
        """Return a program's value as torch takes it: element types are numbers in the file."""
        if isinstance(value, int) and not isinstance(value, bool):
            if "ScalarType" in kind:
                return getattr(self.torch, DTYPES[value][0])
            if "MemoryFormat" in kind:
                return None  # where the bytes of `out` lie is settled
        return value

    # --- requantization ---

    def requantize(self, acc: Any, multiplier: Any, shift: Any) -> Any:
        """acc * multiplier * 2**(shift - 31), rounded twice, as `requantize_cmsis` does.

        acc: int64; multiplier, shift: int64 tensors that broadcast against it.
        """
        torch = self.torch
        left = shift.clamp(min=0)
        right = (-shift).clamp(min=0)
        result = ((acc << left) * multiplier + (1 << 30)) >> 31
        mask = (torch.ones_like(right) << right) - 1
        remainder = result & mask
        result = result >> right
        threshold = (mask >> 1) + (result < 0)
        # Without a right shift the mask, and so the remainder, is 0 and nothing is added.
        return result + (remainder > threshold)

    def _scalar_requantize(self, acc: Any, multiplier: int, shift: int) -> Any:
        tensor = self.torch.tensor
        return self.requantize(acc, tensor(int(multiplier)), tensor(int(shift)))

    def _finish(self, acc: Any, offset: int, low: int, high: int) -> Any:
        return (acc + offset).clamp(low, high).to(self.torch.int8)

    # --- edges ---

    def cortex_m_quantize_per_tensor(
        self, x: Any, scale: float, zero_point: int, low: int, high: int, dtype: int
    ) -> Any:
        torch = self.torch
        q = torch.round(x * (1.0 / scale)) + zero_point
        return q.clamp(low, high).to(getattr(torch, DTYPES[int(dtype)][0]))

    def cortex_m_dequantize_per_tensor(
        self, x: Any, scale: float, zero_point: int, low: int, high: int, dtype: int
    ) -> Any:
        del low, high, dtype
        return (x.to(self.torch.float32) - zero_point) * scale

    def dim_order_ops_clone_dim_order(self, x: Any, *_: Any) -> Any:
        return x

    def dim_order_ops_to_dim_order_copy(self, x: Any, *_: Any) -> Any:
        return x

    # --- convolutions and products ---

    def _convolve(
        self,
        x: Any,
        weight_oihw: Any,
        bias: Any,
        geometry: tuple[list[int], list[int], list[int], int],
        offsets: tuple[int, int],
        rescale: tuple[Any, Any],
        clamp: tuple[int, int],
    ) -> Any:
        torch = self.torch
        stride, padding, dilation, groups = geometry
        # Padding with 0 after the offset is added equals padding with the zero point before.
        acc = self.functional.conv2d(
            (x.to(torch.int32) + offsets[0]).to(torch.float64),
            weight_oihw,
            None if bias is None else bias.to(torch.float64),
            stride=tuple(stride),
            padding=tuple(padding),
            dilation=tuple(dilation),
            groups=groups,
        ).to(torch.int64)
        multipliers, shifts = (t.to(torch.int64).reshape(1, -1, 1, 1) for t in rescale)
        return self._finish(self.requantize(acc, multipliers, shifts), offsets[1], *clamp)

    def cortex_m_quantized_conv2d(
        self,
        x: Any,
        weight: Any,
        bias: Any,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        input_offset: int,
        output_offset: int,
        multipliers: Any,
        shifts: Any,
        low: int,
        high: int,
        scratch: Any,
    ) -> Any:
        del scratch
        groups = x.shape[1] // weight.shape[3]
        return self._convolve(
            x,
            weight.permute(0, 3, 1, 2).to(self.torch.float64),  # OHWI to OIHW
            bias,
            (stride, padding, dilation, groups),
            (input_offset, output_offset),
            (multipliers, shifts),
            (low, high),
        )

    def cortex_m_quantized_depthwise_conv2d(
        self,
        x: Any,
        weight: Any,
        bias: Any,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        depth_multiplier: int,
        input_offset: int,
        output_offset: int,
        multipliers: Any,
        shifts: Any,
        low: int,
        high: int,
        scratch: Any,
    ) -> Any:
        del depth_multiplier, scratch
        return self._convolve(
            x,
            weight.permute(3, 0, 1, 2).to(self.torch.float64),  # IHWO to OIHW
            bias,
            (stride, padding, dilation, x.shape[1]),
            (input_offset, output_offset),
            (multipliers, shifts),
            (low, high),
        )

    def cortex_m_quantized_linear(
        self,
        x: Any,
        weights: Any,
        bias: Any,
        kernel_sum: Any,
        input_offset: int,
        filter_offset: int,
        output_offset: int,
        multipliers: list[int],
        shifts: list[int],
        high: int,
        low: int,
    ) -> Any:
        torch = self.torch
        rows = x.reshape(-1, x.shape[-1]).to(torch.float64)
        columns = weights.to(torch.float64).T
        if kernel_sum is not None:
            # MVE: kernel_sum holds input_offset times each weight row's sum, plus the bias.
            acc = rows @ columns + rows.sum(-1, keepdim=True) * filter_offset
            acc = acc + kernel_sum.to(torch.float64)
        else:
            acc = (rows + input_offset) @ (columns + filter_offset)
            if bias is not None:
                acc = acc + bias.to(torch.float64)
        acc = acc.to(torch.int64).reshape(*x.shape[:-1], -1)
        scaled = self._scalar_requantize(acc, multipliers[0], shifts[0])
        return self._finish(scaled, output_offset, low, high)

    # --- elementwise ---

    def cortex_m_quantized_add(
        self,
        a: Any,
        a_zero_point: int,
        a_multiplier: int,
        a_shift: int,
        b: Any,
        b_zero_point: int,
        b_multiplier: int,
        b_shift: int,
        zero_point: int,
        multiplier: int,
        shift: int,
        low: int,
        high: int,
    ) -> Any:
        int64 = self.torch.int64
        left = self._scalar_requantize((a.to(int64) - a_zero_point) << 20, a_multiplier, a_shift)
        right = self._scalar_requantize((b.to(int64) - b_zero_point) << 20, b_multiplier, b_shift)
        scaled = self._scalar_requantize(left + right, multiplier, shift)
        return self._finish(scaled, zero_point, low, high)

    def cortex_m_quantized_mul(
        self,
        a: Any,
        a_zero_point: int,
        b: Any,
        b_zero_point: int,
        zero_point: int,
        multiplier: int,
        shift: int,
    ) -> Any:
        int64 = self.torch.int64
        product = (a.to(int64) - a_zero_point) * (b.to(int64) - b_zero_point)
        return self._finish(
            self._scalar_requantize(product, multiplier, shift), zero_point, -128, 127
        )

    def cortex_m_quantized_activation(self, x: Any, table: Any) -> Any:
        return table[x.to(self.torch.int64) + 128]

    def cortex_m_minimum(self, a: Any, b: Any) -> Any:
        return self.torch.minimum(a, b)

    def cortex_m_maximum(self, a: Any, b: Any) -> Any:
        return self.torch.maximum(a, b)

    def cortex_m_transpose(self, x: Any, perm: list[int]) -> Any:
        return x.permute(tuple(perm))

    # --- pools, pad, softmax ---

    def cortex_m_quantized_avg_pool2d(
        self,
        x: Any,
        kernel: list[int],
        stride: list[int],
        padding: list[int],
        ceil_mode: bool,
        zero_point: int,
        multiplier: int,
        shift: int,
        scratch: Any,
    ) -> Any:
        del zero_point, multiplier, shift, scratch  # The average of q needs no scale.
        torch = self.torch

        def window_sum(values: Any) -> Any:
            return self.functional.avg_pool2d(
                values.to(torch.float64).contiguous(),
                _pair(kernel),
                stride=_pair(stride),
                padding=_pair(padding),
                ceil_mode=ceil_mode,
                divisor_override=1,
            ).to(torch.int64)

        acc = window_sum(x)
        count = window_sum(torch.ones_like(x))
        half = count // 2
        rounded = torch.div(acc + torch.where(acc > 0, half, -half), count, rounding_mode="trunc")
        return rounded.clamp(-128, 127).to(torch.int8)

    def cortex_m_quantized_max_pool2d(
        self,
        x: Any,
        kernel: list[int],
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        ceil_mode: bool,
        input_zero_point: int,
        output_zero_point: int,
        low: int,
        high: int,
    ) -> Any:
        del input_zero_point, output_zero_point  # Equal, or the exporter would not have used it.
        torch = self.torch
        result = self.functional.max_pool2d(
            x.to(torch.float32).contiguous(),
            _pair(kernel),
            stride=_pair(stride),
            padding=_pair(padding),
            dilation=_pair(dilation),
            ceil_mode=ceil_mode,
        )
        return result.clamp(low, high).to(torch.int8)

    def cortex_m_pad(self, x: Any, pre: list[int], post: list[int], value: int) -> Any:
        rank = x.dim()
        nhwc = rank == 4 and (
            x.shape[1] == 1 or x.shape[2] == x.shape[3] == 1 or x.dim_order()[:2] == (0, 2)
        )
        order = (0, 3, 1, 2) if nhwc else (0, 1, 2, 3)  # padding comes in memory order
        before, after = ([pad[i] for i in order][4 - rank :] for pad in (pre, post))
        padding = [p for pair in reversed(list(zip(before, after, strict=True))) for p in pair]
        return self.functional.pad(x, padding, mode="constant", value=value)

    def cortex_m_softmax(
        self,
        x: Any,
        dim: int,
        input_zero_point: int,
        output_zero_point: int,
        multiplier: int,
        shift: int,
        diff_min: int,
    ) -> Any:
        from mcugen.fixed_point import softmax_s8

        del input_zero_point, output_zero_point  # Differences only; the output's is always -128.
        rows = x.movedim(dim, -1).contiguous().numpy()
        result = self.torch.from_numpy(softmax_s8(rows, multiplier, shift, diff_min))
        return result.movedim(-1, dim)


def _pair(value: Sequence[int]) -> tuple[int, int]:
    return (value[0], value[0]) if len(value) == 1 else (value[0], value[1])
