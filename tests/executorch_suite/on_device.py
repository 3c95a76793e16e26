# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin: the Cortex-M tests of the executorch wheel run their programs on our runner.

Those tests lower a module, hand the `.pte` to Arm's simulator in their `Serialize` stage and
compare what comes back with the quantized model. Here that one stage sends the program to our
runner on QEMU, `--device cortex-m4=qemu-m4=ELF`; nothing else of the tests changes. Cases that
never reach a simulator are deselected, the others run once for each CPU.
"""

from __future__ import annotations

import gc
import json
import math
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from executorch.backends.cortex_m.target_config import CortexMTargetConfig
from executorch.backends.cortex_m.test import tester
from levels import prepared
from lower_once import LowerOnce
from torch.utils._pytree import tree_flatten

from mcugen.base.errors import DeviceError
from mcugen.boards.load import load_board
from mcugen.device.runner import Runner
from mcugen.program.artifact import DTYPES
from mcugen.program.container import deserialize, find_method
from mcugen.program.level import Level

gc.set_threshold(100_000, 50, 100)  # as tests/conftest.py has it, and says why

LEVELS = tuple(Level)
#: The cases that run a program on a simulator ("FVP" is Arm's), by the name of their function.
ON_DEVICE = re.compile(r"test_implementation_|_fvp$")
#: Those of them that lower for one CPU whatever is asked for.
PINNED = {"test_explicit_conv1d_runs_on_fvp": "cortex-m55"}


def case_name(nodeid: str) -> str:
    """A case without its CPU: "ops/test_add.py::test_implementation_add[alpha]"."""
    return re.sub(r"\[cortex-m\d+]$|(?<=\[)cortex-m\d+-|-cortex-m\d+(?=]$)", "", nodeid)


class Device:
    """A board's runner, started when it is first needed, and anew when it has failed to answer."""

    def __init__(self, board_id: str, elf: Path) -> None:
        self._board_id = board_id
        self._elf = elf
        self._runner: Runner | None = None

    def run(self, pte: bytes, inputs: list[bytes]) -> list[bytes]:
        """Load a program, execute it once and return its outputs.

        And once more as a build prepares it, at a level of its own: the same bytes.
        """
        if self._runner is None:
            self._runner = Runner.simulate(load_board(self._board_id), self._elf)
        try:
            self._runner.push(pte)
            outputs = self._runner.run(inputs)
            level = LEVELS[zlib.crc32(pte) % len(LEVELS)]
            self._runner.push(prepared(pte, self._board_id, level))
            if self._runner.run(inputs) != outputs:
                raise AssertionError(f"other bytes as a build at --optimize {level} prepares it")
            return outputs
        except DeviceError:
            raise  # it said no: it is well
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device", action="append", metavar="CPU=BOARD=ELF", help="where to run what is for CPU"
    )
    parser.addoption("--results", metavar="FILE", help="write one JSON line for each case")
    parser.addoption("--only", metavar="FILE", help="run the cases that it names, one in a line")


def pytest_configure(config: pytest.Config) -> None:
    devices = {}
    for option in config.getoption("--device"):
        target, board_id, elf = option.split("=", 2)
        devices[target] = Device(board_id, Path(elf))
    # The option of the suite's own conftest.py.
    config.option.cortex_m_target = list(devices)
    config.pluginmanager.register(_Adapter(config, devices))


@pytest.fixture
def mcugen_target(request: pytest.FixtureRequest) -> str:
    """The CPU of a case that names none itself."""
    return request.param


class _Adapter:
    def __init__(self, config: pytest.Config, devices: dict[str, Device]) -> None:
        self._devices = devices
        self._results: str | None = config.getoption("--results")
        only: str | None = config.getoption("--only")
        self._only = Path(only).read_text(encoding="utf-8").splitlines() if only else None
        self._target = ""  #: the CPU of the running case
        self._seconds = 0.0  #: the running case's time on the device
        self._lowering = LowerOnce()
        self._lowering.install()
        self._replace_simulator()

    def _replace_simulator(self) -> None:
        adapter = self
        init = tester.CortexMTester.__init__

        # Tests that name no CPU get theirs here; upstream they get an M55.
        def init_for_target(self, module, example_inputs, target_config=None, timeout=120):
            config = target_config or CortexMTargetConfig.from_target_string(adapter._target)
            init(self, module, example_inputs, target_config=config, timeout=timeout)

        def run_artifact(self, inputs):
            return adapter.execute(self.build_dir_suffix.removeprefix("_"), self.artifact, inputs)

        tester.CortexMTester.__init__ = init_for_target
        tester.CortexMSerialize.run_artifact = run_artifact

    def execute(self, target: str, pte: bytes, inputs: object) -> tuple[torch.Tensor, ...]:
        """Run a program on the device for `target`."""
        if target != self._target:
            raise RuntimeError(f"lowered for {target} in a case of {self._target}")
        program = deserialize(pte, name="program").program
        plan = find_method(program, name="program")
        values, _ = tree_flatten(inputs)
        data = [
            _to_memory(value, plan.values[index].val)
            for value, index in zip(values, plan.inputs, strict=True)
        ]
        start = time.monotonic()
        try:
            answers = self._devices[target].run(pte, data)
        finally:
            self._seconds += time.monotonic() - start
        return tuple(
            _from_memory(answer, plan.values[index].val)
            for answer, index in zip(answers, plan.outputs, strict=True)
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "cortex_m_target" not in metafunc.fixturenames:
            pinned = PINNED.get(metafunc.function.__name__)
            metafunc.fixturenames.append("mcugen_target")
            targets = [target for target in self._devices if pinned in (None, target)]
            metafunc.parametrize("mcugen_target", targets, indirect=True)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        chosen = [item for item in items if ON_DEVICE.search(item.originalname)]
        if self._only is not None:
            drawn = set(self._only)
            for item in chosen:
                if case_name(item.nodeid) not in drawn:
                    self._write(case_name(item.nodeid), "not-drawn", cpu=_cpu(item))
            chosen = [item for item in chosen if case_name(item.nodeid) in drawn]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        # A case's runs for the CPUs side by side: they share most of the lowering.
        first: dict[str, int] = {}
        for index, item in enumerate(chosen):
            first.setdefault(case_name(item.nodeid), index)
        items[:] = sorted(chosen, key=lambda item: first[case_name(item.nodeid)])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._target = _cpu(item)
        self._seconds = 0.0
        self._lowering.start(case_name(item.nodeid))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        self._write(
            case_name(report.nodeid),
            _outcome(report),
            str(report.longrepr)[-4000:] if report.failed else "",
            cpu=self._target,
            seconds=round(report.duration, 3),
            device_seconds=round(self._seconds, 3),
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._write(report.nodeid, "not-collected", str(report.longrepr)[-4000:])

    def _write(self, case: str, outcome: str, error: str = "", **more: object) -> None:
        if self._results is not None:
            line = {"case": case, "outcome": outcome, "error": error, **more}
            with open(self._results, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def pytest_unconfigure(self) -> None:
        for device in self._devices.values():
            device.close()


def _cpu(item: pytest.Item) -> str:
    params = item.callspec.params
    return str(params.get("cortex_m_target") or params["mcugen_target"])


def _outcome(report: pytest.TestReport) -> str:
    """ "passed", "failed", "skipped", or for the cases that the suite expects to fail "xfailed", or
    "xpassed" when they do not."""
    if report.failed and str(report.longrepr).startswith("[XPASS(strict)]"):
        return "xpassed"
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    return report.outcome


def _to_memory(value: Any, declared: Any) -> bytes:
    """The bytes of an input, in the order in which the program declares it."""
    if not isinstance(value, torch.Tensor):
        return b""  # a number: traced into the program, and there from the start
    array = value.detach().numpy()
    dtype = DTYPES[int(declared.scalar_type)][0]
    if array.dtype != dtype or list(array.shape) != list(declared.sizes):
        raise RuntimeError(f"{dtype}{declared.sizes} is declared: {array.dtype}{array.shape}")
    return np.ascontiguousarray(array.transpose(declared.dim_order)).tobytes()


def _from_memory(data: bytes, declared: Any) -> torch.Tensor:
    dtype = np.dtype(DTYPES[int(declared.scalar_type)][0])
    order = list(declared.dim_order)
    if len(data) != math.prod(declared.sizes) * dtype.itemsize:
        raise RuntimeError(f"{len(data)} B for {dtype}{declared.sizes}")
    memory = np.frombuffer(data, dtype).reshape([declared.sizes[axis] for axis in order])
    return torch.from_numpy(memory.copy()).permute(
        [order.index(axis) for axis in range(len(order))]
    )
