# SPDX-License-Identifier: BSD-3-Clause
"""What the planner thinks a kernel wants to work in is what the kernel says."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcugen.base.resources import firmware_dir
from mcugen.program import scratch
from mcugen.program.conv_words import ConvDepthwise
from mcugen.program.window import Window

HERE = Path(__file__).parent
SEED = 20261127
SHAPES = 400


def shapes() -> list[Window]:
    rng = np.random.default_rng(SEED)
    found = []
    while len(found) < SHAPES:
        square = rng.random() < 0.5
        kernel = (3, 3) if square else tuple(int(n) for n in rng.integers(1, 6, 2))
        stride = (1, 1) if rng.random() < 0.6 else tuple(int(n) for n in rng.integers(1, 4, 2))
        dilation = (1, 1) if rng.random() < 0.8 else tuple(int(n) for n in rng.integers(1, 3, 2))
        pad = tuple(int(rng.integers(0, k)) for k in kernel)
        size = tuple(int(n) for n in rng.integers(1, 34, 2))
        out = tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(size, pad, dilation, kernel, stride, strict=True)
        )
        groups = 1 if rng.random() < 0.8 else int(rng.integers(2, 4))
        in_ch, out_ch = (groups * int(n) for n in rng.integers(1, 70, 2))
        if rng.random() < 0.1:
            in_ch = 3 * groups  # the colours of an image
        if min(out) >= 1:
            found.append(
                Window(*(1, *size, in_ch, *out, out_ch, *kernel, groups, *stride, *pad, *dilation))
            )
    return found


def _joined_bytes(w: Window) -> list[int]:
    """Return what scratch_needs.cpp does of a depthwise convolution behind this one."""
    stride, channels = 1 + w.in_ch % 2, w.out_ch
    sizes = ((w.out_h - 1) // stride + 1, (w.out_w - 1) // stride + 1)
    depthwise = Window(
        *(w.batch, w.out_h, w.out_w, channels, *sizes, channels, 3, 3, channels),
        *(stride, stride, 1, 1, 1, 1),
    )
    joined = ConvDepthwise(w, depthwise, turned=channels % 2 != 0)
    return [joined.scratch_bytes(rows) if joined.fits else 0 for rows in (1, sum(sizes))]


def _depthwise(w: Window) -> Window:
    """Return the depthwise convolution that scratch_needs.cpp makes of one."""
    in_ch = 1 if w.out_ch % 3 == 0 else w.in_ch
    return replace(w, in_ch=in_ch, groups=in_ch, out_ch=in_ch * (1 + w.out_ch % 2))


@pytest.mark.toolchain
def test_planner_and_kernels_agree_on_working_memory(tmp_path: Path) -> None:
    """One formula on each side; a difference costs speed without a word."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    kernels = firmware_dir() / "kernels"
    program = tmp_path / "scratch_needs"
    sources = (
        *(f"conv2d_scratch_s8_{isa}.cpp" for isa in ("dsp", "mla", "mve")),
        *(f"depthwise_scratch_s8_{isa}.cpp" for isa in ("dsp", "mla", "mve")),
        *("depthwise_conv2d_s8_mla.cpp", "im2col_s8_dsp.cpp", "im2col_s8_mla.cpp"),
        "packed_conv_depthwise_s8_dsp.cpp",
        *("winograd_s8_dsp.cpp", "winograd_s8_mla.cpp", "winograd4_s8_dsp.cpp"),
    )
    # The loops are assembler of another machine: what calls them is left out.
    subprocess.run(
        ["g++", "-std=gnu++17", "-O1", "-ffunction-sections", "-Wl,--gc-sections"]
        + ["-I", str(firmware_dir()), str(HERE / "scratch_needs.cpp")]
        + [str(kernels / name) for name in sources]
        + ["-o", str(program)],
        check=True,
    )
    windows = shapes()
    text = "".join(" ".join(map(str, vars(each).values())) + "\n" for each in windows)

    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)

    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    for w, line in zip(windows, lines, strict=True):
        least, (dsp, mla, mve, mve_most, *winograd) = line[:6], line[6:]
        d = _depthwise(w)
        assert (
            scratch._convolution_dsp(w).least,
            scratch._convolution_mla(w).least,
            scratch._convolution_mve(w).least,
            scratch._depthwise_dsp(d).least,
            scratch._depthwise_mla(d).least,
            scratch._depthwise_mve(d).least,
        ) == least, w
        one_row, all_rows, one_row_mla, all_rows_mla, four, *joined = winograd
        if w.groups == 1:
            assert _joined_bytes(w) == joined, w
        assert scratch.winograd4_bytes(w) == four, w
        in_ch, pixels = w.in_ch // w.groups, 16
        padded = scratch.padded_taps(w, in_ch)
        assert dsp == 4 * padded + 32 + 2 * padded + 8 + pixels // 2 * 4 * padded, w
        assert scratch._convolution_mve(w) == scratch.Need(mve, mve_most), w
        if w.out_ch // w.groups >= 2 and mla <= scratch._LEAST_BYTES_MLA:
            few = -(-w.pixels // 2) < scratch._PIXELS_MLA // 2
            assert few or scratch._product_mla(w, in_ch).least == mla, w
        if scratch.winograd_need(w).most:
            assert scratch.winograd_need(w).most == min(one_row, all_rows), w
        if scratch._winograd_mla(w).most:
            assert scratch._winograd_mla(w).most == min(one_row_mla, all_rows_mla), w
