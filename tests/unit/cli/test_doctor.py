# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mcugen.cli import installation


def named(checks, name):
    return next(check for check in checks if check.name == name)


def test_every_requirement_of_the_package_is_looked_for():
    names = {check.name for check in installation.run_checks()}

    assert {"python", "torch", "executorch", "platformio", "pyserial", "mcugen"} <= names
    assert "pytest" not in names


def test_missing_program_is_missing_and_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    checks = installation.run_checks()

    compiler = named(checks, "arm-none-eabi-g++")
    assert not compiler.ok and compiler.version is None
    assert "gcc-arm-none-eabi" in compiler.install["debian"]
    assert set(compiler.install) == {"debian", "fedora", "macos", "windows"}
    assert {check.name for check in installation.missing(checks)} == {
        "arm-none-eabi-g++",
        "qemu-system-arm",
    }


def test_program_that_does_not_start_is_not_ok(monkeypatch, tmp_path):
    broken = tmp_path / "qemu-system-arm"
    broken.write_text("#!/bin/sh\necho 'libfoo.so: cannot open' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")

    check = named(installation.run_checks(), "qemu-system-arm")

    assert not check.ok
    assert "libfoo.so: cannot open" in check.problem


@pytest.mark.parametrize(
    "version, specifier, ok",
    [
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13.1", "==2.13.0", False),
        ("6.2.0", ">=6.2.0,<6.3", True),
        ("6.3.0", ">=6.2.0,<6.3", False),
        ("3.5", ">=3.5,<4", True),
        ("1.5.1rc1", ">=1.5.1", True),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_by_numbers(version, specifier, ok):
    assert installation._satisfies(version, specifier) is ok


def test_looking_imports_no_torch():
    import subprocess

    code = (
        "import sys; from mcugen.cli import installation; installation.run_checks();"
        "assert 'torch' not in sys.modules and 'executorch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent)
