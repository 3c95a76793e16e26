# SPDX-License-Identifier: BSD-3-Clause
"""What a user gets from the wheel, outside of any checkout."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
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


def link_requirements(distribution: Distribution, packages: Path) -> None:
    """Put into `packages` what the distribution requires, and what that requires, but no extras.

    Fails for one that is not here, or not at a version that it asks for.
    """
    wanted = [Requirement(text) for text in distribution.requires or ()]
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        extras = ["", *requirement.extras]
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = importlib.metadata.distribution(requirement.name)
        assert requirement.specifier.contains(found.version, prereleases=True), requirement
        for extra in extras:
            if (requirement.name, extra) in seen:
                continue
            seen.add((requirement.name, extra))
            for text in found.requires or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    needed.marker = None
                    wanted.append(needed)
        for name in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            link = packages / name
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(name))))


@pytest.mark.torch
@pytest.mark.toolchain
@pytest.mark.qemu
def test_wheel_in_an_empty_venv_runs_digits(wheel, tmp_path):
    """Nothing is seen but the wheel and what its own metadata ask for, at those versions.

    Of that the running environment's copies are taken: to install them again takes a minute.
    """
    venv.create(tmp_path / "venv", with_pip=False)
    bin_dir = tmp_path / "venv" / "bin"
    # Of what is installed one command runs: Python compiles what that imports.
    pip = [sys.executable, "-m", "pip", "--python", bin_dir / "python", "install", "--quiet"]
    installed = subprocess.run(
        [*pip, "--no-compile", "--no-deps", str(wheel)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert installed.returncode == 0, installed.stderr[-4000:]
    (packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (metadata,) = packages.glob("mcugen-*.dist-info")
    link_requirements(PathDistribution(metadata), packages)
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
