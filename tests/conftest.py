# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import fcntl
import functools
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir, sha256_hex
from mcugen.base.toolchain import COMPILER, find_tool
from mcugen.boards.load import load_board
from mcugen.device.runner import Runner
from mcugen.project.build import build_project
from mcugen.project.contents import runner_contents
from mcugen.project.render import render_project
from mcugen.project.runner import write_runner_project

ROOT = Path(__file__).resolve().parent.parent
#: The M4's kernels on other CPUs: a runner with all operators only with --every-cpu.
LIKE_M4 = ("qemu-m7", "qemu-m33")

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many workers as cores: what torch starts beyond one thread waits for another's
    # core by spinning. Commands that a test starts take it over.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# An export makes millions of objects, and Python looks for cycles among all that live: 2.4 of 32 s
# for three of tests/torch/test_plain_models.py, 1.0 s with these.
gc.set_threshold(100_000, 50, 100)

# Where a machine forbids it, each of some hundred commands compiles all of mcugen, and each build
# SCons, which is a copy in the cache.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the expected files under tests/golden instead of comparing with them",
    )

    parser.addoption(
        "--every-damage",
        action="store_true",
        help="try every damage to a model on qemu-m4, too, not only on the host",
    )
    parser.addoption(
        "--every-cpu",
        action="store_true",
        help="the runner on Cortex-M7 and M33, too, which take the kernels of the M4",
    )
    parser.addoption(
        "--runner-images",
        metavar="DIR",
        type=Path,
        help="take the runner of each board from DIR/<board>.elf instead of building it",
    )
    differential = parser.getgroup("differential", "tests/differential")
    differential.addoption("--seed", type=int, default=0, help="of cases and networks")
    differential.addoption("--cases", type=int, default=2400, help="how many operator calls")
    differential.addoption("--case", metavar="FAMILY:SEED:INDEX", help="one operator call alone")
    differential.addoption("--networks", type=int, help="how many networks (default: a sample)")
    differential.addoption("--network", type=int, metavar="SEED", help="one network alone")
    differential.addoption("--models", type=int, help="how many random models (default: a sample)")
    differential.addoption("--model", type=int, metavar="SEED", help="one random model alone")
    differential.addoption("--views", type=int, default=9, help="how many views (0: all)")
    differential.addoption(
        "--suite-cases", type=int, default=29, help="how many of ExecuTorch's own cases (0: all)"
    )
    parser.addoption(
        "--kernel-calls", type=int, default=500, help="calls of each kernel in tests/kernels"
    )
    differential.addoption("--boards", metavar="BOARD,…", help="the simulated boards to run on")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests that share a fixture of their file run in one worker: it is made once.

    A group that is marked wins. Tests of a runner that this run does not build are left out.
    """
    left_out = [item for item in items if not _without_runner(config).isdisjoint(_runner_of(item))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None:
            file = item.getparent(pytest.Module).nodeid
            known = item._fixtureinfo.name2fixturedefs.values()
            if any(
                each.baseid == file and each.scope in ("module", "session")
                for definitions in known
                for each in definitions
            ):
                item.add_marker(pytest.mark.xdist_group(file))


def _without_runner(config: pytest.Config) -> frozenset[str]:
    return frozenset() if config.getoption("--every-cpu") else frozenset(LIKE_M4)


def _runner_of(item: pytest.Item) -> list[str]:
    """Return the parameters of a test that takes a runner: the board is among them."""
    if not isinstance(item, pytest.Function) or "runner_elf" not in item.fixturenames:
        return []
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return [value for value in given if isinstance(value, str)]


@pytest.fixture(scope="session")
def without_runner(request: pytest.FixtureRequest) -> frozenset[str]:
    """The simulated boards that this run builds no runner for."""
    return _without_runner(request.config)


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str, str, int, int], None]:
    """Count(what, where, passed, failed): printed in sum at the end of the run."""

    def add(what: str, where: str, passed: int, failed: int) -> None:
        record_property("count", [what, where, passed, failed])

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # Reports come from the workers of pytest-xdist with their properties.
    sums: dict[tuple[str, str], list[int]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "call":
                continue
            for name, value in report.user_properties:
                if name == "count":
                    what, where, passed, failed = value
                    total = sums.setdefault((what, where), [0, 0])
                    total[0] += passed
                    total[1] += failed
    if sums:
        terminalreporter.section("counts")
    for (what, where), (passed, failed) in sums.items():
        terminalreporter.write_line(f"{what}, {where}: {passed:,} passed, {failed:,} failed")


@pytest.fixture(scope="session", autouse=True)
def _own_locks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each worker has locks of its own: its fake probes have the numbers of others'."""
    os.environ["MCUGEN_LOCK_DIR"] = str(tmp_path_factory.mktemp("locks"))


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def mcugen(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed command line; fails unless it ends with `exit_code` (default 0)."""
    command = Path(sys.executable).parent / "mcugen"
    elsewhere = tmp_path_factory.mktemp("cwd")

    def run(
        *arguments: object, cwd: Path | None = None, exit_code: int = 0, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(command), *map(str, arguments)],
            cwd=cwd or elsewhere,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == exit_code, (
            f"exit {done.returncode}, expected {exit_code}\n"
            f"stdout:\n{done.stdout[-4000:]}\nstderr:\n{done.stderr[-8000:]}"
        )
        return done

    return run


@functools.cache
def _built_runner(board_id: str) -> Path:
    """Build a board's runner image, once per machine for the same sources; return the ELF.

    Beside it lie the libraries that it was linked from.
    """
    board = load_board(board_id)
    root = cache_dir() / "test-runners" / board_id
    root.parent.mkdir(parents=True, exist_ok=True)
    compiler = find_tool(COMPILER).description
    sources = render_project(runner_contents(board)).firmware_id
    made_from = sha256_hex(f"{sources} {compiler}".encode())[:16]
    elf = root.parent / f"{board_id}-{made_from}.elf"
    # One project per board, whatever the number of workers: it is built incrementally. What
    # runs is a copy, named by what it was made from.
    with open(root.parent / f"{board_id}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (elf.exists() and _libraries_of(elf)):
            image = build_project(write_runner_project(board, root), board)
            for suffix in ("elf", "a"):
                for old in root.parent.glob(f"{board_id}-*.{suffix}"):
                    old.unlink()
            for library in image.elf.parent.glob("lib*/*.a"):
                shutil.copyfile(library, elf.with_name(f"{elf.stem}-{library.name}"))
            copy = elf.with_suffix(".new")
            shutil.copyfile(image.elf, copy)
            copy.replace(elf)
    return elf


def _libraries_of(elf: Path) -> list[Path]:
    return sorted(elf.parent.glob(f"{elf.stem}-*.a"))


@pytest.fixture(scope="session")
def runner_elf(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return a board's runner image, an ELF."""
    images: Path | None = request.config.getoption("--runner-images")
    return _built_runner if images is None else lambda board_id: images / f"{board_id}.elf"


@pytest.fixture(scope="session")
def runner_libraries() -> Callable[[str], list[Path]]:
    """Return the libraries that a board's runner was linked from."""
    return lambda board_id: _libraries_of(_built_runner(board_id))


@pytest.fixture(scope="session")
def runners(runner_elf: Callable[[str], Path]) -> Iterator[Callable[[str], Runner]]:
    """Return a board's runner on QEMU: one per board and worker, started anew when it has died."""
    running: dict[str, Runner] = {}

    def runner(board_id: str) -> Runner:
        if board_id in running and not running[board_id].alive():
            running.pop(board_id).close()
        if board_id not in running:
            running[board_id] = Runner.simulate(load_board(board_id), runner_elf(board_id))
        return running[board_id]

    yield runner
    for each in running.values():
        each.close()
