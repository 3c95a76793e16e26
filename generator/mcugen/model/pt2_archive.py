# SPDX-License-Identifier: BSD-3-Clause
"""A `.pt2` from anybody: read as data, and written anew for torch, which would run what is in it.

`torch.export.load` unpickles (sample inputs, constants, weights, script objects), loads compiled
code (`data/aotinductor/`) and evaluates text (see pt2_program.py). Here, each part that a program
needs is read with the restricted unpickler or the schema's grammar, and an archive of these parts
alone is built in memory. Torch never sees the file itself: what one reader of a zip or a pickle
takes for harmless, another may take for something else. Imports torch.

Tensors of any value and operators of any shape get through: this is no guard against a model that
is slow, large or wrong, nor against faults in torch's own kernels.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from mcugen.base.errors import ConfigError
from mcugen.base.explain import first_line
from mcugen.model.pt2_program import NotDataError, clean_payloads, clean_program

#: No microcontroller's model comes near. A small file can claim to unpack to petabytes.
MAX_BYTES = 1 << 30
MAX_JSON_BYTES = 64 << 20
_MAX_ENTRIES = 100_000
_MAX_ELEMENTS = MAX_BYTES // 4  # of one tensor: strides of 0 make one of any size from a byte
_MAX_VALUES = 100_000  # in one pickle

_TRUST_HINT = (
    "Of a model file, mcugen loads tensors and plain data only; the rest could run any code. "
    "If you made the file yourself: --trust."
)


def read_as_data(path: Path) -> io.BytesIO:
    """Return an archive for `torch.export.load` with the program in `path` and no code.

    Raises ConfigError, naming the archive's entry: it holds more than data, or is malformed.
    """
    try:
        with zipfile.ZipFile(path) as file:
            archive = _Archive(file)
            if "serialized_exported_program.json" in archive.names:
                return _copy_old(archive)
            return _copy(archive)
    except _EntryError as error:
        raise ConfigError(
            f"{path} is refused: its entry {error.entry} holds more than data ({error})"
            if error.more_than_data
            else f"{path} is not a usable .pt2 file: its entry {error.entry}: {error}",
            hint=_TRUST_HINT if error.more_than_data else None,
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # zipfile and torch raise many types
        raise ConfigError(f"{path} is not a usable .pt2 file: {first_line(error)}") from error


class _EntryError(Exception):
    def __init__(self, entry: str, message: str, *, more_than_data: bool = False) -> None:
        super().__init__(message)
        self.entry = entry if entry.isprintable() else repr(entry)
        self.more_than_data = more_than_data


class _Archive:
    """The entries of a zip, bounded in number, size and names."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._infos: dict[str, zipfile.ZipInfo] = {}
        infos = file.infolist()
        if len(infos) > _MAX_ENTRIES:
            raise NotDataError(f"{len(infos):,} entries; at most {_MAX_ENTRIES:,} are read")
        for info in infos:
            name = info.filename
            parts = name.rstrip("/").split("/")
            if {"", ".", ".."} & set(parts) or "\\" in name or not name.isprintable():
                raise _EntryError(name, "not the name of a file in an archive")
            if name in self._infos:
                raise _EntryError(name, "it is there twice")
            self._infos[name] = info
        total = sum(info.file_size for info in infos)
        if total > MAX_BYTES:
            largest = max(infos, key=lambda info: info.file_size)
            raise _EntryError(
                largest.filename,
                f"{largest.file_size:,} B of {total:,} B unpacked; "
                f"at most {MAX_BYTES:,} B are read",
            )
        #: Above torch's own entries is one folder of any name.
        self.root = infos[0].filename.split("/")[0] + "/" if infos else ""

    @property
    def names(self) -> set[str]:
        """Return the entries' full names."""
        return set(self._infos)

    def has(self, name: str) -> bool:
        """Tell whether torch's entry `name` is there."""
        return self.root + name in self._infos

    def within(self, folder: str) -> list[str]:
        """Return torch's entries in a folder."""
        prefix = self.root + folder
        return [n.removeprefix(self.root) for n in self._infos if n.startswith(prefix)]

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """Return the bytes of torch's entry `name`."""
        info = self._infos.get(self.root + name)
        if info is None:
            raise _EntryError(name, "it is missing")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _EntryError(name, "packed by a method that is not read here")
        if info.file_size > limit:
            raise _EntryError(name, f"{info.file_size:,} B; at most {limit:,} B are read")
        try:
            return self._file.read(info)
        except Exception as error:  # BadZipFile, zlib.error, RuntimeError (encrypted), EOFError
            raise _EntryError(name, str(error) or type(error).__name__) from error

    def json(self, name: str, clean: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Return a JSON entry, rebuilt by `clean`."""
        data = self.read(name, MAX_JSON_BYTES)
        try:
            document = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise _EntryError(name, f"not JSON: {error}") from error
        try:
            return clean(document)
        except NotDataError as error:
            raise _EntryError(name, str(error), more_than_data=True) from error
        except ValueError as error:
            raise _EntryError(name, str(error)) from error
        except RecursionError as error:
            raise _EntryError(name, "nested too deeply") from error

    def pickle(self, name: str) -> bytes:
        """Return a torch.save entry, written anew from the plain data in it."""
        import torch

        data = self.read(name)
        if not data:  # torch's way to store None
            return data
        value = _unpickle(name, data)
        buffer = io.BytesIO()
        torch.save(value, buffer)
        return buffer.getvalue()


def _unpickle(name: str, data: bytes) -> Any:
    import torch

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            _Archive(inner)  # for its bounds
    except (zipfile.BadZipFile, _EntryError, NotDataError) as error:
        # Older and bare pickles are not what torch.export wrote at any time.
        raise _EntryError(
            name, f"not a file of torch.save: {error}", more_than_data=True
        ) from error
    try:
        value = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # pickle, RuntimeError (TorchScript, damaged), any of the above
        called = re.search(r"GLOBAL ([\w.]+)", str(error))
        if called:
            raise _EntryError(name, f"it names {called[1]}", more_than_data=True) from error
        raise _EntryError(name, first_line(error), more_than_data=True) from error
    _refuse_objects(name, value)
    return value


def _refuse_objects(name: str, value: Any) -> None:
    """Raise unless `value` is tensors, numbers and text in tuples, lists and dicts."""
    import torch

    plain = {str, bytes, int, float, bool, complex, type(None)}
    plain |= {torch.dtype, torch.device, torch.Size, torch.memory_format, torch.layout}
    rest = [value]
    seen = 0
    while rest:
        seen += 1  # counts what is shared each time: torch, too, walks it each time
        if seen > _MAX_VALUES:
            raise _EntryError(name, f"more than {_MAX_VALUES:,} values")
        item = rest.pop()
        if isinstance(item, (dict, list, tuple)) and type(item).__module__ in (
            "builtins",
            "collections",
        ):
            rest += [*item.keys(), *item.values()] if isinstance(item, dict) else item
        elif type(item) in (torch.Tensor, torch.nn.Parameter):
            if item.layout is not torch.strided:
                raise _EntryError(name, f"a tensor of layout {item.layout}")
            _refuse_large(name, item.numel())
        elif type(item) not in plain:
            raise _EntryError(name, f"an object of {type(item)}", more_than_data=True)


def _refuse_large(name: str, elements: int) -> None:
    if elements > _MAX_ELEMENTS:
        raise _EntryError(name, f"a tensor of {elements:,} elements")


# --- the layout since torch 2.8 -----------------------------------------------------------------

_MODEL = "model"  # the name under which torch.export.save stores a single program


def _copy(archive: _Archive) -> io.BytesIO:
    from torch.export.pt2_archive import PT2ArchiveWriter

    if not archive.has("archive_format"):
        raise _EntryError("archive_format", "it is missing")
    for name in archive.within("data/aotinductor/"):
        raise _EntryError(name, "compiled code", more_than_data=True)
    buffer = io.BytesIO()
    with PT2ArchiveWriter(buffer) as writer:  # type: ignore[arg-type]  # any file-like object
        writer.write_bytes("archive_format", archive.read("archive_format", 100))
        writer.write_bytes("archive_version", archive.read("archive_version", 100))
        program = archive.json(f"models/{_MODEL}.json", clean_program)
        writer.write_string(f"models/{_MODEL}.json", json.dumps(program))
        inputs = f"data/sample_inputs/{_MODEL}.pt"
        writer.write_bytes(inputs, archive.pickle(inputs))
        _copy_tensors(archive, writer, "data/weights/", "weights", "weight_")
        _copy_tensors(archive, writer, "data/constants/", "constants", "tensor_")
    buffer.seek(0)
    return buffer


def _copy_tensors(archive: _Archive, writer: Any, folder: str, what: str, prefix: str) -> None:
    pickled = f"{folder}{_MODEL}.pt"  # of torch 2.8
    if archive.has(pickled):
        writer.write_bytes(pickled, archive.pickle(pickled))
        return
    config_name = f"{folder}{_MODEL}_{what}_config.json"
    config = archive.json(config_name, clean_payloads)
    writer.write_string(config_name, json.dumps(config))
    done = set()
    for path, payload in config.get("config", {}).items():
        name = folder + payload.get("path_name", "")
        if not name.removeprefix(folder).startswith(prefix):
            # custom_obj_N and opaque_obj_N: pickles of script objects and of any class
            raise _EntryError(name, f"'{path}' is not a tensor", more_than_data=True)
        meta = payload.get("tensor_meta")
        if meta is not None:
            sizes = [size.get("as_int", 0) for size in meta.get("sizes", ())]
            _refuse_large(config_name, prod(sizes))  # torch allocates it if there are no bytes
        if name not in done:
            done.add(name)
            raw = not payload.get("use_pickle")
            writer.write_bytes(name, archive.read(name) if raw else archive.pickle(name))


# --- the layout of torch 2.7 and before ---------------------------------------------------------


def _copy_old(archive: _Archive) -> io.BytesIO:
    archive.root = ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as copy:
        copy.writestr("version", archive.read("version", 100))
        program = archive.json("serialized_exported_program.json", clean_program)
        copy.writestr("serialized_exported_program.json", json.dumps(program))
        for part in ("state_dict", "constants", "example_inputs"):
            name = f"serialized_{part}.pt"
            # Older still: a pickle that is named .json.
            source = name if archive.has(name) else f"serialized_{part}.json"
            copy.writestr(name, archive.pickle(source if archive.has(source) else name))
    buffer.seek(0)
    return buffer
