# SPDX-License-Identifier: BSD-3-Clause
"""What became of each device, from every worker's reports: retries, results, the page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import rig_page
import rig_store
from hardware_map import Device

DEVICE = "device"
FIRMWARE = "firmware_id"
ATTEMPTS = "attempts"
RETRIED = "retried"  #: why, once for each try that failed


@dataclass
class _Test:
    outcome: str = "passed"
    seconds: float = 0.0
    failure: str | None = None
    retried_because: list[str] = field(default_factory=list)


class RigReport:
    """Collects where all workers' reports arrive; told at the end, never silent on a retry."""

    def __init__(
        self, devices: tuple[Device, ...], store: Path | None, run: str, page_runs: int
    ) -> None:
        self._devices = {device.id: device for device in devices}
        self._store = store
        self._run = run
        self._page_runs = page_runs
        self._tests: dict[str, dict[str, _Test]] = {}
        self._firmware: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        device = properties.get(DEVICE)
        if device is None:
            return
        if FIRMWARE in properties:
            self._firmware[device] = properties[FIRMWARE]
        name = report.nodeid.rpartition("::")[2].partition("[")[0]
        test = self._tests.setdefault(device, {}).setdefault(name, _Test())
        test.seconds += report.duration
        test.retried_because = [why for key, why in report.user_properties if key == RETRIED]
        if report.failed:
            test.outcome, test.failure = "failed", first_line(report)
        elif report.skipped and test.outcome == "passed":
            test.outcome = "skipped"

    def pytest_sessionfinish(self) -> None:
        if self._store is None or not self._tests:
            return
        for device, tests in self._tests.items():
            self._finish(device, tests)
        rig_page.write(self._store, last=self._page_runs)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        retried = [
            (device, name, reason)
            for device, tests in sorted(self._tests.items())
            for name, test in tests.items()
            for reason in test.retried_because
        ]
        if retried:
            terminalreporter.section("retries")
            for device, name, reason in retried:
                terminalreporter.write_line(f"{device}: {name}: {reason}")
        if self._store is not None and self._tests:
            terminalreporter.section("rig")
            terminalreporter.write_line(f"results: {self._store / self._run}")
            terminalreporter.write_line(f"page: {self._store / rig_page.NAME}")

    def _finish(self, device: str, tests: dict[str, _Test]) -> None:
        """Say in a device's result how its tests went; also where nothing was measured."""
        assert self._store is not None
        path = self._store / self._run / f"{device}.json"
        if path.is_file():
            document = json.loads(path.read_text(encoding="utf-8"))
        else:
            here = rig_store.commit_of(Path.cwd())
            document = rig_store.result_document(self._devices[device], {}, self._run, here)
            document["firmware"]["id"] = self._firmware.get(device)
        failed = any(test.outcome == "failed" for test in tests.values())
        document["outcome"] = "failed" if failed else "passed"
        document["tests"] = [
            {
                "name": name,
                "outcome": test.outcome,
                "seconds": round(test.seconds, 3),
                "failure": test.failure,
                "retried_because": test.retried_because,
            }
            for name, test in tests.items()
        ]
        rig_store.write(path, document)


def first_line(report: pytest.TestReport) -> str:
    """Return what a test failed by, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr)
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:300]
