# SPDX-License-Identifier: BSD-3-Clause
"""Which forms of the kernels a program takes, and so which an image can do without.

The kernels decide when they are called, by shapes, scaling and scratch; all of that is known here.
This repeats their decisions, and where it is not sure says that a call takes every form that its
kernel has. The names are those of `firmware/kernels/forms.h`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcugen.boards.spec import Isa
from mcugen.program import call_tensors
from mcugen.program.artifact import PteArtifact
from mcugen.program.calls import call_macs, changed_values
from mcugen.program.container import deserialize, find_method
from mcugen.program.level import Level
from mcugen.program.operator_table import PRIM, operator, supported
from mcugen.program.packing.edit import Call, Method
from mcugen.program.scratch import Window, padded_taps, plane_row_bytes, plane_rows
from mcugen.program.values import tensor_bytes

_GEMM = frozenset({"kTiles", "kTilesExact", "kScale8", "kScale2", "kBorder"})
_CONV = _GEMM | {"kConvScalar", "kWinograd"}
_PLANES = frozenset(
    f"kPlanes{stride}{kind}" for stride in (1, 2) for kind in ("By32", "By64", "By128", "Exact")
)
_DEPTHWISE = (
    _GEMM
    | _PLANES
    | {"kPlanesAnyScaling", "kDepthwiseAsConv", "kDepthwiseFour", "kDepthwiseScalar"}
)
_LINEAR = frozenset({"kLinearRows", "kLinearScalar"})
_PACKED = frozenset({"kPackedRows", "kPackedRowsExact", "kPackedLinearScalar"})
_AVG_POOL = frozenset({"kAvgPoolRows", "kAvgPoolScalar"})
#: All that can be left out.
FORMS = _CONV | _DEPTHWISE | _LINEAR | _PACKED | _AVG_POOL

#: As in gemm_s8_dsp.cpp, winograd_s8_dsp.cpp and depthwise_conv2d_s8_dsp.cpp.
_ALL_ZERO_SHIFT = 31
_MOST_SHIFT = 24
_WINOGRAD_BITS = 2
_FEWEST_PIXELS = 16
_PLANE_SHIFT = 13
_PLANE_BITS = (2, 8)
_PLANE_SUMS = 9 * 255 * 128 + 1


@dataclass(frozen=True)
class CallForm:
    """How one call is computed."""

    call: int  #: among all kernel calls
    form: str  #: "winograd F(2x2, 3x3)"
    why: str  #: "3x3, stride 1, 16 channels; 12,288 B of scratch"
    takes: frozenset[str]  #: of FORMS: those that it may take
    scratch: int = 0  #: bytes
    macs: int = 0


def call_forms(artifact: PteArtifact, isa: Isa, level: Level) -> tuple[CallForm, ...]:
    """Return the form of each call of a kernel that has several, in the order of the program."""
    file = deserialize(artifact.pte, name=artifact.name)
    plan = find_method(file.program, name=artifact.name)
    return forms_of(file.program, plan, isa, level)


def forms_of(program: Any, plan: Any, isa: Isa, level: Level) -> tuple[CallForm, ...]:
    """Return the same of an ExecutionPlan of executorch.exir.schema."""
    method = Method(program, plan)
    changed = changed_values(plan)
    found = []
    for number, call in enumerate(_kernel_calls(method)):
        kind = call.name.removesuffix(".out").removesuffix("_nhwc") if call is not None else ""
        if call is None or kind not in _KERNELS:
            continue
        everything, choose = _KERNELS[kind]
        if isa is not Isa.DSP:
            found.append(CallForm(number, "", "", everything))
        elif not call.is_static or not changed.isdisjoint(call.call.args):
            found.append(CallForm(number, "any", "its shape is known at run time", everything))
        else:
            macs = call_macs(plan, call.name, call.call.args)
            found.append(CallForm(number, *choose(call, level), _scratch(call), macs))
    return tuple(_fewer(found) if level is Level.SIZE else found)


def left_out(forms: Iterable[CallForm]) -> frozenset[str]:
    """Return what an image of these calls can do without."""
    return FORMS.difference(*(each.takes for each in forms))


#: Share of a program's multiply-accumulates up to which a form of their own does not pay at `size`.
_LITTLE = 0.01


def _fewer(forms: Sequence[CallForm]) -> list[CallForm]:
    """Let calls share forms that give the same results, in a little more time."""
    found = list(forms)
    little = _LITTLE * sum(each.macs for each in found)
    for rows, scalar in (
        ({"kLinearRows"}, "kLinearScalar"),
        ({"kPackedRows", "kPackedRowsExact"}, "kPackedLinearScalar"),
        ({"kAvgPoolRows"}, "kAvgPoolScalar"),
    ):
        if sum(each.macs for each in found if rows & each.takes) <= little:
            found = [
                replace(each, form="scalar", why=f"{each.why}: little", takes=frozenset({scalar}))
                if rows & each.takes
                else each
                for each in found
            ]
    if any("kTilesExact" in each.takes for each in found):
        found = [_instead(each, {"kTiles"}, "kTilesExact") for each in found]
    for stride in (1, 2):
        loops = [f"kPlanes{stride}{kind}" for kind in ("By32", "By64", "By128", "Exact")]
        taken = [each for each in found if not each.takes.isdisjoint(loops)]
        most = max(
            (loops.index(loop) for each in taken for loop in each.takes & set(loops)), default=0
        )
        row_bytes = (32, 64, 128, 128)[most]
        if all(each.scratch >= 3 * 4 * row_bytes for each in taken):
            found = [_instead(each, set(loops[:most]), loops[most]) for each in found]
    return found


def _instead(form: CallForm, some: set[str], other: str) -> CallForm:
    if form.takes.isdisjoint(some):
        return form
    return replace(form, takes=form.takes - some | {other})


def _kernel_calls(method: Method) -> Iterable[Call | None]:
    """Yield every kernel call, None for one of an operator that the firmware has not."""
    from mcugen.program.values import call_name, kernel_calls

    for each in kernel_calls(method.plan):
        name = call_name(method.plan, each)
        yield Call(method, each) if supported(name) and not name.startswith(PRIM) else None


_Choice = tuple[str, str, frozenset[str]]


def _convolution(call: Call, level: Level) -> _Choice:
    w = _window(call, depthwise=False)
    if w.out_ch // w.groups < 2:
        return "scalar", "one output channel in a group", frozenset({"kConvScalar"})
    scaling = _Scaling.of(call)
    if scaling is None:
        return "any", "its scaling is known at run time", _CONV
    scratch = _scratch(call)
    form, why, takes = _product(w, w.in_ch // w.groups, scaling, scratch, level, "kConvScalar")
    if level is Level.SIZE or not _winograd_shape(w) or scratch < _winograd_bytes(w, 1, 1):
        return form, why, takes
    if not _takes_winograd(w, scaling, scratch):
        return form, f"{why}; winograd would take more", takes | {"kWinograd"}
    why = f"3x3, stride 1, {w.in_ch} channels; {scratch:,} B of scratch"
    return "winograd F(2x2, 3x3)", why, takes | {"kWinograd"}


def _depthwise(call: Call, level: Level) -> _Choice:
    w = _window(call, depthwise=True)
    scaling = _Scaling.of(call)
    if scaling is None:
        return "any", "its scaling is known at run time", _DEPTHWISE
    scratch = _scratch(call)
    shape = f"{w.kernel_h}x{w.kernel_w}, stride {w.stride_h}"
    if w.in_ch == 1 and w.out_ch > 1:
        product = _product(w, 1, scaling, scratch, level, "kDepthwiseScalar")
        return product[0], f"one input channel; {product[1]}", product[2] | {"kDepthwiseAsConv"}
    row = plane_row_bytes(w)
    if row and scaling.output_zero_point > scaling.activation_min:
        row = 128
    if row and scratch // (4 * row) >= 3:
        stride = w.stride_h
        exact = scaling.output_zero_point > scaling.activation_min
        takes = {f"kPlanes{stride}Exact" if exact else f"kPlanes{stride}By{row}"}
        if not _planes_take(scaling):
            takes.add("kPlanesAnyScaling")
        sign = "results of either sign" if exact else f"rows of {row} B"
        return "planes", f"{shape}, {sign}; {scratch:,} B of scratch", frozenset(takes)
    why = shape if not row else f"{shape}; only {scratch:,} B of scratch"
    if w.in_ch >= 4 and w.out_ch == w.in_ch:
        return "four channels at a time", why, frozenset({"kDepthwiseFour"})
    return "scalar", f"{why}, {w.in_ch} channels", frozenset({"kDepthwiseScalar"})


def _depthwise_in_place(call: Call, level: Level) -> _Choice:
    """Return the same with what it may take besides, as its output lies over its input."""
    form, why, takes = _depthwise(call, level)
    others = {"kDepthwiseFour", "kDepthwiseScalar"}
    w = _window(call, depthwise=True)
    exact = f"kPlanes{w.stride_h}Exact"
    # At size a loop for wider rows may do in its place.
    widest = level is Level.SIZE or exact in takes
    if form == "planes" and _stays(w, 128 if widest else plane_row_bytes(w), call):
        return form, f"{why}; in place", takes
    if plane_row_bytes(w) and exact not in takes:  # rows along either axis
        others |= {f"kPlanes{w.stride_h}By{row}" for row in (32, 64, 128)}
    return form, f"{why}; in place", takes | others


def _stays(w: Window, row_bytes: int, call: Call) -> bool:
    """Return whether planes along the axis of their choice do where the output is on the input."""
    along, across, stride = (w.out_w, w.out_h, w.stride_h)
    swapped = plane_rows(w) != w.out_h
    if swapped:
        along, across = across, along
    band = (_scratch(call) // (4 * row_bytes) - 3) // stride + 1
    whole = w.in_ch % 4 == 0 and along <= (60 // stride) & ~1
    return whole and (not swapped or band >= across)


def _linear(call: Call, level: Level) -> _Choice:
    rows, taps = call.sizes("weights")
    if rows < 4 or taps < 4:
        return "scalar", f"{rows} rows of {taps}", frozenset({"kLinearScalar"})
    return "four rows at a time", f"{rows} rows of {taps}", frozenset({"kLinearRows"})


def _matmul(call: Call, level: Level) -> _Choice:
    return "four rows at a time", "a matrix product", _LINEAR


def _packed_linear(call: Call, level: Level) -> _Choice:
    taps = call.sizes("input")[-1]
    if _scratch(call) < 8 * -(-taps // 4):
        return "scalar", f"only {_scratch(call):,} B of scratch", frozenset({"kPackedLinearScalar"})
    exact = bool(call.value("exact").bool_val)
    why = f"{call.integer('rows')} rows of {taps}" + (", results of either sign" if exact else "")
    return "packed rows", why, frozenset({"kPackedRowsExact" if exact else "kPackedRows"})


def _avg_pool(call: Call, level: Level) -> _Choice:
    read = _read(call)
    channels = read.nhwc("input")[3]
    if channels < 4 or read.pair("kernel_size")[1] > 256:
        return "scalar", f"{channels} channels", frozenset({"kAvgPoolScalar"})
    return "four channels at a time", f"{channels} channels", frozenset({"kAvgPoolRows"})


#: By operator: all forms of its kernel, and what chooses among them.
_KERNELS: dict[str, tuple[frozenset[str], Callable[[Call, Level], _Choice]]] = {
    "cortex_m::quantized_conv2d": (_CONV, _convolution),
    "cortex_m::quantized_depthwise_conv2d": (_DEPTHWISE, _depthwise),
    "mcugen::conv2d_in_place": (_CONV, _convolution),
    "mcugen::depthwise_conv2d_in_place": (_DEPTHWISE, _depthwise_in_place),
    "cortex_m::quantized_linear": (_LINEAR, _linear),
    "mcugen::quantized_linear": (_LINEAR, _linear),
    "cortex_m::quantized_batch_matmul": (_LINEAR, _matmul),
    "mcugen::packed_linear": (_PACKED, _packed_linear),
    "cortex_m::quantized_avg_pool2d": (_AVG_POOL, _avg_pool),
}


@dataclass(frozen=True)
class _Scaling:
    """What a convolution's results are made of besides its sums."""

    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]  #: positive to the left
    biases: tuple[int, ...]
    input_zero_point: int
    output_zero_point: int
    activation_min: int

    @classmethod
    def of(cls, call: Call) -> _Scaling | None:
        """Return None where it is no constant of the program."""
        multipliers = call.constant("requantize_multipliers")
        shifts = call.constant("requantize_shifts")
        bias = np.zeros(1, np.int32) if call.is_none("bias") else call.constant("bias")
        if multipliers is None or shifts is None or bias is None:
            return None
        return cls(
            _numbers(multipliers),
            _numbers(shifts),
            _numbers(bias),
            -call.integer("input_offset"),
            call.integer("output_offset"),
            call.integer("activation_min"),
        )

    @property
    def goes_right(self) -> bool:
        return max(self.shifts) <= -1 and min(self.multipliers) >= 0

    def sums_below(self, taps: int) -> int:
        """Return what no sum of so many products reaches, either sign."""
        bias = max(max(each, ~each) for each in self.biases)
        widest = max(self.input_zero_point + 128, 127 - self.input_zero_point)
        return widest * 128 * taps + bias + 1

    def has_wide_shift(self, bits: int) -> bool:
        return any(_MOST_SHIFT < bits - shift <= _ALL_ZERO_SHIFT for shift in self.shifts)


def _numbers(array: np.ndarray) -> tuple[int, ...]:
    return tuple(int(each) for each in array.ravel())


def _product(
    w: Window, in_ch: int, scaling: _Scaling, scratch: int, level: Level, scalar: str
) -> _Choice:
    """Return what convolve_s8() in im2col_s8_dsp.cpp takes, or the scalar form."""
    taps = w.kernel_h * w.kernel_w * in_ch
    shape = f"{w.kernel_h}x{w.kernel_w}, stride {w.stride_h}, {taps} taps"
    padded = padded_taps(w, in_ch)
    fixed, pair = 4 * padded + 32 + 2 * padded + 8, 4 * padded
    fits = [bits for bits in (8, 2) if scaling.sums_below(taps) < 1 << 31 - bits]
    if scratch < fixed + pair:
        return "scalar", f"{shape}; only {scratch:,} B of scratch", frozenset({scalar})
    if not scaling.goes_right or not fits:
        return "scalar", f"{shape}; its scaling", frozenset({scalar})
    bits = fits[0]
    exact = scaling.output_zero_point > scaling.activation_min or scaling.has_wide_shift(bits)
    takes = {"kTilesExact" if exact else "kTiles", f"kScale{bits}"}
    if level is not Level.SIZE and not _whole(w) and scratch // 3 >= fixed + pair:
        takes.add("kBorder")
    sign = ", results of either sign" if exact else ""
    return "gemm", f"{shape}{sign}; {scratch:,} B of scratch", frozenset(takes)


def _whole(w: Window) -> bool:
    """Return whether no window reaches over the image."""
    height = (w.out_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1
    width = (w.out_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    return w.pad_top == w.pad_left == 0 and height <= w.in_h and width <= w.in_w


def _winograd_shape(w: Window) -> bool:
    plain = (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w)
    inside = min(w.out_w + 2 - w.pad_left, w.in_w)
    return (
        plain == (3, 3, 1, 1, 1, 1)
        and (w.groups == 1 and w.in_ch <= 64 and w.in_ch % 4 == 0 and w.out_ch >= 2)
        and (w.out_h % 2 == 0 and w.out_w % 4 == 0 and inside >= 1)
    )


def _winograd_bytes(w: Window, tile_rows: int, pairs: int) -> int:
    fixed = w.in_w * w.in_ch + 32 * (w.out_w + 2)
    return fixed + tile_rows * 16 * w.in_ch * w.out_w + pairs * (64 * w.in_ch + 64)


def _takes_winograd(w: Window, scaling: _Scaling, scratch: int) -> bool:
    """Return whether winograd_s8() does, of a shape that it takes."""
    if (
        not scaling.goes_right
        or scaling.has_wide_shift(_WINOGRAD_BITS)
        or scaling.sums_below(9 * w.in_ch) >= 1 << 31 - _WINOGRAD_BITS
    ):
        return False
    tile_rows, all_pairs = w.out_h // 2, (w.out_ch + 1) // 2
    fewest = None
    for rows in range(1, tile_rows + 1):
        room = scratch - _winograd_bytes(w, rows, 0)
        pairs = min(room // (64 * w.in_ch + 64), all_pairs)
        if pairs < 1:
            break
        kept = pairs if pairs == all_pairs else pairs - 1
        transformed = kept + -(-tile_rows // rows) * (all_pairs - kept)
        fewest = transformed if fewest is None else min(fewest, transformed)
    return fewest is not None and w.out_h * w.out_w * all_pairs >= _FEWEST_PIXELS * fewest


def _planes_take(scaling: _Scaling) -> bool:
    """Return whether the loops over planes have the scaling of every channel."""
    biases = np.broadcast_to(scaling.biases, len(scaling.shifts))
    for multiplier, shift, bias in zip(scaling.multipliers, scaling.shifts, biases, strict=True):
        size = max(int(bias), ~int(bias))
        right = -shift
        if right > 31 or (right > _PLANE_SHIFT and size + _PLANE_SUMS < 1 << right - 1):
            continue
        bits = _PLANE_SHIFT - right
        least, most = _PLANE_BITS
        if not least <= bits <= most or multiplier < 0 or size >= (1 << 31 - bits) - _PLANE_SUMS:
            return False
    return True


def _read(call: Call) -> call_tensors.Call:
    return call_tensors.Call(call.method.plan, operator(call.name), call.call.args)


def _window(call: Call, *, depthwise: bool) -> Window:
    return Window.of(_read(call), depthwise=depthwise)


def _scratch(call: Call) -> int:
    """Return the bytes of a call's scratch: the planner puts it where nothing overlaps it."""
    if not call.has("scratch"):
        return 0
    tensor = call.value("scratch")
    if type(tensor).__name__ != "Tensor" or tensor.allocation_info is None:
        return 0
    return tensor_bytes(tensor) - (-tensor.allocation_info.memory_offset_low & 7)
