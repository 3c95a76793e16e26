# SPDX-License-Identifier: BSD-3-Clause
"""Fuzz targets: a `.pte` on the host.

`pte` gets a file's bytes: the container's check, the wheel's deserializer, all checks, stripping
and description. Most of its time is the deserializer's. `plan` gets a script of changes to what the
deserializer made of a good file, and so spends its time on what checks a program.
"""

from __future__ import annotations

import contextlib
import pickle
import random
import struct
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import executorch.exir._serialize._program as wheel
from fuzz_host import Target

from mcugen.base.errors import McugenError
from mcugen.program import container, read, strip
from mcugen.program.artifact import PteArtifact

HERE = Path(__file__).resolve().parent
# Every file is really read; and what the wheel may print goes where it likes, without a file each.
read.cache.load = lambda *_: None  # type: ignore[attr-defined]
read.cache.store = lambda *_: None  # type: ignore[attr-defined]
for module in (container, strip):
    module.quiet = contextlib.nullcontext  # type: ignore[attr-defined]


def artifact_of(data: bytes) -> PteArtifact | None:
    try:
        artifact = read.read_pte(data, name="fuzz")
    except McugenError as error:
        assert str(error)
        return None
    assert artifact.pte and artifact.method_bytes > 0
    return artifact


# --- pte ---------------------------------------------------------------------------------------


def described(artifact: PteArtifact) -> dict[str, Any]:
    """All but what depends on the bytes as they lie in the file."""
    document = artifact.to_json()
    for key in ("sha256", "source_sha256", "stripped_bytes"):
        del document[key]
    return document


def one_file(data: bytes) -> None:
    artifact = artifact_of(data)
    if artifact is not None:
        again = artifact_of(artifact.pte)
        assert again is not None, "the stripped file is refused"
        assert repr(described(again)) == repr(described(artifact)), "stripping changes it"


def file_seeds() -> dict[str, bytes]:
    corpus = HERE / "corpus" / "program"
    return {path.name: path.read_bytes() for path in sorted(corpus.iterdir())}


_TOKENS = (
    *(b"ET12", b"eh00", b"forward", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\0\0\0", b"\x04\0\0\0"),
    *(b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x10\0\0\0", b"\xc0\xff\xff\xff", b"\xff\xff", b"out"),
)

# --- plan --------------------------------------------------------------------------------------

#: Above this, making a copy takes more time than what is fuzzed.
_MOST_BYTES = 800


@cache
def programs() -> tuple[bytes, ...]:
    """What the deserializer makes of small files that are good, pickled: quick to copy."""
    kept = []
    for data in file_seeds().values():
        try:
            if len(data) <= _MOST_BYTES and artifact_of(data) is not None:
                kept.append(
                    pickle.dumps(container.deserialize(data, name="fuzz"), pickle.HIGHEST_PROTOCOL)
                )
        except McugenError:
            pass
    return tuple(kept)


@cache
def a_container() -> bytes:
    """What passes for a file until it is deserialized."""
    return min(file_seeds().values(), key=len).ljust(64, b"\0")


Site = tuple[Any, Any]  # an object and a field's name, or a list and an index


@cache
def field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def sites(thing: Any, found: list[Site]) -> list[Site]:
    """Collect every place that holds a value."""
    if isinstance(thing, list):
        for index, item in enumerate(thing):
            found.append((thing, index))
            sites(item, found)
    else:
        for name in field_names(type(thing)):
            found.append((thing, name))
            sites(getattr(thing, name), found)
    return found


def hold(site: Site) -> Any:
    owner, key = site
    return owner[key] if isinstance(owner, list) else getattr(owner, key)


def put(site: Site, value: Any) -> None:
    owner, key = site
    if isinstance(owner, list):
        owner[key : key + 1] = [value]
    else:
        setattr(owner, key, value)


_NUMBERS = (0, 1, -1, 2, 7, 15, 16, 127, -128, 255, 1 << 16, (1 << 31) - 1, -(1 << 31), 1 << 32)
_TEXTS = ("", "forward", "out", "aten::add", "cortex_m::quantized_conv2d", "\ud800", "\0", "a\nb")


def changed(value: Any, choice: int, others: list[Site], generator: random.Random) -> Any:
    """Another value: of its kind, or of another that a file can hold there."""
    if choice % 16 == 0 and not isinstance(value, int | float):
        return None  # what the file leaves out
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        step = (value + 1, value - 1, value * 2, value // 2)
        kind = type(value)
        number = generator.choice((*step, *_NUMBERS, choice))
        try:
            return kind(number)  # of an enumeration, another member
        except ValueError:
            return value
    if isinstance(value, float):
        return generator.choice((0.0, -0.0, 1e-300, 1e300, float("nan"), float("inf"), -value))
    if isinstance(value, str):
        return generator.choice((*_TEXTS, value[:-1], value * 2))
    if isinstance(value, bytes):
        return generator.choice((b"", value[:-1], value + b"\0"))
    alike = [hold(site) for site in others if type(hold(site)) is type(value)]
    other = pickle.loads(pickle.dumps(alike[choice % len(alike)])) if alike else value  # no cycles
    if isinstance(value, list):
        return generator.choice((value[:-1], value + value[:1], [], other))
    # Any value of a program may be of any kind: they are one union.
    return other


def one_script(data: bytes) -> None:
    """Two bytes choose a program; five each, a place in it and what is put there."""
    if len(data) < 7:
        return
    bases = programs()
    file = pickle.loads(bases[int.from_bytes(data[:2], "little") % len(bases)])
    for at in range(2, min(len(data) - 4, 22), 5):
        where, choice, seed = struct.unpack_from("<HBH", data, at)
        found = sites(file, [])
        site = found[where % len(found)]
        put(site, changed(hold(site), choice, found, random.Random(seed)))
    if file.program is None:
        return  # the root is there, or the deserializer fails
    # Neither is the serializer's time spent: stripping reads the file once more, hands over what
    # is to be written, and that is what is read last.
    real = wheel.deserialize_pte_binary, wheel.serialize_pte_binary
    whole = a_container()
    files = [file, pickle.loads(pickle.dumps(file, pickle.HIGHEST_PROTOCOL))]

    def serialize(stripped: Any, **_: object) -> bytes:
        files.append(stripped)
        return whole

    wheel.deserialize_pte_binary = lambda _: files.pop()
    wheel.serialize_pte_binary = serialize
    try:
        artifact_of(whole)
    finally:
        wheel.deserialize_pte_binary, wheel.serialize_pte_binary = real


def script_seeds() -> dict[str, bytes]:
    generator = random.Random(1)
    return {
        str(number): struct.pack("<H", number) + generator.randbytes(5)
        for number in range(len(programs()))
    }


TARGETS = {
    "pte": Target(one_file, file_seeds, _TOKENS, grows=False),
    "plan": Target(one_script, script_seeds, grows=False),
}
