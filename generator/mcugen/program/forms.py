# SPDX-License-Identifier: BSD-3-Clause
"""Which forms of the kernels a program takes, and so which an image can do without.

The kernels decide when they are called, by shapes, scaling and scratch; all of that is known here.
Only what is plain to see is decided here as well: where a call may take one form or another, both
are kept. The names are those of `firmware/kernels/forms.h`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mcugen.boards.spec import BoardSpec, Isa
from mcugen.program import call_tensors
from mcugen.program.artifact import PteArtifact
from mcugen.program.calls import call_macs, changed_values
from mcugen.program.container import deserialize, find_method
from mcugen.program.conv_words import ConvDepthwise, ConvForm
from mcugen.program.kept import kept
from mcugen.program.level import Level
from mcugen.program.operator_table import PRIM, operator, supported
from mcugen.program.packing.edit import Call, Method
from mcugen.program.packing.scalar_choice import may_be_scalar
from mcugen.program.scratch import (
    NOTHING,
    is_for_planes,
    packed_product_bytes,
    product_bytes,
    winograd4_bytes,
    winograd_bytes,
    winograd_need,
)
from mcugen.program.values import tensor_bytes
from mcugen.program.window import Window

_FOUR = "kFourPixels"
_GEMM = frozenset({"kGemm", "kBorder", _FOUR})
_CONV = _GEMM | {"kConvScalar", "kWinograd", "kNeighbours", "kChoice"}
_DEPTHWISE = _GEMM | frozenset(
    {"kDepthwiseAsConv", "kPlanes", "kDepthwiseFour", "kDepthwiseScalar", "kChoice"}
)
_TRANSPOSE = frozenset({"kTransposeRows", "kTransposeScalar"})
_LINEAR = frozenset({"kLinearRows", "kLinearScalar"})
_PACKED = frozenset({"kPackedRows", "kPackedRowsExact", "kPackedLinearScalar"})
_PACKED_CONV = frozenset(
    {"kPackedGemm", "kPackedWinograd", "kPackedWinograd4", "kPackedConvScalar", "kBorder", _FOUR}
)
_CONV_DEPTHWISE = frozenset({"kConvDepthwise", "kConvDepthwiseScalar", "kBorder"})
_AVG_POOL = frozenset({"kAvgPoolRows", "kAvgPoolScalar"})
_MAX_POOL = frozenset({"kMaxPoolRows", "kMaxPoolScalar"})
#: Memory of the temp allocator: a planned program has in its scratch all that it is to have.
_TEMP = frozenset({"kTemp"})
#: Operators that take it where they have less scratch.
_LENT = frozenset(
    {
        "cortex_m::quantized_conv2d",
        "cortex_m::quantized_depthwise_conv2d",
        "mcugen::conv2d_in_place",
        "mcugen::depthwise_conv2d_in_place",
        *("mcugen::packed_linear", "mcugen::packed_linear_5x4", "mcugen::packed_linear_4x4"),
    }
)
#: All that can be left out.
FORMS = _TEMP.union(
    *(_CONV, _DEPTHWISE, _TRANSPOSE, _LINEAR, _PACKED, _PACKED_CONV, _CONV_DEPTHWISE),
    *(_AVG_POOL, _MAX_POOL),
)

#: Of a border, at most one such part of the scratch: kShare in im2col_s8_dsp.cpp.
_BORDER_SHARE = 3
#: Multipliers but for 0, and sums, of which gemm_s8_dsp.cpp makes results.
_LEAST_MULTIPLIER = 1 << 30
_MOST_SUM = 1 << 31
#: Places of a row of a plane, besides those that a window reaches over its end.
_PLANE_COLUMNS, _SHORT_PLANE_COLUMNS = 64, 32
_MOST_PLANE_COLUMNS = _PLANE_COLUMNS - 4
#: Maxima of fewer channels go by strips of rows: pool2d_s8_strips.h.
_FEW_CHANNELS, _STRIP_BYTES = 16, 256
#: Of a depthwise convolution with a multiplier: kFewOutputs in depthwise_conv2d_s8_dsp.cpp.
_FEW_OUTPUTS = 8
#: transpose_rows_pay() in transpose_conv2d_s8_rows.h, with the DSP extension.
_FEW_TAPS, _MANY_CHANNELS, _MOST_CHANNELS = 4, 24, 128
#: With as many taps, four rows of a linear layer are quicker than four by the scalar form, whatever
#: else there is: linear_s8_rows_pay().
_FEW_LINEAR_TAPS = 32
#: Said of a matrix product where four pixels go together.
_BY_FOUR = " of four pixels"
#: Where the numbers before packed weights say that results may be below the zero point.
_EXACT = 4


@dataclass(frozen=True)
class CallForm:
    """How one call is computed."""

    call: int  #: among all kernel calls
    form: str  #: "winograd F(2x2, 3x3)"
    why: str  #: "3x3, stride 1, 16 channels; 12,288 B of scratch"
    takes: frozenset[str]  #: of FORMS: those that it may take
    work: int = 0  #: multiply-accumulates, or what is added up


def call_forms(artifact: PteArtifact, board: BoardSpec, level: Level) -> tuple[CallForm, ...]:
    """Return the form of each call of a kernel that has several, in the order of the program."""
    temp = artifact.temp_bytes if artifact.own_runtime else 0

    def make() -> list[dict[str, Any]]:
        file = deserialize(artifact.pte, name=artifact.name)
        plan = find_method(file.program, name=artifact.name)
        found = forms_of(file.program, plan, board.isa, level, temp, by_cycles=board.loads_are_dear)
        return [{**vars(each), "takes": sorted(each.takes)} for each in found]

    def read(document: list[dict[str, Any]]) -> tuple[CallForm, ...]:
        return tuple(map(_from_json, document))

    key = {"isa": board.isa.value, "level": level.value, "by_cycles": board.loads_are_dear}
    return kept("forms", artifact, make, read, **key, temp=temp)


def _from_json(document: dict[str, Any]) -> CallForm:
    return CallForm(**{**document, "takes": frozenset(document["takes"])})


def forms_of(
    program: Any, plan: Any, isa: Isa, level: Level, temp: int = 0, *, by_cycles: bool = False
) -> tuple[CallForm, ...]:
    """Return the same of an ExecutionPlan of executorch.exir.schema.

    temp: bytes of the temp allocator, which calls may take where they have less scratch.
    by_cycles: take loops of fewer loads and more instructions: BoardSpec.loads_are_dear.
    """
    method = Method(program, plan)
    changed = changed_values(plan)
    found = []
    for number, call in enumerate(_kernel_calls(method)):
        kind = call.name.removesuffix(".out").removesuffix("_nhwc") if call is not None else ""
        if call is None:
            continue
        lent = kind in _LENT and _scratch(call) < temp
        if kind not in _KERNELS:
            if lent:
                found.append(CallForm(number, "", "", _TEMP))
            continue
        everything, choose = _KERNELS[kind]
        if lent:
            everything |= _TEMP
        if isa is not Isa.DSP:
            if "kNeighbours" in everything and not _has_neighbours(call, isa, level):
                everything = everything - {"kNeighbours"}
            if "kChoice" in everything and not _may_lie_outside(call, isa):
                everything = everything - {"kChoice"}
            found.append(CallForm(number, "", "", everything))
        elif not call.is_static or not changed.isdisjoint(call.call.args):
            found.append(CallForm(number, "any", "its shape is known at run time", everything))
        elif lent:
            why = f"{_scratch(call):,} B of scratch, up to {temp:,} B of temporary memory"
            found.append(CallForm(number, "any", why, everything, _work(call)))
        else:
            found.append(CallForm(number, *choose(call, level), _work(call)))
    found = found if by_cycles and level is not Level.SIZE else [_without_four(e) for e in found]
    return tuple(_fewer(found) if level is Level.SIZE else found)


def _without_four(call: CallForm) -> CallForm:
    return replace(call, form=call.form.replace(_BY_FOUR, ""), takes=call.takes - {_FOUR})


def left_out(forms: Iterable[CallForm]) -> frozenset[str]:
    """Return what an image of these calls can do without."""
    return FORMS.difference(*(each.takes for each in forms))


#: Share of a program's work up to which a form of their own does not pay at `size`.
_LITTLE = 0.01


def _fewer(forms: Sequence[CallForm]) -> list[CallForm]:
    """Let calls that are little do without forms of their own: the scalar one does for all."""
    found = list(forms)
    little = _LITTLE * sum(each.work for each in found)
    for rows, scalar in (
        ({"kLinearRows"}, "kLinearScalar"),
        ({"kPackedRows", "kPackedRowsExact"}, "kPackedLinearScalar"),
        ({"kAvgPoolRows"}, "kAvgPoolScalar"),
    ):
        if sum(each.work for each in found if rows & each.takes) <= little:
            found = [
                replace(each, form="scalar", why=f"{each.why}: little", takes=frozenset({scalar}))
                if rows & each.takes
                else each
                for each in found
            ]
    return found


def _work(call: Call) -> int:
    if call.name.startswith("cortex_m::quantized_avg_pool2d"):
        read = _read(call)
        return math.prod(read.nhwc("out")) * math.prod(read.pair("kernel_size"))
    return call_macs(call.method.plan, call.name, call.call.args)


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
    form, why, takes = _product(call, w, w.in_ch // w.groups, level, "kConvScalar")
    if "scalar" not in form and may_be_scalar(w, _scratch(call), Isa.DSP):
        form, why = f"{form} or scalar", f"{why}; little work, or few windows inside of the image"
        takes |= {"kConvScalar", "kChoice"}
    if (
        level is Level.SIZE
        or winograd_need(w) == NOTHING
        or _scratch(call) < winograd_bytes(w, 1, 1)
    ):
        return form, why, takes
    return f"winograd or {form}", why, takes | {"kWinograd"}


def _product(call: Call, w: Window, in_ch: int, level: Level, scalar: str) -> _Choice:
    """Return what convolve_s8() in im2col_s8_dsp.cpp takes, or the scalar form."""
    taps, scratch = w.kernel_h * w.kernel_w * in_ch, _scratch(call)
    why = f"{w.kernel_h}x{w.kernel_w}, stride {w.stride_h}, {taps} taps; {scratch:,} B of scratch"
    pair = product_bytes(w, in_ch, 1)
    if scratch < pair:
        return "scalar", why, frozenset({scalar})
    takes = {"kGemm"}
    if level is not Level.SIZE and w.batch == 1 and scratch // _BORDER_SHARE >= pair:
        takes |= set() if _is_whole(w) else {"kBorder"}
    four = scratch >= product_bytes(w, in_ch, 2) and w.pixels >= 4
    form, takes = ("gemm" + _BY_FOUR, takes | {_FOUR}) if four else ("gemm", takes)
    if not _scales(call, taps):
        return f"{form} or scalar", why, frozenset(takes | {scalar})
    return form, why, frozenset(takes)


def _scales(call: Call, taps: int) -> bool:
    """Return whether gemm_s8_prepare() is sure to take a layer."""
    multipliers = call.constant("requantize_multipliers")
    shifts = call.constant("requantize_shifts")
    bias = np.zeros(1, np.int32) if call.is_none("bias") else call.constant("bias")
    if multipliers is None or shifts is None or bias is None:
        return False
    zero_point = -call.integer("input_offset")
    most_bias = int(np.abs(bias.astype(np.int64)).max())
    most = max(zero_point + 128, 127 - zero_point) * 128 * taps + most_bias + 1
    normal = (multipliers == 0) | (multipliers >= _LEAST_MULTIPLIER)
    return bool(shifts.max() <= -1 and normal.all()) and most < _MOST_SUM


def _has_neighbours(call: Call, isa: Isa, level: Level) -> bool:
    """Return whether a call may take the loops of mve_neighbours() in loops_mve.S."""
    if isa is not Isa.MVE or level is Level.SIZE:
        return False
    if not call.is_static:
        return True
    w = _window(call, depthwise=False)
    taken = {(channels, 1) for channels in (16, 32, 64)} | {(16, 2), (32, 2)}
    return w.kernel_h == w.kernel_w == 3 and (w.in_ch, w.stride_w) in taken


def _may_lie_outside(call: Call, isa: Isa) -> bool:
    """Return whether a kernel estimates what the scalar form takes: conv_choice.h."""
    if isa is not Isa.SCALAR:
        return False
    if not call.is_static:
        return True
    depthwise = "depthwise" in call.name
    w = _window(call, depthwise=depthwise)
    plain = (w.kernel_h, w.kernel_w, w.dilation_h, w.dilation_w) == (3, 3, 1, 1)
    if depthwise:
        return not plain and w.in_ch > 1
    return may_be_scalar(w, _scratch(call), isa)


def _is_whole(w: Window) -> bool:
    """Return whether no window reaches over the image."""
    height = (w.out_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1
    width = (w.out_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    return w.pad_top == w.pad_left == 0 and height <= w.in_h and width <= w.in_w


def _depthwise(call: Call, level: Level) -> _Choice:
    w = _window(call, depthwise=True)
    if w.in_ch == 1 and w.out_ch > 1:
        form, why, takes = _product(call, w, 1, level, "kDepthwiseScalar")
        if may_be_scalar(replace(w, groups=1), _scratch(call), Isa.DSP):
            why, takes = f"{why}; or scalar", takes | {"kDepthwiseScalar", "kChoice"}
        return form, f"one input channel, {why}", takes | {"kDepthwiseAsConv"}
    scratch = _scratch(call)
    why = f"{w.kernel_h}x{w.kernel_w}, stride {w.stride_h}, {w.in_ch} channels"
    four = w.in_ch >= 4 and w.out_ch == w.in_ch
    form = "four channels at a time" if four else "scalar"
    takes = frozenset({"kDepthwiseFour" if four else "kDepthwiseScalar"})
    if four and w.in_ch < 8 and w.in_ch % 4:  # some twice: not where taps are few
        form, takes = f"{form} or scalar", takes | {"kDepthwiseScalar"}
    if not is_for_planes(w):
        return form, why, takes
    if w.out_ch > w.in_ch and w.out_h * w.out_w < _FEW_OUTPUTS:
        return form, f"{why}, few outputs", takes
    why = f"{why}; {scratch:,} B of scratch"
    if scratch < _plane_bytes(_SHORT_PLANE_COLUMNS):
        return form, why, takes
    exact = call.integer("output_offset") > call.integer("activation_min")
    if _takes_planes(w, scratch, exact):
        return "planes", why, frozenset({"kPlanes"})
    return f"planes or {form}", why, takes | {"kPlanes"}


def _plane_bytes(columns: int) -> int:
    """Return what one row of outputs takes: three rows each of four planes of 16-bit numbers."""
    return 3 * 4 * 2 * columns


def _takes_planes(w: Window, scratch: int, exact: bool) -> bool:
    """Return whether `Planes` in depthwise_conv2d_s8_dsp.cpp is sure to fit.

    Along either axis, and where the output lies over the input.
    """
    longest = max(w.out_h, w.out_w)
    if longest > (_MOST_PLANE_COLUMNS // w.stride_w & ~1) or min(w.out_h, w.out_w) < 2:
        return False
    short = not exact and w.stride_w * (longest - 1) + 4 <= _SHORT_PLANE_COLUMNS
    columns = _SHORT_PLANE_COLUMNS if short else _PLANE_COLUMNS
    return w.in_ch % 4 == 0 and scratch >= _plane_bytes(columns)


def _transpose(call: Call, level: Level) -> _Choice:
    w = _window(call, depthwise=False)
    taps = w.kernel_h * w.kernel_w
    many = _MOST_CHANNELS if w.stride_h * w.stride_w > taps else _MANY_CHANNELS
    if w.out_ch < 4 and taps <= _FEW_TAPS and w.in_ch < many:
        why = f"{taps} taps, {w.in_ch} to {w.out_ch} channels"
        return "scalar", why, frozenset({"kTransposeScalar"})
    return _by_channels(w.in_ch, "four rows at a time", "kTranspose")


def _max_pool(call: Call, level: Level) -> _Choice:
    read = _read(call)
    channels, width = read.nhwc("input")[3], read.pair("kernel_size")[1]
    if channels < _FEW_CHANNELS and channels * width <= _STRIP_BYTES:
        why = f"{channels} channels, {width} pixels side by side"
        return "rows at a time", why, frozenset({"kMaxPoolRows"})
    return _by_channels(channels, "four channels at a time", "kMaxPool")


def _by_channels(channels: int, form: str, name: str) -> _Choice:
    why = f"{channels} channels"
    if channels < 4:
        return "scalar", why, frozenset({f"{name}Scalar"})
    return form, why, frozenset({f"{name}Rows"})


def _avg_pool(call: Call, level: Level) -> _Choice:
    read = _read(call)
    width = read.pair("kernel_size")[1]
    if width > 256:
        return "scalar", f"{width} pixels side by side", frozenset({"kAvgPoolScalar"})
    return _by_channels(read.nhwc("input")[3], "four channels at a time", "kAvgPool")


def _linear(call: Call, level: Level) -> _Choice:
    rows, taps = call.sizes("weights")
    why = f"{rows} rows of {taps}"
    if rows < 4 or taps < 4:
        return "scalar", why, frozenset({"kLinearScalar"})
    if taps < _FEW_LINEAR_TAPS:
        return "four rows at a time or scalar", why, _LINEAR
    return "four rows at a time", why, frozenset({"kLinearRows"})


def _matmul(call: Call, level: Level) -> _Choice:
    return "four rows at a time or scalar", "a matrix product", _LINEAR


def _packed_linear(call: Call, level: Level) -> _Choice:
    rows, taps = call.sizes("out")[-1], call.sizes("input")[-1]
    if _scratch(call) < 8 * -(-taps // 4):
        return "scalar", f"only {_scratch(call):,} B of scratch", frozenset({"kPackedLinearScalar"})
    words = call.constant("words")
    if words is None:
        return "any", "its weights are known at run time", _PACKED
    why = f"{rows} rows of {taps}"
    if words[_EXACT]:
        return "packed rows", f"{why}, results of either sign", frozenset({"kPackedRowsExact"})
    return "packed rows", why, frozenset({"kPackedRows"})


def _packed_conv(call: Call, level: Level) -> _Choice:
    w, scratch = _window(call, depthwise=False), _scratch(call)
    taps = w.kernel_h * w.kernel_w * w.in_ch
    why = f"{w.kernel_h}x{w.kernel_w}, stride {w.stride_h}, {taps} taps; {scratch:,} B of scratch"
    scalar = "scalar", why, frozenset({"kPackedConvScalar"})
    if call.integer("form") == ConvForm.WINOGRAD_2:
        if scratch < winograd_bytes(w, 1, 0):
            return scalar
        return "winograd F(2x2, 3x3), prepared", why, frozenset({"kPackedWinograd"})
    if call.integer("form") == ConvForm.WINOGRAD_4:
        if scratch < winograd4_bytes(w):
            return scalar
        return "winograd F(4x4, 3x3), prepared", why, frozenset({"kPackedWinograd4"})
    pair = packed_product_bytes(w, 1)
    if scratch < pair:
        return scalar
    border = scratch // _BORDER_SHARE >= pair and w.batch == 1 and not _is_whole(w)
    takes = {"kPackedGemm"} | ({"kBorder"} if border else set())
    if scratch >= packed_product_bytes(w, 2) and w.pixels >= 4:
        return f"gemm{_BY_FOUR}, prepared", why, frozenset(takes | {_FOUR})
    return "gemm, prepared", why, frozenset(takes)


def _conv_depthwise(call: Call, level: Level) -> _Choice:
    windows, scratch = Window.of_joined(_read(call)), _scratch(call)
    sizes = ConvDepthwise(*windows, bool(call.integer("turned")))
    w = sizes.conv
    taps = w.kernel_h * w.kernel_w * w.in_ch
    why = f"{w.kernel_h}x{w.kernel_w}, {taps} taps, then 3x3; {scratch:,} B of scratch"
    if not sizes.is_for_planes or scratch < sizes.scratch_bytes(1):
        return "scalar", why, frozenset({"kConvDepthwiseScalar"})
    border = 0 < sizes.border_bytes <= scratch - sizes.scratch_bytes(sizes.rows)
    taken = {"kConvDepthwise"} | ({"kBorder"} if border else set())
    return "gemm and planes, prepared", why, frozenset(taken)


#: By operator: all forms of its kernel, and what chooses among them.
_KERNELS: dict[str, tuple[frozenset[str], Callable[[Call, Level], _Choice]]] = {
    "cortex_m::quantized_conv2d": (_CONV, _convolution),
    "cortex_m::quantized_depthwise_conv2d": (_DEPTHWISE, _depthwise),
    "cortex_m::quantized_transpose_conv2d": (_TRANSPOSE, _transpose),
    "mcugen::conv2d_in_place": (_CONV, _convolution),
    "mcugen::depthwise_conv2d_in_place": (_DEPTHWISE, _depthwise),
    "cortex_m::quantized_linear": (_LINEAR, _linear),
    "mcugen::quantized_linear": (_LINEAR, _linear),
    "cortex_m::quantized_batch_matmul": (_LINEAR, _matmul),
    "mcugen::packed_linear": (_PACKED, _packed_linear),
    "mcugen::packed_conv2d": (_PACKED_CONV, _packed_conv),
    "mcugen::packed_conv_depthwise": (_CONV_DEPTHWISE, _conv_depthwise),
    "mcugen::packed_linear_5x4": (_PACKED, _packed_linear),
    "cortex_m::quantized_avg_pool2d": (_AVG_POOL, _avg_pool),
    "cortex_m::quantized_max_pool2d": (_MAX_POOL, _max_pool),
}


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
