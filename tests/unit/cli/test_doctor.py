# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from mcugen.base.install import SYSTEMS, this_system
from mcugen.base.toolchain import UPLOADERS
from mcugen.boards.load import list_boards
from mcugen.boards.probes import known_probes
from mcugen.cli import installation
from mcugen.device.udev import udev_rules


def named(checks, name):
    return next(check for check in checks if check.name == name)


def test_every_requirement_of_the_package_is_looked_for():
    checks = installation.run_checks()
    names = {check.name for check in checks}

    assert [check.name for check in checks if check.needed_by == "mcugen"] == []
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


def test_every_check_says_where_it_is_and_how_it_is_installed_everywhere():
    for check in installation.run_checks():
        assert set(check.install) == set(SYSTEMS), check.name
        assert all(check.install.values()), check.name
        assert (check.path is None) is (check.version is None), check.name


def test_every_way_onto_a_board_has_its_program_among_the_checks():
    names = {check.name for check in installation.run_checks()}

    assert set(UPLOADERS.values()) <= names


def test_an_old_openocd_is_told_what_it_cannot_do(monkeypatch, tmp_path):
    old = tmp_path / "openocd"
    old.write_text("#!/bin/sh\necho 'Open On-Chip Debugger 0.11.0' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")

    check = named(installation.run_checks(), "openocd")

    assert (check.ok, check.version, check.path) == (True, "0.11.0", str(old))
    assert "below 0.12" in check.remark


@pytest.mark.parametrize("version, told", [("7.2.22", True), ("10.0.2", False)])
def test_an_old_qemu_is_told_which_boards_it_cannot_simulate(monkeypatch, tmp_path, version, told):
    program = tmp_path / "qemu-system-arm"
    program.write_text(f"#!/bin/sh\necho 'QEMU emulator version {version} (Debian 1:1)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")

    check = named(installation.run_checks(), "qemu-system-arm")

    assert (check.ok, check.version) == (True, version)
    assert ("b_l475e_iot01a (needs 10.0)" in (check.remark or "")) is told
    assert ("bookworm-backports" in (check.remark or "")) is told


@pytest.mark.parametrize(
    "text, system",
    [
        ("ID=debian\n", "debian"),
        ('ID=pop\nID_LIKE="ubuntu debian"\n', "debian"),
        ("ID=fedora\n", "fedora"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=arch\n", None),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_the_system_is_known_by_os_release(tmp_path, text, system):
    (tmp_path / "os-release").write_text(text)

    assert this_system(tmp_path / "os-release") == system


def test_the_rules_name_every_probe_and_boot_loader_that_is_known():
    boards = list_boards()
    rules = udev_rules(boards)
    pattern = r'^SUBSYSTEM=="usb", ATTRS\{idVendor\}=="(....)", ATTRS\{idProduct\}=="(....)", MODE="0660", GROUP="plugdev", TAG\+="uaccess"$'  # noqa: E501
    allowed = [(int(v, 16), int(p, 16)) for v, p in re.findall(pattern, rules, re.MULTILINE)]

    wanted = {one for probe in known_probes() for one in probe.usb_ids}
    wanted |= {one for b in boards if b.probe for one in b.probe.usb_ids}
    wanted |= {one for b in boards if b.upload for one in b.upload.loader_usb_ids}
    assert set(allowed) == wanted | {
        one for b in boards if b.upload and b.upload.bossac for one in b.upload.bossac.touch_usb_ids
    }
    assert len(allowed) == len(set(allowed))
    assert rules.count("ID_MM_DEVICE_IGNORE") == len(allowed)
    # A comment, or a rule: udev refuses a file with anything else.
    assert all(line.startswith(("#", "SUBSYSTEM==")) for line in rules.splitlines())


def test_bossac_tells_its_version_in_its_help(monkeypatch, tmp_path):
    """As 1.9.1 of Debian does: it knows no --version."""
    bossac = tmp_path / "bossac"
    bossac.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --help ] || { echo "bossac: unrecognized option \'$1\'" >&2; exit 1; }\n'
        "echo 'Basic Open Source SAM-BA Application (BOSSA) Version 1.9.1'; exit 1\n"
    )
    bossac.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")

    check = named(installation.run_checks(), "bossac")

    assert (check.ok, check.version) == (True, "1.9.1")
