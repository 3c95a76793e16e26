# SPDX-License-Identifier: BSD-3-Clause
"""The command line as a user meets it: a process, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import samples_of_specs as sample
from serial_peer import Peer, default_info, running

from mcugen.device.probe_lock import probe_lock
from mcugen.project import last_build

COMMAND = Path(sys.executable).parent / "mcugen"
SUBCOMMANDS = (
    *("run", "build", "flash", "bench", "profile", "verify", "infer"),
    *("push", "compare-runtimes", "inspect", "boards", "models", "devices", "monitor"),
    *("doctor", "clean", "compare"),
)
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "mlperf_tiny"


def environment(**changes: str) -> dict[str, str]:
    return os.environ | changes


# -- help, lists


def test_help_names_every_subcommand_and_the_exit_codes(mcugen):
    out = mcugen("--help").stdout

    for name in SUBCOMMANDS:
        assert f"  {name} " in out
    assert "9 timeout" in " ".join(out.split())


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_and_takes_the_common_options(mcugen, name):
    out = mcugen(name, "--help").stdout

    for option in ("--json", "--quiet", "--verbose", "--no-color"):
        assert option in out


@pytest.mark.parametrize("arguments", [["--help"], ["boards"], ["run", "--help"]])
def test_nothing_heavy_is_imported_for_it(arguments):
    """What keeps these under 0.3 s; a count of modules does not depend on the machine's load."""
    code = (
        "import sys; from mcugen.cli import app; app.run_arguments(sys.argv[1:]);"
        "heavy = {'torch', 'numpy', 'rich', 'executorch', 'serial', 'platformio', 'elftools',"
        " 'tensorflow_datasets', 'jinja2', 'yaml'} & set(sys.modules);"
        "assert not heavy, heavy; assert len(sys.modules) < 400, len(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)


def test_version(mcugen):
    assert mcugen("--version").stdout.startswith("mcugen ")


def test_no_arguments_shows_the_help_as_a_usage_error(mcugen):
    assert "Commands:" in mcugen(exit_code=2).stderr


@pytest.mark.parametrize("name", ["boards", "models", "devices"])
def test_lists_come_as_text_and_as_one_document(mcugen, name):
    text = mcugen(name)
    document = mcugen(name, "--json")

    assert text.stdout and text.stderr == ""
    assert json.loads(document.stdout)["schema"].startswith(f"mcugen.{name}/")
    assert document.stderr == ""


def test_boards_say_what_has_been_verified(mcugen):
    boards = json.loads(mcugen("boards", "--json").stdout)["boards"]

    nucleo = next(board for board in boards if "nucleo" in board["aliases"])
    assert nucleo["verified"]["level"] in ("builds", "qemu", "hardware")
    assert (nucleo["flash_total"], nucleo["ram_total"]) == (512 * 1024, 128 * 1024)


def test_doctor_ends_with_3_when_a_tool_is_missing(tmp_path):
    bare = environment(PATH=str(tmp_path))

    done = subprocess.run([COMMAND, "doctor", "--json"], env=bare, capture_output=True, text=True)

    assert done.returncode == 3
    document = json.loads(done.stdout)
    missing = {check["name"] for check in document["checks"] if not check["ok"]}
    assert document["ok"] is False
    assert {"arm-none-eabi-g++", "qemu-system-arm", "openocd"} <= missing


@pytest.mark.parametrize(
    "arguments, program",
    [
        (["build", "digits", "--board", "qemu-m4"], "arm-none-eabi-g++"),
        (["run", "digits", "--board", "nucleo", "--simulate"], "qemu-system-arm"),
    ],
)
def test_missing_tool_is_found_out_before_any_work(tmp_path, arguments, program):
    bare = environment(PATH=str(tmp_path))

    done = subprocess.run(
        [COMMAND, *arguments], env=bare, cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 3
    assert f"{program} is not on PATH" in done.stderr and "apt install" in done.stderr
    assert list(tmp_path.iterdir()) == []


# -- usage errors


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["bulid"], ["bulid", "build"]),
        (["build", "--bord", "nucleo"], ["--bord"]),
        (["build", "--board", "nucleo_f446"], ["unknown board 'nucleo_f446'", "nucleo_f446re"]),
        (["build", "digit", "--board", "qemu-m4"], ["digit", "digits"]),
        (["build", "--board", "nucleo", "--io", "int7"], ["--io must be int8 or float", "int8"]),
        (["run", "digit", "--board", "nucleo"], ["digit", "digits"]),
        (["verify", "--samples", "0"], ["--samples"]),
        (["run", "--board", "qemu-m4", "--device", "/dev/ttyS0"], ["qemu-m4 only exists in QEMU"]),
        (["infer", "digits"], ["--input"]),
        (["flash"], ["nothing has been built", "mcugen build"]),
        (["verify"], ["nothing has been built", "mcugen build"]),
    ],
)
def test_usage_error_names_the_culprit_and_the_way_out(mcugen, tmp_path, arguments, words):
    done = mcugen(*arguments, cwd=tmp_path, exit_code=2)

    assert done.stdout == ""
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["build", "--board", "nope", "--json"], ["build", "--nope", "--json"]]
)
def test_error_under_json_is_one_document(mcugen, arguments):
    document = json.loads(mcugen(*arguments, exit_code=2).stdout)

    assert document["schema"] == "mcugen.error/1"
    assert document["exit_code"] == 2
    assert "nope" in document["error"]
    assert "hint" in document


def test_unknown_key_in_the_file_is_named_with_its_nearest(mcugen, tmp_path):
    (tmp_path / "mcugen.toml").write_text('bored = "nucleo"\n')

    done = mcugen("build", cwd=tmp_path, exit_code=2)

    assert "mcugen.toml: unknown key 'bored'; did you mean 'board'?" in done.stderr


def test_file_gives_the_board_and_the_option_wins(mcugen, tmp_path):
    (tmp_path / "mcugen.toml").write_text('board = "from-the-file"\n')

    by_file = mcugen("build", cwd=tmp_path, exit_code=2)
    by_option = mcugen("build", "--board", "from-the-option", cwd=tmp_path, exit_code=2)

    assert "unknown board 'from-the-file'" in by_file.stderr
    assert "unknown board 'from-the-option'" in by_option.stderr


# -- input files, models


def test_missing_input_file_is_found_before_anything_is_done(mcugen, tmp_path):
    done = mcugen(
        *("infer", "digits", "--board", "qemu-m4", "--input", "no.bin", "--output", "o.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "no.bin does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.torch
def test_input_of_the_wrong_size_names_both_sizes_before_the_build(mcugen, tmp_path):
    (tmp_path / "in.bin").write_bytes(bytes(489))

    done = mcugen(
        *("infer", GOLDEN / "kws_cm_q_m4.pte", "--board", "qemu-m4"),
        *("--input", "in.bin", "--output", "out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "has 489 B" in done.stderr and "needs 490 B" in done.stderr
    assert not (tmp_path / "mcugen_out").exists()


@pytest.mark.parametrize("size", [0, 7, 100, 20_000])
@pytest.mark.torch
def test_truncated_pte_is_refused_with_the_cause(mcugen, tmp_path, size):
    whole = (GOLDEN / "kws_cm_q_m4.pte").read_bytes()
    (tmp_path / "cut.pte").write_bytes(whole[:size])

    done = mcugen("inspect", "cut.pte", "--board", "qemu-m4", cwd=tmp_path, exit_code=5)

    assert "cut" in done.stderr
    assert any(word in done.stderr for word in ("truncated", "empty", "damaged"))
    assert "Traceback" not in done.stderr


@pytest.mark.torch
def test_inspect_describes_a_pte(mcugen, tmp_path):
    document = json.loads(
        mcugen(
            "inspect", GOLDEN / "kws_cm_q_m4.pte", "--board", "nucleo", "--json", cwd=tmp_path
        ).stdout
    )

    assert document["schema"] == "mcugen.inspect/1"
    assert document["model"]["macs"] == 2_656_768
    assert document["model"]["inputs"][0]["bytes"] == 490
    assert document["fits"] is True
    assert all(row["int8"] for row in document["operators"])
    assert list(tmp_path.iterdir()) == []


# -- devices


def test_flash_without_a_board_lists_what_there_is_and_names_simulate(mcugen, tmp_path):
    """Found out before anything is built."""
    done = mcugen("flash", "digits", "--board", "nucleo", cwd=tmp_path, exit_code=7)

    assert "serial ports found:" in done.stderr and "probes found:" in done.stderr
    assert "--simulate" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--board", "nucleo", "--simulate", "--dry-run"], "--dry-run shows how a real board"),
        (["--board", "rpi_pico", "--with", "jlink"], "rpi_pico is not flashed with jlink; ways:"),
    ],
)
def test_options_that_do_not_go_together_are_told_before_anything_is_done(
    mcugen, tmp_path, arguments, expected
):
    """Before a build, and before a board is looked for."""
    done = mcugen("flash", "digits", *arguments, cwd=tmp_path, exit_code=2)

    assert expected in done.stderr
    assert list(tmp_path.iterdir()) == []


def run_with_a_probe(
    *arguments: str, cwd: Path, flash: str = "raise AssertionError('flashed')", attached: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command beside one Nucleo, serial 0674FF; `flash` is what flashing it does."""
    code = f"""
import dataclasses, sys
from mcugen.boards.load import load_board
from mcugen.cli import app
from mcugen.device import find, flash
(vid, pid), *_ = load_board("nucleo").probe.usb_ids
probe = find.UsbDevice("/dev/ttyACM7", vid, pid, "0674FF", "ST-LINK", ("nucleo_f446re",))
find.find_devices = lambda boards: (probe,)
{attached}
def flashed(self, image):
    {flash}
flash.BoardFlasher.flash = flashed
sys.exit(app.run_arguments(sys.argv[1:]))
"""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["flash", "digits", "--board", "nucleo"],
        ["flash", "--runner", "--board", "nucleo"],
        ["run", "digits", "--board", "nucleo"],
    ],
)
def test_a_port_that_is_not_the_probes_flashes_nothing(tmp_path, arguments):
    """Refused before anything is built."""
    done = run_with_a_probe(*arguments, "--device", "/dev/null", cwd=tmp_path)

    assert done.returncode == 7, done.stderr
    assert "/dev/null is not the port of a probe of nucleo_f446re" in done.stderr
    assert "serial 0674FF" in done.stderr
    assert "mcugen flash --device 0674FF" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_flash_names_the_probe_it_took(built):
    flash = "print(f'flashed through {self.route.serial}', file=sys.stderr)"

    with running(peer_of_the_build()) as peer:
        wanted = ("--device", "0674FF", "--port", peer.url)
        done = run_with_a_probe("flash", *wanted, "--json", cwd=built, flash=flash)

    assert done.returncode == 0, done.stderr
    assert "flashed through 0674FF" in done.stderr
    document = json.loads(done.stdout)
    assert (document["probe"], document["port"]) == ("0674FF", peer.url)
    assert document["confirmed"] is True


def test_flash_says_what_runs_only_of_a_board_that_was_asked(built):
    with running(peer_of_the_build()) as peer:
        wanted = ("flash", "--device", "0674FF")
        asked = run_with_a_probe(*wanted, "--port", peer.url, cwd=built, flash="pass")
        no_port = "find.find_devices = lambda boards: (dataclasses.replace(probe, port=None),)"
        written = run_with_a_probe(*wanted, cwd=built, flash="pass", attached=no_port)

    assert asked.stdout == f"double runs on NUCLEO-F446RE; its console is {peer.url}\n"
    assert written.returncode == 0, written.stderr
    assert written.stdout.startswith("double was written to NUCLEO-F446RE; nobody has asked")
    assert "no serial port of the board is known (--port PORT)" in written.stderr


def test_flash_without_its_firmware_behind_it_ends_with_7(built):
    peer = peer_of_the_build()
    peer.info |= {"firmware_id": "0" * 16}
    with running(peer):
        wanted = ("--device", "0674FF", "--port", peer.url)
        done = run_with_a_probe("flash", *wanted, cwd=built, flash="pass")

    assert done.returncode == 7, done.stderr
    assert "runs 0000000000000000" in done.stderr


def test_a_probe_that_a_rig_holds_is_not_flashed_through(built):
    with probe_lock("0674FF"):
        done = run_with_a_probe("flash", "--device", "0674FF", cwd=built)

    assert done.returncode == 7, done.stderr
    assert "0674FF is in use by" in done.stderr and f"(pid {os.getpid()}," in done.stderr


def test_another_firmware_at_such_a_port_is_an_error_not_a_reason_to_flash(built):
    peer = peer_of_the_build()
    peer.info |= {"firmware_id": "0" * 16}
    with running(peer):
        done = run_with_a_probe("bench", "--device", peer.url, cwd=built)

    assert done.returncode == 7, done.stderr
    assert "the device runs firmware 0000000000000000" in done.stderr


@pytest.fixture
def built(tmp_path):
    """A folder in which the tests' own model was built last; its device is a Peer."""
    folder = tmp_path / "project"
    folder.mkdir()
    last = last_build.LastBuild(
        str(tmp_path / "double.pte"),
        "nucleo_f446re",
        "int8",
        None,
        sample.artifact(),
        sample.artifact(),
        sample.image(folder),
    )
    (tmp_path / "double.pte").write_bytes(last.artifact.pte)
    last_build.save_last_build(tmp_path, last)
    return tmp_path


def peer_of_the_build(**changes: object) -> Peer:
    memory = {
        "planned": [64, 64],
        "method": [512, 512],
        "temp": [0, 16],
        "io": [16, 16],
        "stack": [900, sample.plan().stack_bytes],
    }
    described = default_info() | {
        "board": "nucleo_f446re",
        "counter": "dwt",
        "clock_hz": 180_000_000,
        "counter_hz": 180_000_000,
        "pte_sha256": sample.artifact().sha256,
        "memory": memory,
    }
    return Peer(info=described, **changes)


def test_bench_times_the_last_build_on_a_device(mcugen, built):
    peer = peer_of_the_build(ticks=lambda n: 18_003 + (n == 5))
    with running(peer):
        done = mcugen(
            *("bench", "--device", peer.url, "--runs", "4", "--warmups", "2", "--json"), cwd=built
        )

    document = json.loads(done.stdout)
    timing = document["timing"]
    assert document["board"]["simulated"] is False
    assert (timing["counter"], timing["median"], timing["max"]) == ("cycles", 18_000, 18_001)
    assert timing["latency_us"] == pytest.approx(100)
    assert peer.executions == 6
    assert document["warnings"] == []
    assert "[frame EXECUTE" in Path(document["transcript"]).read_text(encoding="utf-8")


def test_bench_warns_of_a_clock_that_did_not_come_up(mcugen, built):
    peer = peer_of_the_build(ticks=lambda n: 18_003)
    peer.info |= {"clock_hz": 8_000_000, "counter_hz": 8_000_000, "clock_source": "hse"}
    with running(peer):
        done = mcugen("bench", "--device", peer.url, "--runs", "1", "--json", cwd=built)

    (warning,) = json.loads(done.stdout)["warnings"]
    assert "runs at 8,000,000 Hz (hse)" in warning and warning in done.stderr


def test_device_that_falls_silent_is_a_timeout_with_the_transcript(mcugen, built):
    peer = peer_of_the_build(mute_after=6)
    with running(peer):
        done = mcugen("bench", "--device", peer.url, "--timeout", "1", cwd=built, exit_code=9)

    assert "no sign of the answer to EXECUTE within 1 s" in done.stderr
    assert "the last lines received:" in done.stderr
    assert "log: " in done.stderr and "transcripts" in done.stderr


def test_port_that_is_taken_says_by_whom(mcugen, built):
    import serial

    device_end, host_end = pty.openpty()
    port = os.ttyname(host_end)
    with serial.Serial(port, exclusive=True):
        done = mcugen("bench", "--device", port, "--timeout", "1", cwd=built, exit_code=7)
    os.close(device_end)
    os.close(host_end)

    assert f"{port} is taken by" in done.stderr
    assert f"pid {os.getpid()}" in done.stderr


def test_device_whose_model_is_damaged_says_so(mcugen, built):
    peer = peer_of_the_build()
    peer.info |= {"state": "error", "error": "model CRC mismatch"}
    with running(peer):
        done = mcugen("bench", "--device", peer.url, cwd=built, exit_code=7)

    assert "could not load the model: model CRC mismatch" in done.stderr


def test_device_that_computes_otherwise_fails_verification(built):
    """Through run(): the host's reference is put in by the test, the device is real enough."""
    code = """
import sys
from mcugen.cli import app
from mcugen.flow import measuring
inputs = [(bytes(range(n, n + 16)),) for n in range(4)]
right = [(bytes(2 * v for v in x[0]),) for x in inputs]
measuring.evaluation = lambda *a, **k: measuring.Evaluation(inputs, right, "the test's")
sys.exit(app.run_arguments(sys.argv[1:]))
"""

    def wrong(data: bytes) -> bytes:
        doubled = bytearray(2 * v for v in data)
        doubled[7] += data[0] == 2
        return bytes(doubled)

    peer = peer_of_the_build(compute=wrong)
    with running(peer):
        arguments = ["verify", "--device", peer.url, "--json"]
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=built, capture_output=True, text=True
        )

    assert done.returncode == 8, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "mcugen.error/1"
    assert "1 of 4 samples differ" in document["error"]
    assert "sample 2, output 0, element 7" in document["error"]
    assert document["report"]["verify"]["bit_exact"] == 3


def test_ctrl_c_ends_with_130_and_says_so(built):
    slow = peer_of_the_build(mute_after=6)
    with running(slow):
        process = subprocess.Popen(
            [COMMAND, "bench", "--device", slow.url, "--timeout", "60", "--json"],
            cwd=built,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(slow.requests) < 6:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert json.loads(out)["error"] == "interrupted"
    assert "Traceback" not in err


def test_warning_when_memory_is_not_as_planned(mcugen, built):
    peer = peer_of_the_build()
    peer.info["memory"]["method"] = [500, 512]
    with running(peer):
        done = mcugen("bench", "--device", peer.url, "--runs", "1", "--json", cwd=built)

    assert "used 500 B; 512 B were predicted" in done.stderr
    assert json.loads(done.stdout)["warnings"]


# -- unexpected


def run_with_a_bug(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; from mcugen.cli import app; from mcugen.cli.commands import boards;"
        "boards.listing = lambda: 1 / 0; sys.exit(app.run_arguments(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "boards", *arguments], capture_output=True, text=True
    )


def test_bug_of_ours_is_one_line_that_names_verbose():
    done = run_with_a_bug()

    assert done.returncode == 1
    assert "unexpected ZeroDivisionError: division by zero" in done.stderr
    assert "--verbose shows the traceback" in done.stderr
    assert "Traceback" not in done.stderr


def test_verbose_shows_the_traceback():
    assert "Traceback" in run_with_a_bug("--verbose").stderr


# -- terminal


def run_on_a_terminal(*arguments: str, **changes: str) -> str:
    """Return what a command writes when its stdout is a terminal."""
    reader, writer = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *arguments],
        stdout=writer,
        stderr=subprocess.DEVNULL,
        env=environment(**changes),
    ) as process:
        os.close(writer)
        out = b""
        while True:
            try:
                data = os.read(reader, 4096)
            except OSError:
                break
            if not data:
                break
            out += data
        process.wait()
    os.close(reader)
    return out.decode()


def test_colour_on_a_terminal_unless_it_is_not_wanted(tmp_path):
    bare = {"PATH": str(tmp_path), "TERM": "xterm", "NO_COLOR": ""}

    assert "\x1b[" in run_on_a_terminal("doctor", **bare)
    assert "\x1b[" not in run_on_a_terminal("doctor", "--no-color", **bare)
    assert "\x1b[" not in run_on_a_terminal("doctor", **(bare | {"NO_COLOR": "1"}))


def test_closed_pipe_ends_quietly():
    done = subprocess.run(
        f"{COMMAND} boards | true", shell=True, capture_output=True, text=True, timeout=60
    )

    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_shell_completion_offers_boards():
    done = subprocess.run(
        [COMMAND],
        env=environment(
            _MCUGEN_COMPLETE="complete_bash",
            COMP_WORDS="mcugen build --board nuc",
            COMP_CWORD="3",
        ),
        capture_output=True,
        text=True,
    )

    assert "nucleo_f446re" in done.stdout.split()
