# SPDX-License-Identifier: BSD-3-Clause
"""What each operator computes, in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import PteError, UnsupportedOperatorError
from mcugen.base.explain import first_line
from mcugen.base.quiet import quiet
from mcugen.program.artifact import DTYPES

if TYPE_CHECKING:
    pass


class Operators:
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
                result = compute(*inputs)
                if operator == "_to_dim_order_copy":  # the one that converts
                    result = result.to(out.dtype)
                if result.dtype != out.dtype or result.shape != out.shape:
                    raise PteError(
                        f"{name} computes {_described(result)}, its output is {_described(out)}"
                    )
                out.copy_(result)

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

        written = [
            (value, value.shape, value.data_ptr())
            for value, argument in zip(args, schema, strict=False)
            if argument.is_out and isinstance(value, self.torch.Tensor)
        ]

        def call() -> None:
            try:
                function(*positional, **keywords)
            except RuntimeError as error:
                raise PteError(f"{name}: {first_line(error)}") from error
            for value, shape, place in written:
                # torch resizes an output that does not suit; the device refuses it.
                if value.shape != shape or value.data_ptr() != place:
                    raise PteError(
                        f"{name} computes {_described(value)}, its output has shape {list(shape)}"
                    )

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
        from mcugen.program.reference.fixed_point import softmax_s8

        del input_zero_point, output_zero_point  # Differences only; the output's is always -128.
        rows = x.movedim(dim, -1).contiguous().numpy()
        result = self.torch.from_numpy(softmax_s8(rows, multiplier, shift, diff_min))
        return result.movedim(-1, dim)


def _described(tensor: Any) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _pair(value: Sequence[int]) -> tuple[int, int]:
    return (value[0], value[0]) if len(value) == 1 else (value[0], value[1])
