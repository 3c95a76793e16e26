# SPDX-License-Identifier: BSD-3-Clause
"""A test of the rig is tried again where the link to its device failed, and its report says so.

Not by pytest-rerunfailures: its JUnit has a test that passes for each try that failed.
"""

from __future__ import annotations

import time

import pexpect
import pytest
import serial
from _pytest.runner import runtestprotocol
from flashed import LinkFailed
from hardware_map import Device
from rig_report import ATTEMPTS, RETRIED, first_line

#: What a lost byte, a port or a probe makes a test fail by; never what a device computes.
LINK_ERRORS = (LinkFailed, serial.SerialException, pexpect.TIMEOUT)
_PAUSE_S = 1.0
_FAILED_BY = pytest.StashKey[list[BaseException]]()


class Retries:
    """Runs each test that has a device so often as it may."""

    def __init__(self, most: int) -> None:
        self._most = most

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if not isinstance(params.get("device"), Device):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reasons: list[str] = []
        while True:
            item.stash[_FAILED_BY] = []
            item.user_properties[:] = [
                each for each in item.user_properties if each[0] not in (ATTEMPTS, RETRIED)
            ]
            if reasons:
                item.user_properties.append((ATTEMPTS, len(reasons) + 1))
                item.user_properties += [(RETRIED, reason) for reason in reasons]
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            errors = item.stash[_FAILED_BY]
            by_link = bool(errors) and all(isinstance(each, LINK_ERRORS) for each in errors)
            if not by_link or len(reasons) >= self._most:
                break
            reasons.append(next(first_line(each) for each in reports if each.failed))
            time.sleep(_PAUSE_S)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> object:
        report = yield
        if report.failed and call.excinfo is not None:
            item.stash.setdefault(_FAILED_BY, []).append(call.excinfo.value)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        tries = dict(getattr(report, "user_properties", ())).get(ATTEMPTS)
        if tries is not None and report.when == "call" and report.passed:
            return "retried", "R", f"PASSED at try {tries}"
        return None
