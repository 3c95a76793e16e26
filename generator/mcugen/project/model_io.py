# SPDX-License-Identifier: BSD-3-Clause
"""A model's inputs and outputs, as a project's header, README and manifest tell of them."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcugen.project.contexts import ModelIoContext, TensorRow

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact, TensorSpec

_ELEMENTS = {"float32": "float", "float64": "double", "float16": "uint16_t", "bool": "bool"}
_LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
#: What no namespace may be called: C++17's keywords, and macros of the C library.
_RESERVED = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const
    constexpr const_cast continue decltype default delete do double dynamic_cast else enum errno
    explicit export extern false float for friend goto if inline int long mutable namespace new
    noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
    return short signed sizeof static static_assert static_cast stderr stdin stdout struct switch
    template this thread_local throw true try typedef typeid typename union unix unsigned using
    virtual void volatile wchar_t while xor xor_eq
"""
_RESERVED_NAMES = frozenset(_RESERVED.split())


def model_io_context(artifact: PteArtifact) -> ModelIoContext:
    """Return the context of include/model_io.h."""
    return ModelIoContext(
        model_name=f"{artifact.name!a}",
        inputs=tensor_rows(artifact.inputs, "input"),
        outputs=tensor_rows(artifact.outputs, "output"),
    )


def tensor_rows(specs: Sequence[TensorSpec], side: str) -> tuple[TensorRow, ...]:
    """Return what header and README say of each tensor; side: "input" or "output"."""
    return tuple(
        _row(spec, side, index, identifier)
        for index, (spec, identifier) in enumerate(zip(specs, _identifiers(specs), strict=True))
    )


def tensor_document(spec: TensorSpec) -> dict[str, Any]:
    """Return what the manifest says of an input or output."""
    return {
        "name": spec.name,
        "dtype": spec.dtype,
        "shape": list(spec.shape),
        "dim_order": list(spec.dim_order),
        "memory_order": spec.memory_order,
        "bytes": spec.nbytes,
        "scale": spec.scale,
        "zero_point": spec.zero_point,
        "fixed": spec.fixed,
    }


def _row(spec: TensorSpec, side: str, index: int, identifier: str) -> TensorRow:
    quantized = spec.scale is not None and spec.dtype in _LIMITS
    return TensorRow(
        side=side,
        index=index,
        identifier=identifier,
        # A name may hold anything: the key of a dict.
        title=spec.name if spec.name == identifier else f"{spec.name!a}",
        dtype=spec.dtype,
        element=_ELEMENTS.get(spec.dtype, f"{spec.dtype}_t"),
        sizes=spec.shape,
        elements=math.prod(spec.shape),
        nbytes=spec.nbytes,
        memory=spec.memory_order,
        meaning=_meaning(spec),
        axes=_axes(spec),
        offset=_offset(spec),
        scale=float_literal(spec.scale) if quantized and spec.scale else None,
        inverse_scale=float_literal(1.0 / spec.scale) if quantized and spec.scale else None,
        zero_point=spec.zero_point or 0,
        fixed=spec.fixed is not None,
    )


def _meaning(spec: TensorSpec) -> str:
    if spec.fixed is not None:
        return f"Always {spec.fixed:g}, as when the model was exported; it is there already"
    if spec.dtype not in _LIMITS:
        return "Real values as they are" if spec.dtype.startswith("float") else "Plain numbers"
    if not spec.scale:
        return "The .pte does not record what real values they stand for"
    zero_point = spec.zero_point or 0
    least, most = ((limit - zero_point) * spec.scale for limit in _LIMITS[spec.dtype])
    steps = f"(q {'+' if zero_point < 0 else '-'} {abs(zero_point)})" if zero_point else "q"
    return f"real = {spec.scale:.6g} * {steps}, {least:.4g} to {most:.4g}"


def _identifiers(specs: Sequence[TensorSpec]) -> list[str]:
    """Return a C++ identifier for each name, no two the same."""
    found: list[str] = []
    for spec in specs:
        # Two underscores side by side, and one before a capital, are the compiler's.
        plain = "_".join(re.findall(r"[A-Za-z0-9]+", spec.name)) or "tensor"
        plain = f"tensor_{plain}" if plain[0].isdigit() else plain
        plain = f"{plain}_" if plain in _RESERVED_NAMES else plain
        name, number = plain, 1
        while name in found:
            number += 1
            name = f"{plain}_{number}"
        found.append(name)
    return found


def _axes(spec: TensorSpec) -> tuple[str, ...]:
    if len(spec.shape) == 4:
        return ("n", "c", "h", "w")
    return tuple(f"i{axis}" for axis in range(len(spec.shape)))


def _offset(spec: TensorSpec) -> str:
    """Return the C++ expression of an element's place in memory: "(n * 8 + h) * 8 + w"."""
    axes = _axes(spec)
    text = ""
    for axis in spec.dim_order:
        text = f"({text}) * {spec.shape[axis]} + {axes[axis]}" if text else axes[axis]
    return text.replace(f"({axes[spec.dim_order[0]]})", axes[spec.dim_order[0]]) if text else "0"


def float_literal(value: float) -> str:
    """Return `value`, rounded to float, as a C literal of that type."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return f"{rounded!r}f"
