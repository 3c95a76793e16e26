# SPDX-License-Identifier: BSD-3-Clause
"""A disk that fills up and a folder that cannot be written: named, with exit code 6."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir
from mcugen.base.errors import BuildError
from mcugen.base.toolchain import COMPILER
from mcugen.project.platformio import explain_build_failure

MCUGEN = Path(sys.executable).parent / "mcugen"
NET = Path(__file__).parents[2] / "golden" / "nets" / "net_0_m4.pte"
BUILD = f"{MCUGEN} build {NET} --board qemu-m4"
MOUNT = "mount -t tmpfs -o size={size} none {folder}"

Shell = Callable[[str], subprocess.CompletedProcess[str]]
pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"{COMPILER} missing"),
]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a script that may mount file systems which nobody else sees."""
    (tmp_path / "disk").mkdir()
    for options in ("-rm", "-m"):
        command = ["unshare", options, "bash", "-c"]
        probe = [*command, MOUNT.format(size="1m", folder=tmp_path / "disk")]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
            return lambda script: subprocess.run(
                [*command, f"set -e; {script}"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=600,
            )
    pytest.skip("this system lets nobody mount a small disk (unshare -rm)")


def disk(tmp_path: Path, size: str) -> str:
    return MOUNT.format(size=size, folder=tmp_path / "disk")


def test_a_disk_without_room_for_the_project(tmp_path: Path, shell: Shell) -> None:
    done = shell(f"{disk(tmp_path, '100k')}; cd disk; {BUILD}")

    root = tmp_path / "disk/mcugen_out/net_0_m4-qemu-m4"
    assert done.returncode == 6, done.stderr
    assert f"error: {root} cannot be written: No space left on device\n" in done.stderr
    assert "hint: Generate into another folder with -o DIR, or make room." in done.stderr


def test_a_disk_that_fills_up_while_compiling(tmp_path: Path, shell: Shell) -> None:
    """The project takes 1.7 MB, and what is built 5 more. With room, it is built after all.

    With as much room as any machine has, so that objects are those of other builds.
    """
    done = shell(
        f"{disk(tmp_path, '2500k')}; cd disk; {BUILD} || echo $? >&2; "
        f"mount -o remount,size=400m {tmp_path}/disk; {BUILD}"
    )

    root = tmp_path / "disk/mcugen_out/net_0_m4-qemu-m4"
    first, second = done.stderr.split("\n6\n")
    assert f"error: {root}" in first
    assert "cannot be written: No space left on device" in first
    assert done.returncode == 0, second


def test_an_output_folder_that_is_read_only(tmp_path: Path, shell: Shell) -> None:
    done = shell(
        f"{disk(tmp_path, '1m')}; mount -o remount,ro {tmp_path}/disk; {BUILD} -o disk/here"
    )

    assert done.returncode == 6, done.stderr
    assert f"error: {tmp_path}/disk/here cannot be written: Read-only file system" in done.stderr


def test_a_cache_folder_that_is_read_only(tmp_path: Path, shell: Shell) -> None:
    cache = tmp_path / "disk" / "cache"
    done = shell(
        f"{disk(tmp_path, '1m')}; mkdir {cache}; mount -o remount,ro {tmp_path}/disk; "
        f"MCUGEN_CACHE_DIR={cache} {BUILD}"
    )

    assert done.returncode == 6, done.stderr
    assert f"error: {cache} cannot be written: Read-only file system" in done.stderr
    assert "hint: Choose another folder with MCUGEN_CACHE_DIR." in done.stderr


def test_a_cache_folder_that_fills_up(tmp_path: Path, shell: Shell) -> None:
    """PlatformIO puts SCons there."""
    cache = tmp_path / "disk" / "cache"
    done = shell(
        f"{disk(tmp_path, '1m')}; unset PLATFORMIO_CORE_DIR; MCUGEN_CACHE_DIR={cache} {BUILD}"
    )

    assert done.returncode == 6, done.stderr
    assert f"error: {cache} cannot be written: No space left on device" in done.stderr
    assert len(done.stderr) < 1500


def test_a_folder_for_the_last_build_that_is_read_only(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "mcugen_out"
    done = shell(
        f"mkdir {out}; {MOUNT.format(size='1m', folder=out)}; mount -o remount,ro {out}; "
        f"{BUILD} -o elsewhere"
    )

    assert done.returncode == 6, done.stderr
    assert f"error: {out} cannot be written: Read-only file system" in done.stderr


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("ar: unable to copy file '.pio/x.a'; reason: No space left on device", Path("/project")),
        ("ar: unable to copy file '.pio/x.a'; reason: Success", Path("/project")),
        (
            "TMP/cc1.s: Fatal error: can't write 138 bytes to section .gnu of .pio/build/x.o: "
            "'No space left on device'",
            Path("/project"),
        ),
        ("main.cpp:9:1: fatal error: error writing to TMP/cc1.s: No space left on device", "TMP"),
        ("error: [Errno 28] No space left on device: 'TMP/a' -> 'CACHE/platformio/a'", "CACHE"),
        ("cc1: error: cannot open /project/.pio/x.o: Read-only file system", Path("/project")),
    ],
)
def test_what_a_tool_could_not_write_is_told_by_its_words(line: str, place: str | Path) -> None:
    known = {"TMP": tempfile.gettempdir(), "CACHE": str(cache_dir())}
    for name, folder in known.items():
        line = line.replace(name, folder)
    lines = ["Compiling main.o", line, "*** [.pio/x.a] Error 1"]
    error = explain_build_failure(Path("/project"), lines, "exit status 1")

    assert isinstance(error, BuildError)
    assert error.message.startswith(f"{known.get(str(place), place)} cannot be written: ")
    assert line[-60:] in error.message
