# SPDX-License-Identifier: BSD-3-Clause
"""What a user gets from the wheel, outside of any checkout."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("mcugen-*.whl"))


def test_wheel_carries_the_data_folders_whole(wheel):
    """Every tracked file of templates/, firmware/ and boards/ is in the wheel, and nothing else."""
    tracked = subprocess.run(
        ["git", "ls-files", "templates", "firmware", "boards"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    names = {
        name.removeprefix("mcugen/_data/")
        for name in zipfile.ZipFile(wheel).namelist()
        if name.startswith("mcugen/_data/")
    }

    assert names == set(tracked)


@pytest.mark.torch
@pytest.mark.toolchain
@pytest.mark.qemu
def test_wheel_in_an_empty_venv_runs_digits(wheel, tmp_path):
    """Dependencies are resolved from the wheel's own metadata; nothing of the checkout is seen.

    PIP_ARGS are the Makefile's: without its index of CPU-only builds, Linux gets CUDA's gigabytes.
    """
    venv.create(tmp_path / "venv", with_pip=True)
    bin_dir = tmp_path / "venv" / "bin"
    # Of what is installed one command runs: Python compiles what that imports.
    pip = [bin_dir / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    installed = subprocess.run(
        [*pip, *shlex.split(os.environ.get("PIP_ARGS", "")), str(wheel)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert installed.returncode == 0, installed.stderr[-4000:]
    work = tmp_path / "elsewhere"
    work.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    done = subprocess.run(
        [bin_dir / "mcugen", "run", "digits", "--board", "nucleo", "--simulate", "--json"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 0, done.stderr[-4000:]
    assert '"mcugen.report/1"' in done.stdout
