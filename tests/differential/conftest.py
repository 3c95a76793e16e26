# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import BOARDS, HostProgram, OnDevice, Reference
from op_host import shared_hosts


@pytest.fixture(scope="session")
def reference() -> Iterator[Reference]:
    reference = Reference()
    yield reference
    reference.close()


@pytest.fixture(scope="session")
def our_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProgram]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own below that of the run.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    host = HostProgram(shared_hosts(base)[1])
    yield host
    host.close()


@pytest.fixture
def devices(
    request: pytest.FixtureRequest,
    runners: Callable[[str], Any],
    without_runner: frozenset[str],
) -> Iterator[dict[str, OnDevice]]:
    """The runner images on QEMU, one per CPU; --boards chooses among all of them."""
    for tool in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    chosen = request.config.getoption("--boards")
    usual = [name for name in BOARDS if name not in without_runner]
    boards = usual if chosen is None else [name for name in chosen.split(",") if name]
    # Two workers that begin at either end do not wait for each other's images.
    backwards = os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0"
    for board in reversed(boards) if backwards else boards:
        runners(board)
    yield {board: OnDevice(runners(board)) for board in boards}
