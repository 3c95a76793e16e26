# SPDX-License-Identifier: BSD-3-Clause
"""A simulator that nobody uses ends by itself; those that run are found from any folder.

With `mcugen push`: test_push.py, which has a runner to push to.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcugen.base.resources import firmware_dir

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

SCRIPT = firmware_dir() / "platform" / "builder" / "qemu_session.py"
IDLE_S = 3.0
#: Every wait ends long before on an idle machine.
PATIENCE_S = 60.0

Mcugen = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def own_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner_elf: Callable[[str], Path]
) -> Iterator[Path]:
    """List the machines of a test apart from those of this user; end what it leaves."""
    runner_elf("qemu-m4")  # is built in the usual cache
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "simulators"
    script("stop", "--all")


def script(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def start(runner_elf: Callable[[str], Path]) -> Callable[..., dict[str, Any]]:
    """Start a machine for a state file; return its values."""

    def start_machine(state: Path, *arguments: object) -> dict[str, Any]:
        state.parent.mkdir(parents=True, exist_ok=True)
        machine = ("--elf", runner_elf("qemu-m4"), "--machine", "mps2-an386", "--state", state)
        done = script("start", *machine, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(state.read_text(encoding="utf-8"))

    return start_machine


def runs(values: dict[str, Any]) -> bool:
    command = ["ps", "-o", "state=", "-p", str(values["pid"])]
    state = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    # A zombie is a matter of process 1, which is not in a hurry everywhere.
    return state not in ("", "Z")


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def watchers(state: Path) -> str:
    return subprocess.run(["pgrep", "-f", f"qemu_watch.*{state}"], capture_output=True).stdout


def connect(values: dict[str, Any]) -> socket.socket:
    return socket.create_connection(("127.0.0.1", values["port"]), timeout=PATIENCE_S)


def ask_name(values: dict[str, Any]) -> None:
    with connect(values) as console:
        console.sendall(b"name%")
        answer = b""
        while b"m-ready" not in answer:
            data = console.recv(4096)
            assert data, "the console was closed"
            answer += data


IDLE = ("--idle-minutes", IDLE_S / 60)


# -- ending by itself


def test_an_unused_machine_ends_and_leaves_nothing(tmp_path, own_registry, start) -> None:
    state = tmp_path / "machine" / "s.json"
    values = start(state, *IDLE, "--shared-ram-mib", 16)
    begun = time.monotonic()
    assert list(own_registry.iterdir())

    wait_until(lambda: not runs(values))

    assert time.monotonic() - begun >= IDLE_S / 2
    wait_until(lambda: not watchers(state))
    assert [path.name for path in state.parent.iterdir()] == ["s.json.lock"]
    assert list(own_registry.iterdir()) == []


def test_a_connected_client_keeps_it_though_it_says_nothing(tmp_path, start) -> None:
    values = start(tmp_path / "s.json", *IDLE)
    with connect(values):
        time.sleep(2.5 * IDLE_S)
        assert runs(values)

    wait_until(lambda: not runs(values))


def test_an_open_tty_keeps_it_though_nothing_is_said(tmp_path, start) -> None:
    values = start(tmp_path / "s.json", "--pty", "--idle-minutes", IDLE_S / 60)
    assert values["url"] == values["tty"] and values["port"] is None

    with open(values["tty"], "rb", buffering=0):
        time.sleep(2 * IDLE_S)
        assert runs(values)

    wait_until(lambda: not runs(values))


def test_clients_that_come_and_go_between_two_looks_keep_it(tmp_path, start) -> None:
    """Each is there for milliseconds, and the watcher looks four times in the idle time."""
    values = start(tmp_path / "s.json", *IDLE)
    end = time.monotonic() + 2.5 * IDLE_S
    while time.monotonic() < end:
        ask_name(values)
        time.sleep(IDLE_S / 3)

    assert runs(values)


def test_who_asks_for_the_status_has_time_to_connect(tmp_path, start) -> None:
    values = start(tmp_path / "s.json", *IDLE)
    end = time.monotonic() + 2.5 * IDLE_S
    while time.monotonic() < end:
        assert script("status", "--state", tmp_path / "s.json").returncode == 0
        time.sleep(IDLE_S / 3)

    assert runs(values)


def test_a_machine_ends_behind_its_owner_and_not_before(tmp_path, start, monkeypatch) -> None:
    monkeypatch.setenv("MCUGEN_SIMULATOR_IDLE_MINUTES", str(IDLE_S / 60))
    with subprocess.Popen(["sleep", "600"]) as owner:
        values = start(tmp_path / "s.json", "--owner", owner.pid)
        time.sleep(2 * IDLE_S)
        assert runs(values)
        owner.kill()

    wait_until(lambda: not runs(values))
    wait_until(lambda: not watchers(tmp_path / "s.json"))


def test_a_killed_command_takes_its_simulator_along(runner_elf) -> None:
    """No handler runs: what was started ends all the same."""
    code = f"""
import time
from mcugen.boards.load import load_board
from mcugen.device import qemu, runner
from pathlib import Path
here = runner.Runner.simulate(load_board("qemu-m4"), Path({str(runner_elf("qemu-m4"))!r}))
print("runs", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as command:
        assert command.stdout.readline() == b"runs\n"
        (values,) = json.loads(script("list").stdout)
        assert values["owner"]["pid"] == command.pid
        command.send_signal(signal.SIGKILL)

    wait_until(lambda: not runs(values))


def test_zero_is_for_good_and_needs_no_watcher(tmp_path, start) -> None:
    state = tmp_path / "s.json"
    values = start(state, "--idle-minutes", 0)

    assert not watchers(state)
    assert script("stop", "--state", state).stdout == "stopped\n"
    assert not runs(values)


@pytest.mark.parametrize("minutes", ["ten", "-1", "nan"])
def test_a_wrong_idle_time_is_refused(tmp_path, runner_elf, monkeypatch, minutes) -> None:
    monkeypatch.setenv("MCUGEN_SIMULATOR_IDLE_MINUTES", minutes)
    state = tmp_path / "s.json"
    machine = ("--elf", runner_elf("qemu-m4"), "--machine", "mps2-an386", "--state", state)

    done = script("start", *machine)

    assert done.returncode == 1
    assert "MCUGEN_SIMULATOR_IDLE_MINUTES must be a number of minutes, or 0" in done.stderr
    assert minutes in done.stderr
    assert not state.exists()


def test_a_later_session_of_the_folder_is_not_ended_for_the_first(tmp_path, start) -> None:
    state = tmp_path / "s.json"
    first = start(state, *IDLE)
    second = start(state)

    wait_until(lambda: not watchers(state) or len(watchers(state).split()) == 1)
    time.sleep(2 * IDLE_S)

    assert not runs(first) and runs(second)
    assert json.loads(state.read_text(encoding="utf-8"))["pid"] == second["pid"]


# -- the command line


def session_of(folder: Path) -> Path:
    return folder / "mcugen_out" / "some-board" / ".mcugen-qemu.json"


def test_stop_ends_this_folders_and_counts_the_others(mcugen: Mcugen, tmp_path, start) -> None:
    here, there, third = (tmp_path / name for name in ("here", "there", "third"))
    first, second, other = (start(session_of(folder)) for folder in (here, there, third))

    done = mcugen("flash", "--stop", cwd=here)

    assert done.stdout == (
        "the simulator was stopped\n"
        "2 simulators of other folders run; mcugen flash --stop --all ends all\n"
    )
    assert (runs(first), runs(second), runs(other)) == (False, True, True)
    document = json.loads(mcugen("flash", "--stop", "--json", cwd=here).stdout)
    assert (document["stopped"], document["simulators_elsewhere"]) == (False, 2)

    done = mcugen("flash", "--stop", "--all", cwd=here)

    assert done.stdout == "2 simulators were stopped\n"
    assert not runs(second) and not runs(other)
    assert mcugen("flash", "--stop", "--all", cwd=here).stdout == "no simulator was running\n"


def test_all_leaves_the_simulator_of_a_running_command_alone(mcugen, tmp_path, start) -> None:
    values = start(tmp_path / "s.json", "--owner", os.getpid())

    assert mcugen("flash", "--stop", "--all", cwd=tmp_path).stdout == "no simulator was running\n"

    assert runs(values)
    script("stop", "--state", tmp_path / "s.json")


@pytest.mark.parametrize("command", [("flash", "--stop"), ("clean",)])
def test_a_simulator_of_a_project_that_was_removed_is_found(
    mcugen: Mcugen, tmp_path, start, command
) -> None:
    """`rm -r mcugen_out` takes the state file along, but not the process."""
    values = start(session_of(tmp_path))
    shutil.rmtree(tmp_path / "mcugen_out")

    mcugen(*command, cwd=tmp_path)

    assert not runs(values)


def test_clean_counts_those_of_other_folders(mcugen: Mcugen, tmp_path, start) -> None:
    values = start(session_of(tmp_path / "there"))
    (tmp_path / "here").mkdir()

    done = mcugen("clean", cwd=tmp_path / "here")

    assert done.stdout == (
        "nothing to remove\n"
        "1 simulator of another folder runs; mcugen flash --stop --all ends all\n"
    )
    assert runs(values)


def test_all_without_stop_is_a_usage_error(mcugen: Mcugen, tmp_path) -> None:
    assert "--all goes with --stop" in mcugen("flash", "--all", cwd=tmp_path, exit_code=2).stderr
