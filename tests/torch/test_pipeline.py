# SPDX-License-Identifier: BSD-3-Clause
"""From a MODEL argument to a `.pte`: what becomes int8, what is refused, what is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from mlperf_tiny_vectors import GOLDEN

from mcugen.base import cache
from mcugen.base.errors import ConfigError, ExportError, LoweringError, UnsupportedOperatorError
from mcugen.boards.load import load_board
from mcugen.boards.spec import Isa
from mcugen.export import evaluation, pipeline
from mcugen.model import load
from mcugen.model.source import resolve_model
from mcugen.program.reference.walker import run_reference

NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), act, nn.Conv2d(8, 4, 1), nn.ReLU())
        self.fc = nn.Linear(4, 5)
    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))

def example():
    return (torch.zeros(1, 3, 8, 6),)

def calibration():
    torch.manual_seed(0)
    return [torch.randn(1, 3, 8, 6) for _ in range(4)]

def make(act):
    torch.manual_seed(0)
    return Net(act), example(), calibration()

def relu(): return make(nn.ReLU())
class Running(nn.Module):
    def forward(self, x): return x.cumsum(1)
def running(): return make(Running())
class Bessel(nn.Module):
    def forward(self, x): return torch.special.bessel_j0(x)
def bessel(): return make(Bessel())
def uncalibrated(): return make(nn.ReLU())[:2]
def nothing(): return 3
def broken(): raise RuntimeError("no weights here")
"""


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(textwrap.dedent(NETS))
    return path


@pytest.mark.parametrize("name", ["digits", "kws", "ic", "ad"])
def test_every_operator_of_a_bundled_model_is_int8(name):
    artifact, report = pipeline.build_artifact(name, board=load_board("nucleo"), strict=True)

    assert report.fallbacks == ()
    assert artifact.io == "int8" and artifact.isa is Isa.DSP
    assert all(spec.scale for spec in (*artifact.inputs, *artifact.outputs))
    assert sum(use.calls for use in artifact.operators) == len(report.operators)
    assert artifact.profile_model == {"digits": "digits"}.get(name, f"{name}01")


def test_report_says_what_it_was_calibrated_with():
    _, digits = pipeline.build_artifact("digits", cpu="cortex-m4")
    _, kws = pipeline.build_artifact("kws", cpu="cortex-m4")

    assert (digits.calibration, digits.calibration_random) == ("tfds:digits8/train", False)
    assert digits.calibration_samples == 128
    assert kws.calibration_random and "untrained" in kws.calibration


def test_channels_last_is_done_for_the_user(nets):
    """The net and its example are NCHW, where upstream would leave every convolution in float."""
    artifact, report = pipeline.build_artifact(f"{nets}:relu", cpu="cortex-m4")

    assert artifact.inputs[0].dim_order == (0, 2, 3, 1)
    assert [line.operator for line in report.fallbacks] == []
    convolutions = [use for use in artifact.operators if "conv2d" in use.name]
    assert sum(use.calls for use in convolutions) == 2
    assert {"body.0", "body.2"} <= {name for use in convolutions for name in use.layers}


def test_mve_linear_carries_kernel_sums_and_still_agrees():
    m4, _ = pipeline.build_artifact("digits", cpu="cortex-m4")
    m55, _ = pipeline.build_artifact("digits", board=load_board("qemu-m55"))
    inputs = evaluation.evaluation_data("digits", m4, 5).inputs[0]

    assert (m4.isa, m55.isa) == (Isa.DSP, Isa.MVE)
    assert m4.sha256 != m55.sha256
    for sample in inputs:
        assert (run_reference(m4, [sample])[0] == run_reference(m55, [sample])[0]).all()


def test_float_io_agrees_with_int8_io():
    int8, _ = pipeline.build_artifact("digits", cpu="cortex-m4")
    real, _ = pipeline.build_artifact("digits", cpu="cortex-m4", io="float")
    spec = int8.outputs[0]

    for a, b in zip(
        evaluation.evaluation_data("digits", int8, 20).inputs[0],
        evaluation.evaluation_data("digits", real, 20).inputs[0],
        strict=True,
    ):
        q, value = run_reference(int8, [a])[0], run_reference(real, [b])[0]
        assert value.dtype == np.float32
        want = (q.astype(np.float32) - np.float32(spec.zero_point)) * np.float32(spec.scale)
        assert np.allclose(value, want, rtol=1e-6)


def test_strict_names_the_layer_and_the_reason(nets):
    with pytest.raises(LoweringError) as caught:
        pipeline.build_artifact(f"{nets}:running", cpu="cortex-m4", strict=True)

    assert caught.value.exit_code == 5
    assert "aten::cumsum.out from layer body.1 (" in caught.value.message
    assert "no int8 pattern for aten.cumsum" in caught.value.message


def test_operator_the_firmware_lacks_is_named_with_its_layer(nets):
    with pytest.raises(UnsupportedOperatorError, match=r"aten::special_bessel_j0\.out") as caught:
        pipeline.build_artifact(f"{nets}:bessel", cpu="cortex-m4")

    assert caught.value.exit_code == 5
    assert "which computes a tensor [1, " in caught.value.message
    assert "comes from aten.special_bessel_j0" in caught.value.message
    assert "layer body.1 (" in caught.value.message
    assert "Replace the layer" in caught.value.hint


def test_strict_refuses_a_kept_result_too(nets):
    """Built without --strict, and kept."""
    artifact, report = pipeline.build_artifact(f"{nets}:running", cpu="cortex-m4")

    assert [(line.operator, line.layer) for line in report.fallbacks] == [
        ("aten::cumsum.out", "body.1")
    ]
    assert not {use.name: use.int8 for use in artifact.operators}["aten::cumsum.out"]
    with pytest.raises(LoweringError, match=r"body\.1"):
        pipeline.build_artifact(f"{nets}:running", cpu="cortex-m4", strict=True)


def test_noise_is_used_only_when_asked_for(nets):
    with pytest.raises(ConfigError, match="no calibration data") as caught:
        pipeline.build_artifact(f"{nets}:uncalibrated", cpu="cortex-m4")
    assert "--calibrate" in caught.value.hint

    _, report = pipeline.build_artifact(f"{nets}:uncalibrated", cpu="cortex-m4", calibrate="random")

    assert report.calibration_random


def test_calibration_from_an_npz(nets, tmp_path):
    data = np.random.RandomState(0).randn(10, 8, 6, 3).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=data)
    arguments = dict(cpu="cortex-m4", calibrate=str(tmp_path / "data.npz"))

    first, report = pipeline.build_artifact(f"{nets}:uncalibrated", **arguments)
    np.savez(tmp_path / "data.npz", x=data * 3)
    second, _ = pipeline.build_artifact(f"{nets}:uncalibrated", **arguments)

    assert (report.calibration, report.calibration_samples) == ("data.npz", 10)
    assert not report.calibration_random
    assert second.inputs[0].scale == pytest.approx(3 * first.inputs[0].scale, rel=0.01)


@pytest.mark.parametrize(
    "factory, error, words",
    [
        ("nothing", ConfigError, "must return"),
        ("broken", LoweringError, "no weights here"),
        ("rellu", ConfigError, "has no function 'rellu'"),
    ],
)
def test_factory_that_does_not_suit_says_why(nets, factory, error, words):
    with pytest.raises(error, match=words):
        pipeline.build_artifact(f"{nets}:{factory}", cpu="cortex-m4", calibrate="random")


def test_changed_weights_file_is_noticed(tmp_path):
    """The cache follows the files a factory reads, not only its own source."""
    (tmp_path / "net.py").write_text(
        textwrap.dedent(
            """
            from pathlib import Path
            import torch
            from beside import build
            def net():
                scale = float((Path(__file__).parent / "weights.txt").read_text())
                return build(scale), (torch.zeros(1, 4),), [torch.ones(1, 4)]
            """
        )
    )
    (tmp_path / "beside.py").write_text(
        textwrap.dedent(
            """
            import torch
            def build(scale):
                net = torch.nn.Linear(4, 3)
                torch.nn.init.constant_(net.weight, scale)
                torch.nn.init.zeros_(net.bias)
                return net
            """
        )
    )
    (tmp_path / "weights.txt").write_text("0.5")
    name = f"{tmp_path / 'net.py'}:net"

    def output_scale():
        return pipeline.build_artifact(name, cpu="cortex-m4")[0].outputs[0].scale

    before = output_scale()
    (tmp_path / "weights.txt").write_text("2.0")

    assert output_scale() == pytest.approx(4 * before, rel=0.01)


def test_changed_calibration_file_is_noticed_though_it_is_read_late(tmp_path):
    """A generator's files are opened after the factory has returned."""
    (tmp_path / "net.py").write_text(
        textwrap.dedent(
            """
            from pathlib import Path
            import torch
            def samples():
                yield torch.full((1, 4), float((Path(__file__).parent / "data.txt").read_text()))
            def net():
                return torch.nn.Linear(4, 3), (torch.zeros(1, 4),), samples()
            """
        )
    )
    name = f"{tmp_path / 'net.py'}:net"

    def input_scale(value):
        (tmp_path / "data.txt").write_text(value)
        return pipeline.build_artifact(name, cpu="cortex-m4")[0].inputs[0].scale

    assert input_scale("40") == pytest.approx(4 * input_scale("10"), rel=0.01)


def test_pt2_file(nets, tmp_path):
    import torch

    source = load.load_model(resolve_model(f"{nets}:relu"))
    torch.export.save(
        torch.export.export(source.module, source.example_inputs), tmp_path / "net.pt2"
    )

    artifact, _ = pipeline.build_artifact(
        str(tmp_path / "net.pt2"), cpu="cortex-m4", calibrate="random", strict=True
    )

    assert artifact.name == "net"
    assert artifact.inputs[0].dim_order == (0, 2, 3, 1)


@pytest.mark.parametrize("suffix", ["pt2", "pte"])
def test_file_that_is_not_what_it_says(tmp_path, suffix):
    path = tmp_path / f"net.{suffix}"
    path.write_bytes(b"not a model at all, whatever its name says")

    with pytest.raises((ConfigError, ExportError), match="net"):
        pipeline.build_artifact(str(path), cpu="cortex-m4", calibrate="random")


def test_pte_file_needs_no_cpu():
    artifact, report = pipeline.build_artifact(str(GOLDEN / "ic_cm_q_m4.pte"), strict=True)

    assert artifact.name == "ic_cm_q_m4"
    assert report.cpu is None and len(report.operators) > 10


def test_build_keeps_stdout_clean_and_the_second_needs_no_torch(nets, monkeypatch, tmp_path):
    """Up to what the compiler gets: `mcugen build` imports what this does."""
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "empty"))
    code = f"""
        import sys, time
        from mcugen.boards.load import load_board
        from mcugen.export import pipeline
        from mcugen.program.memory import plan_memory
        from mcugen.program.planning.fit import arrange_for
        from mcugen.project.contents import model_contents
        board = load_board("qemu-m3")
        exported, _ = pipeline.build_artifact("{nets}:relu", board=board)
        artifact = arrange_for(exported, board)
        model_contents(artifact, plan_memory(artifact, board), board)
        print(artifact.sha256, "torch" in sys.modules, time.process_time())
    """

    def build() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    first, second = build(), build()

    assert len(first) == len(second) == 3
    assert first[0] == second[0]
    assert (first[1], second[1]) == ("True", "False")
    # Of the processor, on a machine however busy; importing torch alone takes more.
    assert float(second[2]) < 2.0


def test_same_input_gives_the_same_bytes(cache_folder, monkeypatch, tmp_path):
    first, report = pipeline.build_artifact("ad", cpu="cortex-m4")
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "empty"))

    second, again = pipeline.build_artifact("ad", cpu="cortex-m4")

    assert (second, again) == (first, report)


def test_damaged_kept_result_is_made_again(cache_folder, monkeypatch, tmp_path):
    first, _ = pipeline.build_artifact("ad", cpu="cortex-m4")
    copy = tmp_path / "artifacts"
    shutil.copytree(cache_folder / "artifacts", copy)
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path))
    for path in copy.rglob("model.pte"):
        path.write_bytes(path.read_bytes()[:-1])

    assert pipeline.build_artifact("ad", cpu="cortex-m4")[0] == first


@pytest.mark.parametrize(
    "name, words, hint",
    [
        ("digit", "unknown model 'digit'", "'digits'"),
        ("nowhere.pte", "no such model file", None),
        ("nowhere.py:net", "no such model file", None),
        ("net.py", "no function in it", "net.py:FUNCTION"),
        ("net.pth", "weights alone", "file.py:FUNCTION"),
    ],
)
def test_unknown_model_says_what_would_do(name, words, hint):
    with pytest.raises(ConfigError, match=words) as caught:
        pipeline.build_artifact(name, cpu="cortex-m4")

    assert hint is None or hint in caught.value.hint


def test_models_without_labels_are_verified_on_seeded_inputs():
    artifact, _ = pipeline.build_artifact("ad", cpu="cortex-m4")

    one, two = (evaluation.evaluation_data("ad", artifact, 4) for _ in range(2))

    assert one.labels is None and evaluation.float_score("ad", 4) is None
    assert one.inputs[0].shape == (4, 1, 640) and one.inputs[0].dtype == np.int8
    assert (one.inputs[0] == two.inputs[0]).all()


def test_cache_key_covers_what_the_file_depends_on(nets, monkeypatch):
    keys = []
    monkeypatch.setattr(cache, "load", lambda kind, key: keys.append(key))
    monkeypatch.setattr("mcugen.model.load.load_model", lambda *a, **k: pytest.fail("loaded"))
    for arguments in (
        dict(cpu="cortex-m4"),
        dict(cpu="cortex-m7"),
        dict(cpu="cortex-m4", isa=Isa.SCALAR),
        dict(cpu="cortex-m4", io="float"),
        dict(cpu="cortex-m4", calibrate="random"),
    ):
        with pytest.raises(pytest.fail.Exception):
            pipeline.build_artifact("digits", **arguments)

    assert len(set(keys)) == 5
