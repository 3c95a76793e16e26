# SPDX-License-Identifier: BSD-3-Clause
"""The console as a tty: any serial program talks to the simulated board, and one can listen in.

One build for this file and test_rig_simulated.py: digits on qemu-m4.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.toolchain,
    pytest.mark.torch,
    pytest.mark.xdist_group("digits_m4"),
]

COMMAND = Path(sys.executable).parent / "mcugen"
#: What a user's script does: nothing of mcugen in it.
SCRIPT = """
import sys, serial
with serial.Serial(sys.argv[1], 115200, timeout=20) as port:
    for command in sys.argv[2:]:
        port.write(command.encode() + b"%")
        sys.stdout.write(port.read_until(b"m-ready\\r\\n").decode())
"""


def talk(tty: str, *commands: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tty, *commands], capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def flashed(mcugen, digits_m4) -> Iterator[dict[str, Any]]:
    """The build on a simulated board whose console is a tty; `cwd` is where it was built."""
    document = json.loads(mcugen("flash", "--simulate", "--pty", "--json", cwd=digits_m4).stdout)
    yield {**document, "cwd": digits_m4}
    mcugen("flash", "--stop", cwd=digits_m4)
    assert not os.path.exists(document["tty"])


def test_a_serial_program_talks_to_the_simulated_board(flashed):
    said = talk(flashed["tty"], "name", "infer 2 1")

    assert said.startswith("m-name-dut-[")
    assert re.search(r"m-results-\[(0\.\d{3},){9}0\.\d{3}\]\r?\n", said)


def test_a_conversation_as_the_mlperf_tiny_runner_has_it(flashed):
    """Its commands in its order, 31 bytes of data at a time, each answer up to m-ready."""
    data = bytes(range(64))
    chunks = [data[at : at + 31].hex().upper() for at in range(0, len(data), 31)]
    commands = ["name", "profile", "timestamp", f"db load {len(data)}"]
    commands += [f"db {chunk}" for chunk in chunks]
    commands += ["infer 3 1", "results", "db print", "infer 0", "nonsense"]

    said = talk(flashed["tty"], *commands).split("m-ready\n")

    assert said.pop() == ""
    answers = dict(zip(commands, said, strict=True))
    assert re.fullmatch(r"m-name-dut-\[[^]]+]\n", answers["name"])
    assert re.search(r"^m-model-\[digits]$", answers["profile"], re.MULTILINE)
    assert re.fullmatch(r"m-lap-us-\d+\n", answers["timestamp"])
    assert answers[commands[3]] == "m-[Expecting 64 bytes]\n"
    assert [answers[f"db {chunk}"] for chunk in chunks] == ["", "", "m-load-done\n"]
    inferred = answers["infer 3 1"].split("\n")
    begin, end = (int(line.removeprefix("m-lap-us-")) for line in inferred[3:5])
    assert inferred[:3] == ["m-warmup-start-1", "m-warmup-done", "m-infer-start-3"]
    assert begin < end and inferred[5] == "m-infer-done"
    assert answers["results"] == f"{inferred[6]}\n"
    printed = "".join(re.findall(r"m-buffer((?:-[0-9a-f]{2})+)", answers["db print"]))
    assert bytes.fromhex(printed.replace("-", "")) == data
    assert answers["infer 0"] == "e-[Inference iterations must be >0]\n"
    assert answers["nonsense"] == "e-[Unknown command: nonsense]\n"


def test_the_state_file_names_the_tty(flashed):
    state = json.loads(Path(flashed["project"], ".mcugen-qemu.json").read_text())

    assert state["tty"] == state["url"] == flashed["tty"] == flashed["port"]
    assert state["port"] is None


def test_mcugens_own_commands_use_it(mcugen, flashed):
    done = mcugen("bench", "--simulate", "--runs", 2, "--json", cwd=flashed["cwd"])

    assert f"connect to the running simulator, {flashed['tty']}" in done.stderr
    timing = json.loads(done.stdout)["timing"]
    assert timing["counter"] == "instructions" and timing["min"] == timing["max"]


def test_a_tty_is_asked_for_a_simulated_board_only(mcugen, tmp_path):
    done = mcugen("flash", "--runner", "--board", "nucleo", "--pty", cwd=tmp_path, exit_code=2)

    assert "--pty is the console of a simulated board" in done.stderr
    assert "hint: Add --simulate" in done.stderr


# -- mcugen monitor


@pytest.fixture
def listen(flashed) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `mcugen monitor` where the build is; ended as by Ctrl-C."""
    started: list[subprocess.Popen[str]] = []

    def monitor(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(COMMAND), "monitor", *arguments],
            cwd=flashed["cwd"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield monitor
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], what: str) -> list[str]:
    """Return the lines up to the first that holds `what`."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if what in line:
            return lines
    raise AssertionError(f"no {what!r} in {lines}; {process.stderr.read()}")


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)  # is Ctrl-C to mcugen, and never ignored
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err


def test_typed_lines_are_sent_and_answers_shown_as_json_lines(listen):
    process = listen("--json")
    process.stdin.write("name\nmcugen info%\n")
    process.stdin.flush()

    lines = [json.loads(line) for line in until(process, "m-mcugen-info-")]
    end(process)

    assert lines[0]["schema"] == "mcugen.monitor/1" and lines[0]["kind"] == "start"
    said = [(line["from"], line["kind"], line["text"]) for line in lines[1:]]
    assert said[:2] == [("host", "command", "name"), ("host", "command", "mcugen info")]
    assert ("device", "line", "m-ready") in said
    assert [line["t"] for line in lines[1:]] == sorted(line["t"] for line in lines[1:])


def test_another_program_talks_through_the_monitor(listen, flashed, tmp_path):
    """A tty of the monitor's stands for the port; text and frames are shown, both directions."""
    from mcugen.device.console import SerialConsole
    from mcugen.device.protocol.client import Client

    link = tmp_path / "dut"
    process = listen("--proxy", "--link", str(link))
    assert until(process, "tty for another program: ")[-1].endswith(os.readlink(link))

    assert talk(str(link), "name").startswith("m-name-dut-[")
    console = SerialConsole(str(link), 115_200)
    client = Client(console)
    info = client.connect()
    client.write_input(0, bytes(info.inputs[0][1]))
    ticks = client.execute()
    output = client.read_output(0, info.outputs[0][1])
    console.close()
    lines = until(process, "READ_OUTPUT ok")
    end(process)

    text = "\n".join(re.sub(r"^ *\d+\.\d{6} ", "", line) for line in lines)
    assert "> name%\n< m-name-dut-[" in text
    assert "(digits on qemu-m4, ready, firmware " in text
    assert re.search(r"> \[ *\d+\] WRITE_INPUT input 0, offset 0, 64 B: 00 00 .* …\n", text)
    assert re.search(rf"< \[ *\d+\] EXECUTE ok ticks {ticks:,}\n", text)
    assert f"READ_OUTPUT ok {len(output)} B: {output.hex(' ')}" in text
    assert not link.is_symlink()


def test_raw_shows_the_bytes(listen):
    process = listen("--raw", "--seconds", "60")
    process.stdin.write("name\n")
    process.stdin.flush()

    sent = next(process.stdout).rstrip("\n")
    received = b""
    while not received.endswith(b"m-ready\r\n"):  # however many pieces it comes in
        direction, shown = next(process.stdout)[:-1].split(None, 2)[1:]
        assert direction == "<"
        received += bytes.fromhex(shown[:47])
    end(process)

    assert sent.split(None, 2)[1:] == [">", "6e 61 6d 65 25".ljust(47) + "  name%"]
    assert received.startswith(b"m-name-dut-[")


def test_a_port_in_use_is_refused_by_name(mcugen, flashed):
    with serial.Serial(flashed["tty"], 115_200, exclusive=True):
        done = mcugen("monitor", cwd=flashed["cwd"], exit_code=7)

    assert f"{flashed['tty']} is taken by python" in done.stderr


def test_a_simulator_that_ends_is_told_and_ends_the_monitor(mcugen, flashed, listen, tmp_path):
    """Its own machine: the file's goes on."""
    elf = Path(json.loads(Path(flashed["project"], ".mcugen-qemu.json").read_text())["elf"])
    from mcugen.boards.load import load_board
    from mcugen.device.qemu import QemuMachine

    machine = QemuMachine(load_board("qemu-m4"), elf, tmp_path / "session.json", pty=True)
    process = listen("--json", "--device", machine.start())
    until(process, '"start"')
    time.sleep(0.2)

    machine.stop()

    error = json.loads(until(process, '"error"')[-1])
    process.communicate(timeout=30)
    assert "the connection to the device was lost" in error["error"]
    assert process.returncode == error["exit_code"] == 7
