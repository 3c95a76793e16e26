# SPDX-License-Identifier: BSD-3-Clause
"""A script that imports mcugen, beside the command line in the same folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

MODEL = """
import torch
from torch import nn
import mcugen

def make():
    torch.manual_seed(1)
    samples = torch.randn(48, 12)
    module = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))
    labels = module(samples).argmax(1)
    return mcugen.Model(
        module.eval(), torch.zeros(1, 12), samples, evaluation=(samples, labels),
        name="model_make",
    )
"""
SCRIPT = """
import json, sys
from pathlib import Path
import mcugen
from model import make

said = []
def progress(what, done, total):
    said.append((what, done, total))

def whether_calibrated():
    found = any(what == "calibrating" for what, _, _ in said)
    said.clear()
    return found

result = {}
named = mcugen.build("model.py:make", "qemu-m4")
result["build_text"] = str(named)
result["run"] = mcugen.run("model.py:make", "qemu-m4", samples=8, runs=2).to_json()
result["profile"] = mcugen.profile(named).layers

model = make()
ran = mcugen.run(model, "qemu-m4", samples=8, runs=2, progress=progress)
result["of_memory"] = ran.to_json()
result["first"] = whether_calibrated()
inputs, labels = model.evaluation
wrong = mcugen.verify(ran, data=(inputs.numpy(), 3 - labels), samples=8).to_json()["verify"]
index = Path(wrong["differing"]["index"])  # gone after the next verification that finds none
command = json.loads(index.read_text())["command"].split()
there = [(index.parent / command[place]).is_file() for place in (2, 4)]
result["wrong_labels"] = [wrong["bit_exact"], wrong["accuracy"]["device"], command[:4], there]
mcugen.inspect(make(), "qemu-m4", progress=progress)
result["same_weights"] = whether_calibrated()
model.module[0].weight.data[0, 0] += 0.5
model.module.train()
looked_at = mcugen.inspect(model, "qemu-m4", progress=progress)
result["other_weight"] = whether_calibrated()
result["training"] = [model.module.training, *looked_at.warnings]
try:
    mcugen.run(named, "qemu-m3")
except mcugen.ConfigError as error:
    result["error"] = [error.message, error.hint]
json.dump(result, open("result.json", "w"))
raise SystemExit(5)
"""


def own_cache(folder: Path) -> dict[str, str]:
    """Return an environment in which no model was exported before; compiled objects are there."""
    return {
        "MCUGEN_CACHE_DIR": str(folder / "cache"),
        "MCUGEN_OBJECT_CACHE": str(cache_dir() / "objects"),
        "PLATFORMIO_CORE_DIR": str(cache_dir() / "platformio"),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model's file, in which the script has run."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "model.py").write_text(MODEL)
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, **own_cache(folder)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 5)
    return folder


@pytest.fixture(scope="module")
def result(folder):
    return json.loads((folder / "result.json").read_text())


def test_documents_are_those_of_the_command_line(folder, result, mcugen, monkeypatch):
    for name, value in own_cache(folder).items():
        monkeypatch.setenv(name, value)
    arguments = ("model.py:make", "--board", "qemu-m4")
    text = mcugen("build", *arguments, cwd=folder)
    ran = mcugen("run", *arguments, "--samples", 8, "--runs", 2, "--json", cwd=folder)

    assert result["build_text"] == text.stdout.rstrip("\n")
    assert result["run"] == json.loads(ran.stdout)


def test_model_in_memory_is_the_same_as_from_its_file(result):
    memory, file = result["of_memory"], result["run"]

    assert memory["model"]["sha256"] == file["model"]["sha256"]
    assert memory["timing"] == file["timing"]
    assert memory["verify"]["bit_exact"] == 8
    assert memory["verify"]["accuracy"] == file["verify"]["accuracy"]
    assert memory["verify"]["accuracy"]["float"] == 1.0


def test_other_samples_are_judged_and_those_that_differ_can_be_inferred(result):
    """A model that has no file is saved beside them."""
    bit_exact, accuracy, command, there = result["wrong_labels"]

    assert (bit_exact, accuracy) == (8, 0.0)
    assert command == ["mcugen", "infer", "model.pte", "--input"]
    assert there == [True, True]


def test_model_in_memory_is_known_by_what_it_computes(result):
    """A module built anew with equal weights is the same model; one with another weight is not."""
    assert result["first"] is True
    assert result["same_weights"] is False
    assert result["other_weight"] is True


def test_the_user_s_module_keeps_its_mode(result):
    training, warning = result["training"]

    assert training is True
    assert warning.startswith("the model is in train mode")


def test_profile_has_a_row_for_each_call(result):
    assert [row["operator"] for row in result["profile"]] == ["mcugen::packed_linear.out"] * 2
    assert all(row["instructions"] > 0 for row in result["profile"])


def test_error_says_what_to_do(result):
    message, hint = result["error"]

    assert "a build for qemu-m4, not for qemu-m3" in message
    assert "mcugen.build" in hint
