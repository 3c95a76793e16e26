# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


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


@pytest.fixture(scope="module", autouse=True)
def cache_folder(cache_of_this_run: Path) -> Iterator[Path]:
    """A cache of this run's own: nothing is taken over from earlier ones.

    Set module by module, so that tests of other folders in the same process keep the user's.
    """
    import torch

    torch.set_num_threads(1)  # two threads on two busy cores wait for each other
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MCUGEN_CACHE_DIR", str(cache_of_this_run))
        yield cache_of_this_run
