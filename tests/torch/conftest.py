# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir

#: Kept by the hash of all that they are made of, this package's sources among it.
TAKEN_OVER = ("weights", "tfds", "artifacts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.torch)


@pytest.fixture(scope="session")
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this worker's, but for trained weights: those the workers share."""
    folder = tmp_path_factory.mktemp("cache")
    if "PYTEST_XDIST_WORKER" in os.environ:
        weights = tmp_path_factory.getbasetemp().parent / "weights"
        weights.mkdir(exist_ok=True)
        (folder / "weights").symlink_to(weights)
    return folder


def take_over(usual: Path, folder: Path) -> None:
    """Copy entries that are there and not here; one that is being changed is left."""
    for kind in TAKEN_OVER:
        here = folder / kind
        here.mkdir(exist_ok=True)
        for entry in (usual / kind).glob("[0-9a-f]*"):
            if not (here / entry.name).exists():
                staging = Path(tempfile.mkdtemp(prefix=".", dir=here))
                try:
                    shutil.copytree(entry, staging, dirs_exist_ok=True)
                    staging.rename(here / entry.name)
                except OSError:
                    shutil.rmtree(staging, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def cache_folder(cache_of_this_run: Path) -> Iterator[Path]:
    """A cache of this run's own, with models that tests of other folders have trained and exported.

    What these tests make is in no other: they see it made for the first time. Set module by module,
    so that tests of other folders in the same process keep the user's.
    """
    import torch

    torch.set_num_threads(1)  # two threads on two busy cores wait for each other
    take_over(cache_dir(), cache_of_this_run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MCUGEN_CACHE_DIR", str(cache_of_this_run))
        yield cache_of_this_run
