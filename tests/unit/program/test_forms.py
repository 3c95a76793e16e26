# SPDX-License-Identifier: BSD-3-Clause
"""An image lacks the forms of kernels that its program never takes, and no others."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from executorch.exir import schema

from mcugen.base.errors import TemplateError
from mcugen.base.resources import firmware_dir
from mcugen.boards.load import load_board
from mcugen.boards.spec import Isa
from mcugen.program import forms
from mcugen.program.container import deserialize, find_method
from mcugen.program.forms import FORMS, CallForm, call_forms, forms_of, left_out
from mcugen.program.level import Level
from mcugen.program.operator_table import names, operator
from mcugen.program.packing.conv import Room
from mcugen.program.planning.arrange import Passes, arrange, arrange_plan
from mcugen.program.read import read_pte
from mcugen.program.scratch import scratch_need
from mcugen.program.strip import serialize
from mcugen.program.values import kernel_calls
from mcugen.program.window import Window
from mcugen.project.forms import HEADER, forms_header

GOLDEN = Path(__file__).parents[2] / "golden" / "mlperf_tiny"
FIRMWARE = firmware_dir() / HEADER


def taken(
    network: str, level: Level = Level.BALANCED, isa: Isa = Isa.DSP, *, by_cycles: bool = False
) -> frozenset[str]:
    """Return the forms that an image has, its scratch planned for the kernels."""
    program = deserialize((GOLDEN / f"{network}_cm_q_m4.pte").read_bytes(), name=network).program
    plan = find_method(program, name=network)
    arrange_plan(plan, Passes(isa, level))
    return FORMS - left_out(forms_of(program, plan, isa, level, by_cycles=by_cycles))


def test_the_header_has_a_constant_for_each_form():
    assert set(re.findall(r"constexpr bool (k\w+) = true;", FIRMWARE.read_text())) == FORMS


def test_every_operator_that_calls_such_a_kernel_is_known():
    kernels = (
        r"\b(conv2d|depthwise_conv2d|transpose_conv2d|packed_conv2d|packed_conv_depthwise|linear"
        r"|packed_linear|avg_pool2d|max_pool2d)_s8\("
    )
    calling = {
        name.removesuffix(".out").removesuffix("_nhwc")
        for name in names()
        if re.search(kernels, (firmware_dir() / "ops" / operator(name).file).read_text())
    }

    assert calling == set(forms._KERNELS)


def test_a_program_without_3x3_convolutions_of_stride_1_has_no_winograd():
    assert "kWinograd" not in taken("kws")
    assert "kWinograd" in taken("ic")


def test_a_program_whose_depthwise_convolutions_all_go_over_planes_has_no_other_form_of_them():
    assert "kPlanes" in taken("vww")
    assert not {"kDepthwiseFour", "kDepthwiseScalar", "kDepthwiseAsConv"} & taken("vww")


def test_four_pixels_go_together_where_cycles_count():
    assert "kFourPixels" in taken("kws", by_cycles=True)
    assert "kFourPixels" not in taken("kws") | taken("kws", Level.SIZE, by_cycles=True)
    assert "kFourPixels" not in taken("ad", by_cycles=True)
    assert "kFourPixels" not in taken("kws", isa=Isa.MVE) | taken("kws", isa=Isa.SCALAR)


def test_at_size_there_is_neither_winograd_nor_a_border():
    assert {"kWinograd", "kBorder"} <= taken("ic")
    assert not {"kWinograd", "kBorder"} & taken("ic", Level.SIZE)


def test_loops_for_neighbouring_windows_are_where_a_program_has_such_windows():
    assert "kNeighbours" in taken("ic", isa=Isa.MVE)
    assert "kNeighbours" not in taken("kws", isa=Isa.MVE) | taken("vww", isa=Isa.MVE)
    assert "kNeighbours" not in taken("ic") | taken("ic", Level.SIZE, Isa.MVE)


@pytest.mark.parametrize("isa", [Isa.SCALAR, Isa.DSP])
def test_what_is_outside_of_the_image_is_not_estimated_where_little_is(isa):
    """700 bytes of code, for windows that few programs have."""
    assert not {"kChoice"} & (taken("kws", isa=isa) | taken("ic", isa=isa))


def test_at_size_calls_that_are_little_do_without_a_form_of_their_own():
    assert {"kLinearRows", "kAvgPoolRows"} <= taken("kws")
    small = taken("kws", Level.SIZE)
    assert {"kLinearScalar", "kAvgPoolScalar"} <= small
    assert not {"kLinearRows", "kAvgPoolRows"} & small
    assert "kLinearRows" in taken("ad", Level.SIZE)


def test_another_core_keeps_the_forms_of_what_is_called():
    assert "kConvScalar" in taken("kws", isa=Isa.MVE)
    assert "kConvScalar" not in taken("kws")


def test_calls_of_a_program_with_a_jump_have_temporary_memory():
    """Its memory is as the exporter planned it, with scratch for other kernels: none for KWS."""
    file = deserialize((GOLDEN / "kws_cm_q_m4.pte").read_bytes(), name="kws")
    plan = find_method(file.program, name="kws")
    plan.values.append(schema.EValue(schema.Bool(True)))
    jump = schema.JumpFalseCall(len(plan.values) - 1, destination_instruction=1)
    plan.chains[0].instructions.insert(0, schema.Instruction(jump))
    artifact = read_pte(serialize(file), name="kws")

    arranged = arrange(artifact, Passes(Isa.DSP, room=Room(40_000, 40_000)))

    wants = [scratch_need(plan, call, Isa.DSP).least for call in kernel_calls(plan)]
    assert (arranged.temp_bytes, artifact.temp_bytes) == (max(wants), 0)
    assert arrange(artifact, Passes(Isa.DSP, lean=True)).temp_bytes == 0
    forms = call_forms(arranged, load_board("qemu-m4"), Level.BALANCED)
    assert {"kTemp", "kGemm", "kPlanes"} & left_out(forms) == set()
    assert "kPackedGemm" in left_out(forms)
    assert "kTemp" not in taken("kws")


def test_left_out_is_what_no_call_takes():
    calls = [
        CallForm(0, "", "", frozenset({"kGemm"})),
        CallForm(1, "", "", frozenset({"kBorder"})),
    ]

    assert left_out(calls) == FORMS - {"kGemm", "kBorder"}


def test_the_project_has_its_own_header():
    text = forms_header(FIRMWARE.read_bytes(), {"kWinograd"}).decode()

    assert text.startswith("// Generated by mcugen from firmware/kernels/forms.h")
    assert "constexpr bool kWinograd = false;" in text
    assert "constexpr bool kGemm = true;" in text


def test_a_form_that_the_firmware_does_not_have_is_an_error():
    with pytest.raises(TemplateError, match="has no form kOther"):
        forms_header(FIRMWARE.read_bytes(), {"kOther"})


#: 3x3 over 24 rows of 12, 8 channels, with a border of one pixel.
WINDOW = Window(1, *(24, 12, 8), *(24, 12, 8), *(3, 3, 8), *(1, 1), *(1, 1), *(1, 1))


@pytest.mark.parametrize(
    ("changes", "scratch", "exact", "takes"),
    [
        ({}, 768, False, True),
        ({}, 767, False, False),
        ({}, 1535, True, False),
        ({}, 1536, True, True),
        ({"out_h": 40}, 1535, False, False),
        ({"out_h": 61}, 9999, False, False),  # cut, perhaps
        ({"out_w": 1}, 9999, False, False),
        ({"in_ch": 6, "out_ch": 6}, 9999, False, False),  # not in place
        ({"stride_h": 2, "stride_w": 2, "out_h": 15}, 768, False, True),
        ({"stride_h": 2, "stride_w": 2, "out_h": 16}, 768, False, False),
    ],
)
def test_planes_are_sure_only_where_they_fit_along_either_axis(changes, scratch, exact, takes):
    assert forms._takes_planes(replace(WINDOW, **changes), scratch, exact) == takes
