# SPDX-License-Identifier: BSD-3-Clause
"""The rig: each connected entry of the map is flashed once, then tested over its console."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hardware_map
import pytest
from flashed import Flashed

MODEL = "digits"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil")
    group.addoption(
        "--rig",
        type=Path,
        default=Path(__file__).parent / "hardware-map.yml",
        help="hardware map in twister's schema (default: the simulated Nucleo)",
    )
    group.addoption(
        "--record",
        action="store_true",
        help="keep each device's report and transcript in hil/results/",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        devices = [d for d in hardware_map.load(metafunc.config.getoption("--rig")) if d.connected]
        metafunc.parametrize(
            "device",
            [
                pytest.param(
                    device,
                    id=device.id,
                    marks=[
                        pytest.mark.qemu if device.simulated else pytest.mark.hil,
                        # One device, one process: two would fight for its port.
                        pytest.mark.xdist_group(device.id),
                    ],
                )
                for device in devices
            ],
            scope="session",
        )


@pytest.fixture(scope="session")
def flashed(
    device: hardware_map.Device, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flashed]:
    """Build and flash through the command line, as a user does; by probe id on a real board."""
    folder = tmp_path_factory.mktemp(device.id)
    target = ["--simulate"] if device.simulated else ["--device", str(device.probe_id)]

    def mcugen(*arguments: str) -> dict[str, Any]:
        command = [str(Path(sys.executable).parent / "mcugen"), *arguments, "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr[-4000:]}"
        return json.loads(done.stdout)

    built = mcugen("build", MODEL, "--board", device.platform)
    document = mcugen("flash", *target)
    port = document["port"] if device.simulated else (device.serial or device.serial_pty)
    yield Flashed(device, folder, port, built["firmware"]["id"], built["model"]["sha256"], mcugen)
    if device.simulated:
        mcugen("flash", "--stop")


@pytest.fixture
def embedded_services() -> str:
    """pytest-embedded: a plain serial port; `serial_for_url` takes a simulated one too."""
    return "serial"


@pytest.fixture
def port(flashed: Flashed) -> str:
    """pytest-embedded: the port of the device under test."""
    return flashed.port


@pytest.fixture
def baud(device: hardware_map.Device) -> int:
    """pytest-embedded: its speed."""
    return device.baud
