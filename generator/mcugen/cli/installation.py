# SPDX-License-Identifier: BSD-3-Clause
"""What is installed, what needs it, and how to get what is missing. Imports none of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata

from mcugen.base.errors import McugenError
from mcugen.base.install import COMMANDS, QEMU_NEWER, SYSTEMS
from mcugen.base.toolchain import COMPILER, OPENOCD, QEMU, UPLOADERS, which

#: Programs: (name, what needs it, whether more than real boards do).
_PROGRAMS = (
    (COMPILER, "build", True),
    (QEMU, "--simulate and the qemu-* boards", True),
    (OPENOCD, "flashing a real board", False),
    *(
        (program, f"flash --with {way}", False)
        for way, program in UPLOADERS.items()
        if program != OPENOCD
    ),
)
#: Below it OpenOCD does not know `adapter serial`; of an ST-LINK it knows another command.
_OPENOCD_FOR_ALL_PROBES = (0, 12)

_MINIMUM_PYTHON = (3, 11)

#: What each package is for; the versions come from our own metadata.
_PACKAGE_USES = {
    "torch": "models",
    "executorch": "export, C++ headers",
    "torchao": "quantization",
    "ruamel-yaml-clib": "export",
    "platformio": "build, flash",
    "scons": "build",
    "tensorflow-datasets": "data",
    "array-record": "data",
    "importlib-resources": "data",
    "scikit-learn": "the digits dataset",
    "numpy": "everything",
    "jinja2": "project generation",
    "pyserial": "devices",
    "pyelftools": "build",
    "pyyaml": "operator table",
    "cobs": "devices",
    "platformdirs": "caches",
    "filelock": "build, devices",
    "scipy": "sound as data",
    "typer": "command line",
    "rich": "progress",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked for.

    version: None when it is missing, "?" when it does not say. needed: False when only some uses
    need it. install: system (of `base.install.SYSTEMS`) → command. problem: what is wrong with it
    although it is there. remark: what it cannot do. path: where it was found.
    """

    name: str
    version: str | None
    needed_by: str
    needed: bool
    install: Mapping[str, str]
    problem: str | None = None
    path: str | None = None
    remark: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it is there and usable."""
        return self.version is not None and self.problem is None


def run_checks() -> tuple[Check, ...]:
    """Return every check: Python, packages, programs, our own data files."""
    return (_python(), *_packages(), *map(_program, _PROGRAMS), _data())


def missing(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the needed things that are not usable."""
    return tuple(check for check in checks if check.needed and not check.ok)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, _MINIMUM_PYTHON))
    problem = None if sys.version_info >= _MINIMUM_PYTHON else f"older than {wanted}"
    return Check("python", version, "everything", True, COMMANDS["python"], problem, sys.executable)


def _packages() -> list[Check]:
    checks = []
    for name, specifier in _requirements():
        try:
            found = metadata.distribution(name)
            version: str | None = found.version
            path: str | None = str(found.locate_file(""))
        except metadata.PackageNotFoundError:
            version = path = None
        problem = None
        if version is not None and not _satisfies(version, specifier):
            problem = f"{specifier} is needed"
        extra = "[ethos-u]" if name == "executorch" else ""
        checks.append(
            Check(
                name,
                version,
                _PACKAGE_USES.get(re.sub(r"[._]", "-", name.lower()), "mcugen"),
                True,
                everywhere(f"{sys.executable} -m pip install '{name}{extra}{specifier}'"),
                problem,
                path,
            )
        )
    return checks


def everywhere(command: str) -> Mapping[str, str]:
    """Return a command that is the same on every system."""
    return dict.fromkeys(SYSTEMS, command)


def _requirements() -> list[tuple[str, str]]:
    """Return (package, version specifier) of what mcugen's own metadata asks for."""
    found = []
    try:
        lines = metadata.requires("mcugen") or []
    except metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        if "extra ==" in line:
            continue
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*([^;]*)", line)
        if match:
            found.append((match[1], match[2].strip()))
    return found


def _satisfies(version: str, specifier: str) -> bool:
    """Return whether a version meets `==`, `>=`, `<` and `<=` clauses, compared by numbers."""
    have = _numbers(version)
    for clause in filter(None, (part.strip() for part in specifier.split(","))):
        match = re.match(r"(==|>=|<=|<|>)\s*(.+)", clause)
        if match is None:
            continue
        want = _numbers(match[2])
        length = max(len(have), len(want))
        a, b = have + (0,) * (length - len(have)), want + (0,) * (length - len(want))
        if not {"==": a == b, ">=": a >= b, "<=": a <= b, "<": a < b, ">": a > b}[match[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    # A local part, as in 2.13.0+cpu, and a pre-release's letters do not matter here.
    release = re.match(r"\d+(?:\.\d+)*", version.split("+")[0])
    return tuple(map(int, release[0].split("."))) if release else ()


def _program(row: tuple[str, str, bool]) -> Check:
    name, needed_by, needed = row
    check = Check(name, None, needed_by, needed, COMMANDS["JLinkExe" if "JLink" in name else name])
    path = which(name)
    if path is None:
        return check
    check = replace(check, path=path, version="?")
    if "JLink" in name or name == "stm32flash":
        return check  # They do not tell: any argument makes J-Link Commander connect.
    try:
        done = subprocess.run(
            [path, "--help" if name == "bossac" else "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return replace(check, problem=f"does not start: {error}")
    text = done.stdout + done.stderr
    version = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    if done.returncode != 0 and (name != "bossac" or version is None):
        first = text.strip().splitlines()[:1]
        return replace(check, problem=f"does not start: {' '.join(first)}")
    check = replace(check, version=version[0] if version else "?")
    return replace(check, remark=_remark(name, version[0])) if version else check


def _remark(name: str, version: str) -> str | None:
    """Return what a program of this version cannot do."""
    if name == OPENOCD and _numbers(version) < _OPENOCD_FOR_ALL_PROBES:
        return "below 0.12 it finds only ST-LINKs by their serial number"
    if name == QEMU:
        return _boards_without_machine(version)
    return None


def _boards_without_machine(version: str) -> str | None:
    """Return which boards want a newer QEMU, and where there is one."""
    from mcugen.boards.load import list_boards

    wanted = {board.id: board.qemu.min_version for board in list_boards() if board.qemu}
    newer = {id: v for id, v in wanted.items() if v and not _satisfies(version, f">={v}")}
    if not newer:
        return None
    boards = ", ".join(f"{id} (needs {v})" for id, v in sorted(newer.items()))
    return f"too old to simulate {boards}. {QEMU_NEWER}"


def _data() -> Check:
    from mcugen import __version__
    from mcugen.base import resources

    again = everywhere(f"{sys.executable} -m pip install --force-reinstall mcugen")
    path = str(resources.package_dir())
    try:
        resources.data_root()
        resources.executorch_include_dir()
    except McugenError as error:
        install = everywhere(error.hint) if error.hint else again
        return Check("mcugen", __version__, "everything", True, install, error.message, path)
    return Check("mcugen", __version__, "everything", True, again, None, path)
