# SPDX-License-Identifier: BSD-3-Clause
"""What each operator computes, in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcugen.base.errors import PteError, UnsupportedOperatorError
from mcugen.base.explain import first_line
from mcugen.base.quiet import quiet
from mcugen.program.artifact import DTYPES
from mcugen.program.operator_table import operator as operator_entry
from mcugen.program.reference.registry import COMPUTED


def register() -> None:
    """Register the functions of ours. Imports torch."""
    from mcugen.program.reference import (  # noqa: F401
        edges,
        elementwise,
        norms,
        packed,
        packed_conv,
        packed_conv_depthwise,
        pools,
        products,
        recurrent,
    )


class Operators:
    """Operator name to what computes it: a function of ours, of the wheel, or of torch."""

    def __init__(self, torch: Any) -> None:
        register()
        self.torch = torch

    def bind(self, name: str, args: list[Any]) -> Callable[[], None]:
        """Return a call without arguments that computes one instruction into its `out` tensor.

        The exporter's instruction repeats `out` as the return value: arguments, out, out.
        """
        namespace, _, rest = name.partition("::")
        operator, _, overload = rest.partition(".")
        own = COMPUTED.get(f"{namespace}::{operator}")
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
        if namespace == "mcugen" and own is not None:
            return self._own_operator(name, own, args)
        return self._torch_operator(name, namespace, operator, overload, args)

    def _own_operator(
        self, name: str, compute: Callable[..., Any], args: list[Any]
    ) -> Callable[[], None]:
        """Return a call of an operator of our namespace, which may have several outputs."""
        count = len(operator_entry(name).outputs)
        inputs, outs = args[: -1 - count], args[-1 - count : -1]

        def call() -> None:
            results = compute(*inputs)
            results = results if isinstance(results, tuple) else (results,)
            for result, out in zip(results, outs, strict=True):
                if result.dtype != out.dtype or result.shape != out.shape:
                    raise PteError(
                        f"{name} computes {_described(result)}, its output is {_described(out)}"
                    )
                out.copy_(result)

        return call

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


def _described(tensor: Any) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
