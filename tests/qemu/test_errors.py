# SPDX-License-Identifier: BSD-3-Clause
"""Bad input and interruptions, by the real command line with the real tools.

Each ends with its exit code and names the cause; none leaves anything half-done behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mcugen.base.cache import cache_dir
from mcugen.base.install import how_to_install

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

COMMAND = Path(sys.executable).parent / "mcugen"
GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"
AD = GOLDEN / "ad_cm_q_m4.pte"
AD_INPUT = GOLDEN / "ad_input_i8.bin"
PROJECT = Path("mcugen_out/digits-nucleo_f446re")
ELF = PROJECT / ".pio/build/nucleo_f446re/firmware.elf"
BUILD = ("build", "digits", "--board", "nucleo")


@pytest.fixture
def refused(mcugen):
    """Run a command that must fail; return what it said on stderr, and the document's hint.

    Always under --json: stdout is one document, which says what stderr says.
    """

    def run(*arguments: object, exit_code: int, cwd: Path | None = None) -> str:
        done = mcugen(*arguments, "--json", exit_code=exit_code, cwd=cwd, timeout=60)
        document = json.loads(done.stdout)
        assert document["schema"] == "mcugen.error/1"
        assert document["exit_code"] == exit_code
        assert document["error"] in done.stderr
        assert (document["hint"] or "") in done.stderr
        assert document.get("log", "") in done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


@pytest.fixture(scope="module")
def built(mcugen, tmp_path_factory) -> Path:
    """A folder in which digits was built for the Nucleo, undisturbed."""
    cwd = tmp_path_factory.mktemp("built")
    mcugen(*BUILD, cwd=cwd)
    return cwd


# ---------------------------------------------------------------------------- names


def test_unknown_board_is_named_with_the_nearest(refused):
    said = refused("build", AD, "--board", "nuclio", exit_code=2)

    assert "unknown board 'nuclio'" in said
    assert "Did you mean 'nucleo'?" in said


def test_unknown_model_is_named_with_the_nearest(refused):
    said = refused("build", "digit", "--board", "nucleo", exit_code=2)

    assert "unknown model 'digit'" in said
    assert "Did you mean 'digits'?" in said


def test_missing_model_file_is_named(refused):
    assert "no such model file: lost.pte" in refused("build", "lost.pte", exit_code=2)


def test_unknown_option_is_named_with_the_nearest(refused):
    said = refused("build", "--bord", "nucleo", exit_code=2)

    assert "--bord" in said and "--board" in said


def test_unknown_key_in_the_file_is_named_with_the_nearest(refused, tmp_path):
    (tmp_path / "mcugen.toml").write_text('modle = "digits"\n')
    said = refused("build", cwd=tmp_path, exit_code=2)

    assert "mcugen.toml: unknown key 'modle'; did you mean 'model'?" in said


# ---------------------------------------------------------------------------- tools


@pytest.mark.parametrize(
    "program, arguments",
    [
        ("arm-none-eabi-g++", ("build", AD)),
        ("qemu-system-arm", ("run", AD, "--simulate")),
    ],
)
def test_missing_tool_says_how_to_get_it(refused, tmp_path, monkeypatch, program, arguments):
    """PATH holds all it held but that program. Nothing is made."""
    programs, cwd = tmp_path / "bin", tmp_path / "cwd"
    programs.mkdir()
    cwd.mkdir()
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for entry in Path(folder).glob("*"):
            if entry.name != program:
                (programs / entry.name).unlink(missing_ok=True)
                (programs / entry.name).symlink_to(entry)
    monkeypatch.setenv("PATH", str(programs))
    said = refused(*arguments, "--board", "nucleo", cwd=cwd, exit_code=3)

    assert f"{program} is not on PATH" in said
    assert how_to_install(program) in " ".join(said.split())
    assert not list(cwd.iterdir())


# ---------------------------------------------------------------------------- .pte files

WHOLE = AD.read_bytes()


@pytest.mark.parametrize(
    "contents, cause",
    [
        pytest.param(b"", "the .pte file is empty", id="empty"),
        pytest.param(WHOLE[:5], "truncated: 5 bytes", id="5-bytes"),
        pytest.param(WHOLE[:40], "truncated: its header promises", id="header-only"),
        pytest.param(WHOLE[:5000], "the file has 5,000 B", id="in-the-program"),
        pytest.param(WHOLE[: len(WHOLE) // 2], f"promises {len(WHOLE):,} B", id="in-the-constants"),
        pytest.param(WHOLE[:-1], f"the file has {len(WHOLE) - 1:,} B", id="last-byte"),
        pytest.param(
            WHOLE[:4] + b"\xba" + WHOLE[5:], "not a .pte file (identifier", id="identifier"
        ),
        pytest.param(b"This is no program.\n" * 50, "not a .pte file (identifier", id="text"),
    ],
)
def test_damaged_pte_is_refused_with_the_cause(refused, tmp_path, contents, cause):
    (tmp_path / "damaged.pte").write_bytes(contents)
    said = refused("build", "damaged.pte", "--board", "nucleo", cwd=tmp_path, exit_code=5)

    assert "damaged: " in said and cause in said
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.pte"]


def test_model_too_big_for_the_board_says_by_how_much_and_what_would_help(refused, tmp_path):
    """Found out before anything is generated or compiled."""
    model = GOLDEN / "vww_cm_m4.pte"
    said = refused("build", model, "--board", "nucleo", cwd=tmp_path, exit_code=4)

    assert "planned memory needs 138,240 B; region 'sram' of nucleo_f446re has 131,072 B" in said
    assert "B too much" in said
    assert "exporting with int8 inputs" in said  # --io changes nothing about a .pte
    assert "--board qemu-m4" in said
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------- input files


@pytest.mark.parametrize("size", [0, 639, 641])
def test_input_of_the_wrong_size_names_both_sizes(refused, tmp_path, size):
    (tmp_path / "in.bin").write_bytes(bytes(size))
    said = refused(
        *("infer", AD, "--board", "qemu-m4", "--input", "in.bin", "--output", "out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert f"in.bin has {size} B; input 'input0' needs 640 B" in said
    assert [path.name for path in tmp_path.iterdir()] == ["in.bin"]


def test_input_of_the_wrong_dtype_names_both_and_how_to_convert(refused, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((1, 640), np.float32))
    said = refused(
        *("infer", AD, "--board", "qemu-m4", "--input", "in.npy", "--output", "out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "in.npy holds float32; input 'input0' needs int8" in said
    assert "Quantize: round(x / " in said


def test_input_of_the_wrong_shape_names_both(refused, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((1, 10), np.int8))
    said = refused(
        *("infer", AD, "--board", "qemu-m4", "--input", "in.npy", "--output", "out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "holds shape [1, 10], 10 B; input 'input0' needs [1, 640], 640 B" in said


def test_missing_input_file_is_named(refused, tmp_path):
    said = refused(
        *("infer", AD, "--board", "qemu-m4", "--input", "lost.bin", "--output", "out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "input file lost.bin does not exist" in said


def test_missing_output_folder_is_named(refused, tmp_path):
    said = refused(
        *("infer", AD, "--board", "qemu-m4", "--input", AD_INPUT, "--output", "lost/out.bin"),
        cwd=tmp_path,
        exit_code=2,
    )

    assert "output folder lost does not exist" in said


# ---------------------------------------------------------------------------- devices


@contextlib.contextmanager
def serial_port() -> Iterator[str]:
    """A pseudo-terminal nobody answers at."""
    device_end, host_end = pty.openpty()
    tty.setraw(host_end)
    try:
        yield os.ttyname(host_end)
    finally:
        os.close(device_end)
        os.close(host_end)


def test_flash_without_a_board_lists_what_there_is_and_names_simulate(refused, built):
    said = refused("flash", cwd=built, exit_code=7)

    assert "no NUCLEO-F446RE (nucleo_f446re) is attached" in said
    assert "serial ports found:" in said and "probes found: none" in said
    assert "--simulate" in said


def test_unknown_device_is_named_with_what_there_is(refused, built):
    said = refused("bench", "--device", "/dev/lost", cwd=built, exit_code=7)

    assert "there is no device '/dev/lost'" in said
    assert "serial ports found:" in said


def test_port_that_is_taken_says_by_whom(refused, built):
    import serial

    with serial_port() as port, serial.Serial(port, exclusive=True):
        said = refused("bench", "--device", port, "--timeout", "1", cwd=built, exit_code=7)

    assert f"{port} is taken by" in said
    assert f"pid {os.getpid()}" in said


def test_device_that_answers_nothing_is_a_timeout(refused, built):
    """No probe is attached, so it is not taken for a blank board to be flashed."""
    with serial_port() as port:
        said = refused("bench", "--device", port, "--timeout", "0.5", cwd=built, exit_code=9)

    assert f"{port}: no sign of an answer to the first command within 0.5 s" in said
    assert "nothing was received" in said
    assert_log_is_named(said, "[frame PING")


def test_device_that_only_babbles_is_a_timeout_with_its_last_lines(refused, built):
    device_end, host_end = pty.openpty()
    tty.setraw(host_end)
    port = os.ttyname(host_end)
    code = "import os,sys,time\nwhile True: os.write(1, b'another program\\r\\n'); time.sleep(.05)"
    babbler = subprocess.Popen([sys.executable, "-c", code], stdout=device_end)
    try:
        said = refused("bench", "--device", port, "--timeout", "0.5", cwd=built, exit_code=9)
    finally:
        babbler.kill()
        babbler.wait()
        os.close(device_end)
        os.close(host_end)

    assert "the last lines received:\n  another program" in said
    assert_log_is_named(said, "another program")


def test_simulated_device_that_stops_is_a_timeout(mcugen, refused, built):
    """The real firmware on a QEMU that is stopped by a signal, and goes on afterwards."""
    session = json.loads(mcugen("flash", "--simulate", "--json", cwd=built).stdout)
    try:
        os.kill(session["pid"], signal.SIGSTOP)
        said = refused("bench", "--simulate", "--timeout", "0.5", cwd=built, exit_code=9)
        os.kill(session["pid"], signal.SIGCONT)
        afterwards = mcugen("bench", "--simulate", "--runs", "1", "--json", cwd=built)
    finally:
        os.kill(session["pid"], signal.SIGCONT)
        mcugen("flash", "--stop", cwd=built)

    assert "no sign of an answer to the first command within 0.5 s" in said
    assert_log_is_named(said, "[frame PING")
    assert json.loads(afterwards.stdout)["timing"]["median"] > 0


def assert_log_is_named(said: str, content: str) -> None:
    """The last line names a log that exists and holds `content`."""
    last = said.rstrip().splitlines()[-1]
    assert last.startswith("log: ")
    assert content in Path(last.removeprefix("log: ")).read_text(encoding="utf-8")


# ---------------------------------------------------------------------------- projects


@pytest.fixture
def copy(built, tmp_path) -> Path:
    """The folder of `built`, to be changed at will."""
    shutil.copytree(built, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def test_edited_file_is_named_and_kept(refused, copy):
    edited = copy / PROJECT / "src/main.cpp"
    edited.write_text(edited.read_text() + "// mine\n")
    shutil.rmtree(copy / PROJECT / "include")
    said = refused(*BUILD, cwd=copy, exit_code=6)

    assert "src/main.cpp was edited since mcugen wrote it" in said
    assert "-o DIR" in said
    assert edited.read_text().endswith("// mine\n")
    assert not (copy / PROJECT / "include").exists(), "nothing else was written, either"


def test_foreign_file_in_the_way_is_named_and_kept(refused, tmp_path):
    (tmp_path / "mine/src").mkdir(parents=True)
    (tmp_path / "mine/src/main.cpp").write_text("int main() {}\n")
    said = refused("build", AD, "-o", "mine", cwd=tmp_path, exit_code=6)

    assert "src/main.cpp is in the way and was not written by mcugen" in said
    assert [path.name for path in (tmp_path / "mine").rglob("*")] == ["src", "main.cpp"]


def test_code_that_does_not_compile_is_shown_with_the_log(refused, copy):
    """A file of the user's own in the project."""
    (copy / PROJECT / "src/extra.cpp").write_text("int x = no_such_name;\n")
    said = refused(*BUILD, cwd=copy, exit_code=6)

    assert "extra.cpp:1:9: error: 'no_such_name' was not declared" in said
    assert_log_is_named(said, "'no_such_name' was not declared")
    assert not (copy / ELF).exists()


def test_last_build_whose_image_was_replaced_is_refused(refused, copy):
    """The copy's last build still names the original; its own description is damaged."""
    last = copy / "mcugen_out/last.json"
    document = json.loads(last.read_text())
    document["image"]["elf"] = str(copy / ELF)
    last.write_text(json.dumps(document))
    with (copy / ELF).open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    said = refused("bench", "--simulate", cwd=copy, exit_code=2)

    assert "firmware.elf is not the file mcugen built" in said


# ---------------------------------------------------------------------------- Ctrl-C


def interrupt(
    arguments: tuple[str, ...],
    cwd: Path,
    when: Callable[[str], bool],
    *,
    to_group: bool,
    every_s: float = 0.001,
    makes: Path | None = None,
) -> tuple[int, str]:
    """Run mcugen; press Ctrl-C once `when(stderr so far)` is true. Return exit code and stderr.

    every_s: how often to look; a stage that takes seconds needs no more than a look now and then,
    and looking takes a core from what it waits for.
    makes: what the command makes from nothing in a stage so short that a busy machine may not look
    in time; then it is done again, three times at most.
    """
    for _ in range(3 if makes is not None else 0):
        with contextlib.suppress(_TooLate):
            return _interrupt(arguments, cwd, when, to_group, every_s)
        assert makes is not None
        shutil.rmtree(makes)
    return _interrupt(arguments, cwd, when, to_group, every_s)


class _TooLate(AssertionError):
    """The command had done all before."""


def _interrupt(
    arguments: tuple[str, ...],
    cwd: Path,
    when: Callable[[str], bool],
    to_group: bool,
    every_s: float,
) -> tuple[int, str]:
    log = cwd / "stderr.txt"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            # A shell that runs the tests in the background has them ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            deadline = time.monotonic() + 60
            while not when(log.read_text()):
                if process.poll() is not None:
                    error = _TooLate if process.returncode == 0 else AssertionError
                    raise error(f"ended too early:\n{log.read_text()}")
                assert time.monotonic() < deadline, f"never came so far:\n{log.read_text()}"
                time.sleep(every_s)
            (os.killpg if to_group else os.kill)(process.pid, signal.SIGINT)
            exit_code = process.wait(timeout=20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    said = log.read_text()
    log.unlink()
    return exit_code, said


def assert_interrupted(result: tuple[int, str]) -> None:
    exit_code, said = result
    assert exit_code == 130, said
    assert said.endswith("error: interrupted\n")
    assert "Traceback" not in said


def assert_whole_or_absent(project: Path) -> None:
    """Every file of a project is the one its manifest lists; nothing staged lies beside it."""
    if project.parent.exists():
        assert [p.name for p in project.parent.iterdir() if p.name.startswith(".")] == []
    if project.exists():
        manifest = json.loads((project / "mcugen/manifest.json").read_text())
        for path, digest in manifest["files"].items():
            assert hashlib.sha256((project / path).read_bytes()).hexdigest() == digest, path
        assert not (project / "mcugen/staged").exists()


def processes_in(folder: Path) -> list[str]:
    """Command lines of the processes that name `folder`, or work in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(folder) in line or str(folder) in os.readlink(process / "cwd"):
                found.append(line)
    return found


@pytest.fixture
def uninterrupted(built) -> bytes:
    return (built / ELF).read_bytes()


@pytest.fixture
def own_artifacts(tmp_path, monkeypatch) -> Path:
    """A cache with all that `built` left behind, but no `.pte`: models are exported anew."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for kind in ("weights", "tfds", "accuracy", "reference", "objects", "platformio"):
        if (cache_dir() / kind).is_dir():
            (cache / kind).symlink_to(cache_dir() / kind)
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(cache))
    return cache


def assert_nothing_left(folder: Path, artifacts: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["cache"]
    assert not list(artifacts.glob("artifacts/*")), "an entry is whole or not there"


def test_ctrl_c_while_the_model_is_loaded_leaves_nothing(built, own_artifacts, tmp_path):
    result = interrupt(
        BUILD, tmp_path, lambda said: "loading the model" in said, to_group=False, every_s=0.05
    )

    assert_interrupted(result)
    assert_nothing_left(tmp_path, own_artifacts)


def test_ctrl_c_during_export_leaves_nothing(mcugen, uninterrupted, own_artifacts, tmp_path):
    """In its last stage, behind what calibrating could leave; and the next build is whole."""
    result = interrupt(
        BUILD, tmp_path, lambda said: "lowering" in said, to_group=True, every_s=0.05
    )
    assert_interrupted(result)
    assert_nothing_left(tmp_path, own_artifacts)
    mcugen(*BUILD, cwd=tmp_path)

    assert (tmp_path / ELF).read_bytes() == uninterrupted


def test_ctrl_c_while_generating(mcugen, uninterrupted, tmp_path):
    project = tmp_path / PROJECT

    def staging(_: str) -> bool:
        return any(project.parent.glob(f".{project.name}.*/src"))

    result = interrupt(BUILD, tmp_path, staging, to_group=False, makes=project)
    assert_interrupted(result)
    assert_whole_or_absent(project)
    mcugen(*BUILD, cwd=tmp_path)

    assert (tmp_path / ELF).read_bytes() == uninterrupted


def test_ctrl_c_while_generating_over_another_project(mcugen, uninterrupted, copy):
    """What is there afterwards is the old project or the new one, never some of each."""
    project = copy / PROJECT
    other = ("build", str(AD), "--board", "nucleo", "-o", str(project))
    result = interrupt(other, copy, lambda _: (project / "mcugen/staged").exists(), to_group=True)
    assert_interrupted(result)
    assert_whole_or_absent(project)
    mcugen(*BUILD, cwd=copy)

    assert (copy / ELF).read_bytes() == uninterrupted


def link_if_missing(source: str, target: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.symlink(source, target)


def test_ctrl_c_while_compilers_run(mcugen, uninterrupted, tmp_path, monkeypatch):
    """With no object kept from an earlier build; what the next one takes is what this one kept, and
    all else that `built` compiled.
    """
    monkeypatch.setenv("MCUGEN_OBJECT_CACHE", str(tmp_path / "objects"))

    def compiling(_: str) -> bool:
        return len(list((tmp_path / PROJECT).glob(".pio/build/**/*.o"))) >= 3

    result = interrupt(BUILD, tmp_path, compiling, to_group=True)
    assert_interrupted(result)
    assert_whole_or_absent(tmp_path / PROJECT)
    assert processes_in(tmp_path) == []
    shutil.copytree(
        *(cache_dir() / "objects", tmp_path / "objects"),
        copy_function=link_if_missing,
        dirs_exist_ok=True,
    )
    mcugen(*BUILD, cwd=tmp_path)

    assert (tmp_path / ELF).read_bytes() == uninterrupted


def test_ctrl_c_while_linking(mcugen, uninterrupted, tmp_path):
    """A half-linked image is not taken for a finished one."""
    result = interrupt(BUILD, tmp_path, lambda _: (tmp_path / ELF).exists(), to_group=False)
    assert_interrupted(result)
    assert_whole_or_absent(tmp_path / PROJECT)
    assert processes_in(tmp_path) == []
    assert not (tmp_path / ELF).exists()
    mcugen(*BUILD, cwd=tmp_path)

    assert (tmp_path / ELF).read_bytes() == uninterrupted


def test_ctrl_c_after_the_answer_changes_nothing():
    """Python takes a second to unload torch: long enough for an impatient Ctrl-C."""
    code = (
        "import atexit, os, signal, sys; from mcugen.cli import app;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT);"
        "sys.argv = ['mcugen', 'boards']; app.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0
    assert "nucleo_f446re" in done.stdout
    assert done.stderr == ""
