# SPDX-License-Identifier: BSD-3-Clause
"""How much memory to work in each call of an operator wants, in the `scratch` it is given.

The other half of what the kernels say of themselves: conv2d_scratch_s8.h and depthwise_scratch_s8.h
have the least of each. A kernel is right with any amount: this is about speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mcugen.boards.spec import Isa
from mcugen.program.call_tensors import Call
from mcugen.program.conv_words import ConvDepthwise, ConvForm, Runs
from mcugen.program.level import Level
from mcugen.program.operator_table import operator
from mcugen.program.values import call_name
from mcugen.program.window import Window

#: Pixels of the output, more than any convolution works on at a time.
_EVERYTHING = 1 << 30
#: Pixels of the output a convolution works on at a time, at least; the weights of a layer are
#: widened once per so many.
_PIXELS = 16
#: But no more bytes than this for them, where one pair of pixels needs less.
_LEAST_BYTES = 4096
_PIXELS_DSP, _LEAST_BYTES_DSP = 42, 8192
#: The same of Winograd's tiles with weights transformed ahead of time.
_WINOGRAD_PIXELS = 64
#: The same without the DSP extension, where fewer pixels at a time are dear: besides its weights, a
#: pair of channels takes some 150 instructions.
_PIXELS_MLA, _LEAST_BYTES_MLA = 48, 8192
#: But no more than this where an algorithm makes good use of much.
_MOST_LEAST = 16384
#: Rows of the output that a depthwise convolution makes at a time, at least.
_ROWS = 8


@dataclass(frozen=True)
class Need:
    """Bytes of scratch of a call."""

    least: int  #: with less it is slow
    most: int  #: more makes it no faster


NOTHING = Need(0, 0)

_DEPTHWISE = ("cortex_m::quantized_depthwise_conv2d", "mcugen::depthwise_conv2d_in_place")
#: Operators that widen a row of inputs, and on which cores.
_WIDENED = {
    "mcugen::packed_linear": Isa.DSP,
    "mcugen::packed_linear_5x4": Isa.DSP,
    "mcugen::packed_linear_4x4": Isa.SCALAR,
}


def scratch_need(plan: Any, call: Any, isa: Isa | None, level: Level = Level.BALANCED) -> Need:
    """Return the bytes of `scratch` that our kernel uses in a call.

    plan: the method; call: a kernel call of an operator that has an argument `scratch`; isa: of the
    board, None if it is not known; level: of the build. What the file holds is sized for
    ExecuTorch's own kernels.
    """
    called = operator(call_name(plan, call))
    read = Call(plan, called, call.args)
    if not read.is_static:
        return NOTHING
    kind = called.name.removesuffix(".out").removesuffix("_nhwc")
    if kind in _WIDENED:
        need = 8 * -(-read.sizes("input")[-1] // 4)
        return Need(need, need) if isa is _WIDENED[kind] else NOTHING
    if kind == "mcugen::packed_conv2d":
        return _packed_conv(Window.of(read, depthwise=False), read.integer("form"), isa)
    if kind == "mcugen::packed_conv_depthwise":
        return _conv_depthwise(
            ConvDepthwise(*Window.of_joined(read), bool(read.integer("turned"))), isa
        )
    convolution = kind in ("cortex_m::quantized_conv2d", "mcugen::conv2d_in_place")
    if isa is None or not (convolution or kind in _DEPTHWISE):
        return NOTHING
    window = Window.of(read, depthwise=not convolution)
    if isa is Isa.DSP and level is Level.SIZE:
        return _small_dsp(window, convolution)
    by_isa = {
        Isa.DSP: (_convolution_dsp, _depthwise_dsp),
        Isa.MVE: (_convolution_mve, _depthwise_mve),
        Isa.SCALAR: (_convolution_mla, _depthwise_mla),
    }
    return by_isa[isa][0 if convolution else 1](window)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step


def padded_taps(w: Window, in_ch: int) -> int:
    """Return the taps of a window as conv_runs() fills them up."""
    kernel, dilation = (w.kernel_h, w.kernel_w), (w.dilation_h, w.dilation_w)
    return Runs.of(in_ch, kernel, dilation, w.groups).padded


def _convolution_dsp(w: Window) -> Need:
    if w.out_ch // w.groups < 2:
        return NOTHING
    need, winograd = _product_dsp(w, w.in_ch // w.groups), winograd_need(w)
    least = max(need.least, min(winograd.least, _MOST_LEAST))
    return Need(least, max(need.most, winograd.most))


def _packed_conv(w: Window, form: int | None, isa: Isa | None) -> Need:
    """Return what packed_conv2d_s8.h asks for: weights take none of it."""
    if isa is not Isa.DSP:
        return NOTHING
    if form == ConvForm.WINOGRAD_2:
        rows = w.out_h // 2
        least = winograd_bytes(w, min(rows, -(-_WINOGRAD_PIXELS // (2 * w.out_w))), 0)
        return Need(least, winograd_bytes(w, rows, 0))
    if form == ConvForm.WINOGRAD_4:
        return Need(winograd4_bytes(w), winograd4_bytes(w))
    # The least as where weights take some: a call is packed or not, and lies where it did.
    need, stream = _product_dsp(w, w.in_ch), 4 * padded_taps(w, w.in_ch) + 32
    return Need(need.least, max(need.least, need.most - stream))


def _conv_depthwise(sizes: ConvDepthwise, isa: Isa | None) -> Need:
    """Return what packed_conv_depthwise_s8_scratch() does: rows at the edges of bands are dear."""
    if isa is not Isa.DSP or not sizes.is_for_planes:
        return NOTHING
    return Need(sizes.scratch_need, sizes.scratch_bytes(sizes.rows) + sizes.border_bytes)


def winograd4_bytes(w: Window) -> int:
    """Return what winograd4_s8_scratch() does: a row of tiles, whatever else there is room for."""
    pairs = -(-w.out_w // 8)
    return 704 + 64 + 48 * (8 * pairs + 2) + 144 * w.in_ch * pairs + w.in_w * w.in_ch


def winograd_need(w: Window) -> Need:
    """Return what winograd_s8_scratch() makes good use of, nothing where it has no form."""
    plain = (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w)
    if plain != (3, 3, 1, 1, 1, 1) or w.groups != 1 or w.in_ch % 4 or w.in_ch > 64:
        return NOTHING
    if w.out_h % 2 or w.out_w % 4:
        return NOTHING
    # One row of tiles with all weights, or all rows with the weights of a pair of channels. With
    # five of eight pairs little is lost.
    pairs, all_rows = (w.out_ch + 1) // 2, winograd_bytes(w, w.out_h // 2, 1)
    return Need(
        min(winograd_bytes(w, 1, -(-5 * pairs // 8)), all_rows),
        min(winograd_bytes(w, 1, pairs), all_rows),
    )


def winograd_bytes(w: Window, tile_rows: int, pairs: int) -> int:
    """Return what rows of tiles and the weights of pairs of channels take."""
    fixed = w.in_w * w.in_ch + 32 * (w.out_w + 2)
    return fixed + tile_rows * 16 * w.in_ch * w.out_w + pairs * (64 * w.in_ch + 64)


def product_bytes(w: Window, in_ch: int, pairs: int) -> int:
    """Return what pairs of pixels take: convolve_s8_scratch() in im2col_s8_dsp.cpp."""
    padded = padded_taps(w, in_ch)
    return 4 * padded + 32 + 2 * padded + 8 + pairs * 4 * padded


def packed_product_bytes(w: Window, pairs: int) -> int:
    """Return the same where weights are packed: convolve_packed_s8_scratch()."""
    return product_bytes(w, w.in_ch, pairs) - 4 * padded_taps(w, w.in_ch) - 32


def _product_dsp(w: Window, in_ch: int) -> Need:
    fixed, pair = product_bytes(w, in_ch, 0), 4 * padded_taps(w, in_ch)
    most = fixed + -(-w.pixels // 2) * pair
    least = fixed + pair * max(1, min(_PIXELS_DSP // 2, (_LEAST_BYTES_DSP - fixed) // pair))
    border = w.border_bytes
    return Need(min(least, most), max(most + border, 3 * border) if border < most else most)


def _small_dsp(w: Window, convolution: bool) -> Need:
    """Return the same without Winograd and without a copy of the image with its border."""
    inside = replace(w, pad_top=0, pad_left=0)
    if not convolution:
        return _depthwise_dsp(inside)
    return _product_dsp(inside, w.in_ch // w.groups) if w.out_ch // w.groups >= 2 else NOTHING


def _depthwise_dsp(w: Window) -> Need:
    multiplier = w.out_ch // w.in_ch
    if w.in_ch == 1:
        return _product_dsp(w, 1) if multiplier > 1 else NOTHING
    if not is_for_planes(w):
        return NOTHING
    stride = w.stride_w
    widest = (60 // stride) & ~1

    def cost(columns: int, rows: int) -> int:
        return rows * (30 + columns // 2 * 25 + columns % 2 * 19)

    along, across = w.out_w, w.out_h
    if cost(along, across) > cost(across, along) and across <= widest:
        along, across = across, along
    tiles = -(-along // widest)
    width = along if tiles == 1 else _up(-(-along // tiles), 2)
    columns = stride * width + 4 - stride
    # Results of either sign take rows of 128 bytes; whether they are is not looked at here.
    row = 64 if columns <= 32 else 128

    def band(rows: int) -> int:
        return 4 * row * ((rows - 1) * stride + 3)

    return Need(band(min(_ROWS, across)), band(across))


def is_for_planes(w: Window) -> bool:
    """Return whether a depthwise convolution is of the shape that is computed over planes."""
    plain = (w.kernel_h, w.kernel_w, w.dilation_h, w.dilation_w) == (3, 3, 1, 1)
    return plain and w.in_ch >= 4 and w.stride_h == w.stride_w <= 2


#: Channels that gemm_s8_mla.cpp takes at once, at most, and pixels in a step over planes.
_MLA_CHANNELS, _MLA_STEP = 2, 3


def _convolution_mla(w: Window) -> Need:
    """Return what convolve_s8_mla_scratch() in im2col_s8_mla.h asks for."""
    if w.out_ch // w.groups < 2:
        return NOTHING
    need, winograd = _product_mla(w, w.in_ch // w.groups), _winograd_mla(w)
    least = max(need.least, min(winograd.least, _MOST_LEAST))
    return Need(least, max(need.most, winograd.most))


def _winograd_mla(w: Window) -> Need:
    """Return what winograd_s8_mla_scratch() makes good use of, nothing where it has no form."""
    plain = (w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w)
    if plain != (3, 3, 1, 1, 1, 1) or w.groups != 1 or w.in_ch % 2 or w.in_ch > 64:
        return NOTHING
    if w.out_h % 2 or w.out_w % 4:
        return NOTHING
    pair, row = 128 * w.in_ch + 64, 16 * w.in_ch * w.out_w
    rest = max(pair, 4 * (w.out_w + 2) * w.in_ch)
    # One row of tiles with all weights, or all rows with no weights kept.
    most = min(row + (w.out_ch + 1) // 2 * pair, w.out_h // 2 * row)
    return Need(min(-(-64 // (2 * w.out_w)) * row, most) + rest, most + rest)


def _product_mla(w: Window, in_ch: int) -> Need:
    padded = _up(w.kernel_h * w.kernel_w * in_ch, 4)
    fixed, pair = _MLA_CHANNELS * (2 * padded + 16) + 8 + 2 * padded, 4 * padded
    least = fixed + pair * max(1, min(_PIXELS_MLA // 2, (_LEAST_BYTES_MLA - fixed) // pair))
    most = fixed + -(-w.pixels // 2) * pair
    return Need(min(least, most), most)


def _depthwise_mla(w: Window) -> Need:
    """Return what depthwise_conv2d_s8_mla_scratch() asks for."""
    if w.in_ch == 1 and w.out_ch > 1:
        return _product_mla(w, 1)
    if w.kernel_h * w.kernel_w == 1 or w.stride_h * w.stride_w >= 9 or w.out_h * w.out_w <= 4:
        return NOTHING  # planes_pay() in depthwise_conv2d_s8_mla.cpp
    need, turned = _planes_mla(w), _transposed(w)
    if _row_cost(turned) >= _row_cost(w):
        return need
    whole = _planes_mla(turned).most
    return Need(whole if whole <= _LEAST_BYTES else need.least, max(need.most, whole))


def _planes_mla(w: Window) -> Need:
    reach_h, reach_w = (w.kernel_h - 1) * w.dilation_h, (w.kernel_w - 1) * w.dilation_w
    row = w.stride_w * _up(w.out_w, _MLA_STEP) + reach_w + 1

    def band(rows: int) -> int:
        plane = (w.stride_h * (rows - 1) + reach_h + 1) * row
        return 4 * (w.kernel_h * w.kernel_w + 6 + plane)

    return Need(band(min(_ROWS, w.out_h)), band(w.out_h))


def _row_cost(w: Window) -> int:
    """Return what row_cost() in depthwise_conv2d_s8_mla.cpp does."""
    return w.out_h * (1 + 5 * -(-w.out_w // _MLA_STEP))


def _transposed(w: Window) -> Window:
    """Return the same convolution with rows for columns."""
    pairs = ("in_{}", "out_{}", "kernel_{}", "stride_{}", "dilation_{}")
    fields = {each.format(a): vars(w)[each.format(b)] for each in pairs for a, b in ("hw", "wh")}
    return replace(w, **fields, pad_top=w.pad_left, pad_left=w.pad_top)


def _convolution_mve(w: Window, *, transposed: bool = False) -> Need:
    """Return what MveConvPlan in conv2d_s8_mve_plan.h asks for."""
    in_ch, out_ch = w.in_ch // w.groups, w.out_ch // w.groups
    depth, run = w.kernel_h * w.kernel_w * in_ch, w.kernel_w * in_ch
    window_h = (w.kernel_h - 1) * w.dilation_h + 1
    strip_row = ((w.out_w - 1) * w.stride_w + w.kernel_w) * w.in_ch
    one_tap = w.kernel_h == w.kernel_w == 1
    runs = one_tap or (w.dilation_w == 1 and w.groups == 1)
    inside = (
        w.pad_top == w.pad_left == 0
        and (w.out_h - 1) * w.stride_h + window_h <= w.in_h
        and (w.out_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1 <= w.in_w
    )
    row_chunks = -(-run // 16)
    scattered = (
        w.kernel_h * row_chunks > -(-depth // 16)
        and 15 // in_ch * w.kernel_h * in_ch + in_ch <= 256
        and in_ch <= 8
        and w.kernel_h * w.kernel_w * w.out_ch <= 65535
        and out_ch * depth <= 4096
    )
    rows_of_kernel = 1
    if runs and scattered and w.groups == 1:
        source = "bands"
    elif runs and inside and (one_tap or run % 16 == 0) and row_chunks <= 16:
        source, rows_of_kernel = "input", w.kernel_h
    elif runs and w.groups == 1 and row_chunks <= 16:
        source, rows_of_kernel = "strip", w.kernel_h
    else:
        source = "input" if one_tap and inside else "columns"
    if out_ch < 4 or w.out_ch > 21844 or (transposed and source != "bands"):
        return NOTHING
    chunks = -(-(depth if rows_of_kernel == 1 else run) // 16)
    packed = 64 * rows_of_kernel * chunks
    if source == "bands":
        packed += (out_ch * depth + 2 * depth + 33) & ~15

    def bytes_for(pixels: int) -> int:
        follows = source == "input" or pixels == _EVERYTHING
        block = max(26, min(pixels, 96 if follows else 26))
        fixed = packed + 16 * (min(block, max(w.out_h * w.out_w, 2)) + 1)
        pixels = min(pixels, 32 if source == "columns" else 128)
        rows = min(-(-pixels // w.out_w), w.out_h)
        if source == "strip":
            return fixed + ((rows - 1) * w.stride_h + window_h) * strip_row + 16
        if source == "bands":
            return fixed + rows * strip_row * w.kernel_h
        if source == "columns":
            return fixed + min(pixels, w.out_h * w.out_w) * depth
        return fixed

    pixels = _PIXELS
    if source == "bands":  # as much for them as for what each strip prepares anew
        fixed = packed + 16 * (min(26, max(w.out_h * w.out_w, 2)) + 1)
        pixels = max(pixels, fixed // (strip_row * w.kernel_h) * w.out_w)
    return Need(bytes_for(pixels), bytes_for(_EVERYTHING))


def _depthwise_mve(w: Window) -> Need:
    """Return what `Strips` in depthwise_conv2d_s8_mve.cpp asks for."""
    fits = (
        w.out_ch == w.in_ch
        and (w.kernel_h, w.kernel_w, w.dilation_h, w.dilation_w) == (3, 3, 1, 1)
        and w.stride_h == w.stride_w <= 2
        and min(w.out_h, w.out_w) >= 2
        and w.in_ch <= 8191
        and (3 * w.out_w + 2) * w.in_ch <= 65535
    )
    if not fits:
        return _convolution_mve(w, transposed=True) if w.in_ch == 1 else NOTHING
    columns = min(w.out_w, 82 if w.stride_w == 1 else 60)

    def bytes_for(rows: int) -> int:
        pairs = 0 if rows < 4 else (rows + 1) // 4
        singles = rows - 1 if rows < 4 else int(rows % 4 % 3 != 0)
        in_rows = (rows - 1) * w.stride_h + 3
        places = 2 * w.in_w * min(in_rows, w.in_h) + 16 if w.in_w < 16 else 0
        tiles = -(-columns // 2) * (pairs + singles) * _MVE_TILE_BYTES
        return tiles + in_rows * ((columns - 1) * w.stride_w + 3) + 16 + places

    def rows_in(room: int) -> int:
        rows = w.out_h
        while rows > 4 and bytes_for(rows) > room:
            rows -= 1
        return rows

    # Each strip prepares each channel anew: few bytes more save a lot where the image is small.
    return Need(bytes_for(rows_in(_MVE_STRIP_BYTES)), bytes_for(rows_in(6144)))


#: What a strip may have at least, about what a convolution of 64 channels takes.
_MVE_STRIP_BYTES = 704
#: sizeof(MveTile) in loops_mve.h.
_MVE_TILE_BYTES = 8
