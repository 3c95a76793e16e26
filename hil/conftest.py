# SPDX-License-Identifier: BSD-3-Clause
"""The rig: each chosen entry of the map is flashed once, then tested over its console."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import hardware_map
import pytest
import rig_store
from flashed import Flashed, flash
from rig_report import DEVICE, FIRMWARE, RigReport
from rig_retries import LINK_ERRORS, Retries

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "hil: the rig")
    group.addoption(
        "--rig",
        type=Path,
        default=HERE / "hardware-map.yml",
        metavar="MAP.yml",
        help="hardware map in twister's schema (default: the simulated Nucleo)",
    )
    group.addoption("--rig-board", action="append", default=[], help="devices of this board alone")
    group.addoption("--rig-fixture", action="append", default=[], help="devices that have it alone")
    group.addoption(
        "--rig-retries", type=int, default=2, metavar="N", help="tries more where a link fails (2)"
    )
    group.addoption(
        "--rig-answer", type=float, default=15.0, metavar="S", help="how long to wait for a device"
    )
    group.addoption(
        "--probe-wait",
        type=float,
        default=0.0,
        metavar="S",
        help="how long to wait for a probe that another program holds (default: refuse at once)",
    )
    group.addoption("--builds", type=Path, metavar="DIR", help="keep the images there between runs")
    group.addoption("--store", type=Path, metavar="DIR", help="keep each device's result there")
    group.addoption(
        "--record", action="store_true", help="--store hil/results, with the transcripts"
    )
    group.addoption(
        "--compare-with", metavar="RUN", help="an earlier run of the store, its path, or last"
    )
    group.addoption("--policy", type=Path, metavar="FILE.toml", help="how far figures may move")
    group.addoption(
        "--page-runs", type=int, default=20, metavar="N", help="runs that the store's page shows"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Retries(config.getoption("--rig-retries")), "rig-retries")
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.rig_run = worker["rig_run"]
        return
    config.rig_run = rig_store.new_run()
    if config.getoption("--record"):
        config.option.store = config.option.store or HERE / "results"
    store = config.getoption("--store")
    if store is not None:
        config.option.store = store.absolute()
    elif config.getoption("--compare-with"):
        raise pytest.UsageError("--compare-with goes with --store")
    report = RigReport(
        chosen(config), config.getoption("--store"), config.rig_run, config.getoption("--page-runs")
    )
    config.pluginmanager.register(report, "rig-report")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a worker of pytest-xdist which run it belongs to."""
    node.workerinput["rig_run"] = node.config.rig_run


def chosen(config: pytest.Config) -> tuple[hardware_map.Device, ...]:
    """Return the devices to test. Raises UsageError."""
    try:
        return hardware_map.choose(
            config.getoption("--rig"),
            config.getoption("--rig-board"),
            config.getoption("--rig-fixture"),
        )
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" not in metafunc.fixturenames:
        return
    needed = {mark.args[0] for mark in metafunc.definition.iter_markers("needs_fixture")}
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
            for device in chosen(metafunc.config)
            if needed <= set(device.fixtures)
        ],
        scope="session",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    device = getattr(item, "callspec", None) and item.callspec.params.get("device")
    if isinstance(device, hardware_map.Device):
        item.user_properties += [(DEVICE, device.id), ("board", device.platform)]


class Desk:
    """A device that is flashed when the first test asks for it."""

    def __init__(self, flash: Callable[[], AbstractContextManager[Flashed]], tries: int) -> None:
        self._flash = flash
        self._tries = tries
        self._stack = contextlib.ExitStack()
        self._flashed: Flashed | None = None
        self._failures: list[Exception] = []

    def flashed(self) -> Flashed:
        """Return it; one that failed as often as it may is not waited for again."""
        if self._flashed is None:
            self._check_hope()
            try:
                self._flashed = self._stack.enter_context(self._flash())
            except Exception as error:
                self._failures.append(error)
                raise
        return self._flashed

    def _check_hope(self) -> None:
        last = self._failures[-1] if self._failures else None
        if last is not None and (
            not isinstance(last, LINK_ERRORS) or len(self._failures) >= self._tries
        ):
            pytest.fail(f"given up: {last}", pytrace=False)

    def close(self) -> None:
        """Give the device back."""
        self._stack.close()


@pytest.fixture(scope="session")
def desk(
    device: hardware_map.Device,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """The device's place: built for once a run and board, flashed once."""
    options = request.config.getoption
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent
    builds = (options("--builds") or shared / "rig-builds").absolute()
    folder = tmp_path_factory.mktemp(device.id)
    waits = {"answer_s": options("--rig-answer"), "probe_wait_s": options("--probe-wait")}
    run = request.config.rig_run
    one = Desk(
        lambda: flash(device, folder, builds, run=run, **waits), options("--rig-retries") + 1
    )
    yield one
    one.close()


@pytest.fixture
def flashed(desk: Desk) -> Flashed:
    """The device, which runs the firmware; by probe id on a real board."""
    return desk.flashed()


@pytest.fixture(autouse=True)
def _firmware(flashed: Flashed, request: pytest.FixtureRequest) -> None:
    """Let every report say which firmware it is of."""
    known = dict(request.node.user_properties)
    if flashed.build is not None and FIRMWARE not in known:
        request.node.user_properties.append((FIRMWARE, flashed.build.report["firmware"]["id"]))


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
