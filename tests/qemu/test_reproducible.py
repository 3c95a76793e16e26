# SPDX-License-Identifier: BSD-3-Clause
"""The same inputs, seeds and versions give the same `.pte` and the same ELF, wherever they lie."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir

pytestmark = [pytest.mark.toolchain, pytest.mark.torch]

# A convolution with batch norm, an operator in float, two outputs by name: what has sets or dicts.
MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, image):
        pooled = self.body(image).mean((2, 3))
        return {"scores": self.head(pooled), "features": torch.erf(pooled)}

def make():
    torch.manual_seed(3)
    samples = [torch.randn(1, 2, 6, 6) for _ in range(16)]
    return Net().eval(), (torch.zeros(1, 2, 6, 6),), samples
"""


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """The project folders of two builds: other working folder, home, cache, hash seed, locale.

    One takes the libraries' objects that builds elsewhere have left, the other compiles them all.
    """
    here = tmp_path_factory.mktemp("one")
    there = tmp_path_factory.mktemp("two") / "another place" / "further down"
    there.mkdir(parents=True)
    usual = str(cache_dir() / "objects")
    return [_build(here, "0", "C.UTF-8", usual), _build(there, "4242", "C", "off")]


def _build(folder: Path, hash_seed: str, locale: str, objects: str) -> Path:
    (folder / "model.py").write_text(MODEL)
    (folder / "home").mkdir()
    changes = {
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home/cache"),
        "MCUGEN_CACHE_DIR": str(folder / "cache"),
        # PlatformIO's own files, which no build changes: unpacking them takes 10 s.
        "PLATFORMIO_CORE_DIR": str(cache_dir() / "platformio"),
        "MCUGEN_OBJECT_CACHE": objects,
        "PYTHONHASHSEED": hash_seed,
        "LC_ALL": locale,
        "TMPDIR": str(folder / "home"),
    }
    command = Path(sys.executable).parent / "mcugen"
    done = subprocess.run(
        [command, "build", "model.py:make", "--board", "qemu-m4", "--output-dir", "project"],
        cwd=folder,
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    return folder / "project"


def test_program_and_sources_are_the_same(builds):
    one, two = ({_name(path, root): path for path in _sources(root)} for root in builds)

    assert one.keys() == two.keys()
    differing = [name for name in one if one[name].read_bytes() != two[name].read_bytes()]
    assert differing == []
    assert "src/model_pte.c" in one


def test_image_is_the_same(builds):
    one, two = ((root / ".pio/build/qemu-m4/firmware.elf").read_bytes() for root in builds)

    assert one == two
    assert not any((root / ".pio/precompiled").exists() for root in builds)


def _sources(root: Path) -> list[Path]:
    """Return the project's files, without what a build leaves: objects, and Python's bytecode."""
    files = (path for path in root.rglob("*") if path.is_file())
    left = {".pio", "__pycache__"}
    return sorted(path for path in files if left.isdisjoint(path.relative_to(root).parts))


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
