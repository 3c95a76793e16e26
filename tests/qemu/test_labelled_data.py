# SPDX-License-Identifier: BSD-3-Clause
"""A model of one's own on labelled data of one's own: accuracy on the simulated device.

One image serves all tests: each source of data is one more command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from labelled_model import CLASSES, SAMPLES, images

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

MODEL = f"{Path(__file__).parent / 'labelled_model.py'}:make"
VERIFY = ("verify", "--samples", SAMPLES, "--json")
PROGRESS = Path("mcugen_out", "verify", "labelled_model_make-qemu-m4", "progress.bin")
RECORD_BYTES = 4 + len(CLASSES)


@pytest.fixture(scope="module")
def in_float() -> tuple[float, np.ndarray]:
    """Accuracy of the module and how often it takes which class for which, in plain PyTorch."""
    import torch
    from labelled_model import make

    pixels, labels = images()
    module = make().module
    with torch.no_grad():
        outputs = module(torch.from_numpy(pixels).unsqueeze(1) / 255)
    found = outputs.argmax(dim=1).numpy()
    matrix = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(matrix, (labels, found), 1)
    return float((found == labels).mean()), matrix


@pytest.fixture(scope="module")
def project(mcugen, tmp_path_factory) -> Path:
    """A folder in which the model has been run once, on the samples that its factory gives."""
    cwd = tmp_path_factory.mktemp("labelled")
    pixels, labels = images()
    np.savez(cwd / "images.npz", x=pixels, y=labels)
    arguments = ("run", MODEL, "--board", "qemu-m4", "--samples", SAMPLES, "--runs", 1, "--json")
    (cwd / "run.json").write_text(mcugen(*arguments, cwd=cwd).stdout)
    return cwd


def check(report: dict, in_float: tuple[float, np.ndarray]) -> None:
    """Whether accuracies are those of the samples, and of the model in PyTorch."""
    verify = report["verify"]
    accuracy, matrix = in_float
    assert verify["samples"] == verify["bit_exact"] == SAMPLES
    assert verify["metric"] == "accuracy"
    assert verify["accuracy"]["float"] == pytest.approx(accuracy)
    assert 0.6 < accuracy < 1.0
    assert verify["confusion"]["float"] == matrix.tolist()
    assert verify["accuracy"]["device"] == verify["accuracy"]["int8_host"]
    on_device = np.array(verify["confusion"]["device"])
    assert verify["accuracy"]["device"] == pytest.approx(on_device.trace() / SAMPLES)
    assert (on_device.sum(axis=1) == matrix.sum(axis=1)).all()
    assert verify["agreement"]["device"] >= 0.95
    assert [each["name"] for each in verify["classes"]] == list(CLASSES)


def test_dataset_of_the_factory(project, in_float):
    report = json.loads((project / "run.json").read_text())

    check(report, in_float)
    assert "the model's own (labelled_model.py:make), 300 samples" in report["verify"]["data"]


def test_npz_and_the_samples_that_differ(project, in_float, mcugen):
    report = json.loads(mcugen(*VERIFY, "--data", "images.npz", cwd=project).stdout)

    check(report, in_float)
    differing = report["verify"]["differing"]
    wrong = SAMPLES - np.trace(report["verify"]["confusion"]["device"])
    assert differing["label"] == wrong and differing["host"] == 0
    index = json.loads(Path(differing["index"]).read_text())
    assert len(index["saved"]) >= min(16, wrong)
    for row in index["saved"]:
        image = np.load(Path(differing["index"]).parent / row["files"][0])
        assert (image.shape, image.dtype) == ((1, 1, 8, 8), np.int8)
        assert row["device"] == row["host"] and row["kinds"]


def test_folder_of_images_by_class(project, in_float, mcugen):
    from PIL import Image

    for number, (pixels, label) in enumerate(zip(*images(), strict=True)):
        file = project / "by_class" / CLASSES[label] / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)

    check(json.loads(mcugen(*VERIFY, "--data", "by_class", cwd=project).stdout), in_float)


def test_csv_of_windows(project, in_float, mcugen):
    """A row of an image is a step, a pixel of it a channel; eight steps are a sample."""
    lines = [",".join([*(f"c{column}" for column in range(8)), "label"])]
    for pixels, label in zip(*images(), strict=True):
        for row in pixels / 255:
            lines.append(",".join([*(f"{value:.6f}" for value in row), CLASSES[label]]))
    (project / "windows.csv").write_text("\n".join(lines) + "\n")

    done = mcugen(*VERIFY, "--data", "windows.csv:window=8,hop=8", cwd=project)

    check(json.loads(done.stdout), in_float)


def start(project: Path, *arguments: object) -> subprocess.Popen[str]:
    command = Path(sys.executable).parent / "mcugen"
    return subprocess.Popen(
        [str(command), *map(str, arguments)],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def when_samples_are_done(project: Path, count: int, do: Callable[[], None]) -> None:
    """Do something as soon as so many samples have been through the device."""
    path = project / PROGRESS
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if path.is_file() and path.stat().st_size > count * RECORD_BYTES + 100:
            do()
            return
        time.sleep(0.0005)
    raise AssertionError(f"no {count} samples in {path}")


def kill_simulator(project: Path) -> None:
    """End the QEMU that runs this project's image, as a crash would."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "qemu-system-arm" in words[0] and any(str(project) in word for word in words):
            os.kill(int(folder.name), signal.SIGKILL)
            return
    raise AssertionError("no QEMU runs the image")


def test_goes_on_when_the_simulator_dies(project, in_float):
    with start(project, *VERIFY, "--data", "images.npz") as process:
        when_samples_are_done(project, 30, lambda: kill_simulator(project))
        out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    report = json.loads(out)
    check(report, in_float)
    (loss,) = report["verify"]["losses"]
    assert "connected again after one try" in loss
    assert "lost the device at sample" in err


def test_goes_on_after_a_ctrl_c(project, in_float, mcugen):
    for _ in range(3):  # On a busy machine all may be done before the signal is sent.
        with start(project, *VERIFY, "--data", "images.npz") as process:
            when_samples_are_done(project, 30, lambda: process.send_signal(signal.SIGINT))
            _, err = process.communicate(timeout=120)
        if process.returncode != 0:
            break
    assert process.returncode == 130
    assert f"of {SAMPLES} samples are kept in" in err

    done = mcugen(*VERIFY, "--data", "images.npz", cwd=project)

    report = json.loads(done.stdout)
    check(report, in_float)
    assert 30 <= report["verify"]["resumed"] < SAMPLES
    executed = Path(report["transcript"]).read_text().count("[frame EXECUTE reply")
    assert executed == SAMPLES - report["verify"]["resumed"]
    assert not (project / PROGRESS).exists()
