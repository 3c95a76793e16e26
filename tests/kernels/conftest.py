# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from op_host import OpHost, build_op_host


@pytest.fixture(scope="session")
def op_program(tmp_path_factory: pytest.TempPathFactory):
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    return build_op_host(tmp_path_factory.mktemp("op_host"))


@pytest.fixture(scope="module")
def host(op_program) -> Iterator[OpHost]:
    host = OpHost(op_program)
    yield host
    host.close()
