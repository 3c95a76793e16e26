# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from op_host import OpHost, shared_hosts


@pytest.fixture(scope="session")
def host_programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own below that of the run.
    return shared_hosts(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="module")
def host(host_programs: tuple[Path, Path]) -> Iterator[OpHost]:
    host = OpHost(host_programs[0])
    yield host
    host.close()


@pytest.fixture(scope="session")
def pte_host(host_programs: tuple[Path, Path]) -> Path:
    return host_programs[1]
