# SPDX-License-Identifier: BSD-3-Clause
"""What is installed, what needs it, and how to get what is missing. Imports none of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mcugen.base.errors import McugenError
from mcugen.base.toolchain import COMPILER, INSTALL, OPENOCD, QEMU

#: Programs: (name, what needs it, whether more than real boards do).
_PROGRAMS = (
    (COMPILER, "build", True),
    (QEMU, "--simulate and the qemu-* boards", True),
    (OPENOCD, "flashing a real board", False),
)

_MINIMUM_PYTHON = (3, 11)

#: What each package is for; the versions come from our own metadata.
_PACKAGE_USES = {
    "torch": "models",
    "executorch": "export, C++ headers",
    "torchao": "quantization",
    "ruamel.yaml.clib": "export",
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
    "typer": "command line",
    "rich": "progress",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked for.

    version: None when it is missing. needed: False when only some uses need it.
    problem: what is wrong with it although it is there.
    """

    name: str
    version: str | None
    needed_by: str
    needed: bool
    install: str
    problem: str | None = None

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
    return Check(
        "python", version, "everything", True, f"Install Python {wanted} or newer", problem
    )


def _packages() -> list[Check]:
    checks = []
    for name, specifier in _requirements():
        try:
            version: str | None = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = None
        problem = None
        if version is not None and not _satisfies(version, specifier):
            problem = f"{specifier} is needed"
        extra = "[ethos-u]" if name == "executorch" else ""
        checks.append(
            Check(
                name,
                version,
                _PACKAGE_USES.get(name.lower().replace("_", "-"), "mcugen"),
                True,
                f"{Path(sys.executable).name} -m pip install '{name}{extra}{specifier}'",
                problem,
            )
        )
    return checks


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
    install = INSTALL[name]
    path = shutil.which(name)
    if path is None:
        return Check(name, None, needed_by, needed, install)
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "?", needed_by, needed, install, f"does not start: {error}")
    text = done.stdout + done.stderr
    if done.returncode != 0:
        first = text.strip().splitlines()[:1]
        return Check(name, "?", needed_by, needed, install, f"does not start: {' '.join(first)}")
    version = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    return Check(name, version[0] if version else "?", needed_by, needed, install)


def _data() -> Check:
    from mcugen import __version__
    from mcugen.base import resources

    try:
        resources.data_root()
        resources.executorch_include_dir()
    except McugenError as error:
        return Check(
            "mcugen", __version__, "everything", True, error.hint or "Reinstall", error.message
        )
    return Check("mcugen", __version__, "everything", True, "")
