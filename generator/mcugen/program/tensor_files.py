# SPDX-License-Identifier: BSD-3-Clause
"""Files of one tensor: raw bytes in the tensor's dtype and memory order, or `.npy`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import ConfigError
from mcugen.base.files import write_atomically

if TYPE_CHECKING:
    import numpy as np

    from mcugen.program.artifact import TensorSpec


def check_files(inputs: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Refuse input files that cannot be read and outputs that cannot be written, early.

    Raises ConfigError.
    """
    for path in inputs:
        if not path.exists():
            raise ConfigError(f"input file {path} does not exist")
        if path.is_dir():
            raise ConfigError(f"input {path} is a folder; give a file's name")
    for path in outputs:
        if path.is_dir():
            raise ConfigError(f"output {path} is a folder; give a file's name")
        if not path.parent.is_dir():
            raise ConfigError(f"output folder {path.parent} does not exist")


def read_inputs(paths: Sequence[Path], specs: Sequence[TensorSpec]) -> tuple[bytes, ...]:
    """Return each input's bytes in memory order, checked against the model.

    Numbers that were fixed when the model was exported need no file, if none of them is given one.

    Raises ConfigError: wrong number of files, size, dtype or shape.
    """
    free = [spec for spec in specs if spec.fixed is None]
    if len(free) < len(specs) and len(paths) == len(free):
        given = iter(paths)
        return tuple(
            read_input(next(given), spec) if spec.fixed is None else fixed_bytes(spec)
            for spec in specs
        )
    if len(paths) != len(specs):
        raise ConfigError(
            f"the model has {len(specs)} input{'s' * (len(specs) != 1)}; "
            f"{len(paths)} --input file{'s were' if len(paths) != 1 else ' was'} given",
            hint="Give --input once per input, in order: " + "; ".join(map(describe, specs)),
        )
    return tuple(read_input(path, spec) for path, spec in zip(paths, specs, strict=True))


def fixed_bytes(spec: TensorSpec) -> bytes:
    """Return the only bytes that an input takes which was a number when the model was exported."""
    import numpy as np

    return np.array(spec.fixed, np.dtype(spec.dtype).newbyteorder("<")).tobytes()


def check_outputs(paths: Sequence[Path], specs: Sequence[TensorSpec]) -> None:
    """Refuse another number of output files than the model has outputs. Raises ConfigError."""
    if len(paths) != len(specs):
        raise ConfigError(
            f"the model has {len(specs)} output{'s' * (len(specs) != 1)}; "
            f"{len(paths)} --output file{'s were' if len(paths) != 1 else ' was'} given",
            hint="Give --output once per output, in order: " + "; ".join(map(describe, specs)),
        )


def describe(spec: TensorSpec) -> str:
    """Return "int8 [1, 3, 32, 32], memory order (0, 2, 3, 1), 3,072 B"."""
    shape = ", ".join(map(str, spec.shape))
    order = ""
    if spec.dim_order != tuple(range(len(spec.shape))):
        memory = ", ".join(map(str, spec.memory_shape))
        order = f", in memory [{memory}]"
    return f"{spec.dtype} [{shape}]{order}, {spec.nbytes:,} B"


def read_input(path: Path, spec: TensorSpec) -> bytes:
    """Return one input's bytes in memory order. Raises ConfigError."""
    try:
        if path.suffix.lower() == ".npy":
            return _from_npy(path, spec)
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"input file {path} cannot be read: {error.strerror}") from None
    if len(data) != spec.nbytes:
        raise ConfigError(
            f"input file {path} has {len(data):,} B; input '{spec.name}' needs {spec.nbytes:,} B",
            hint=f"{describe(spec)}. Raw files hold exactly the tensor, in memory order; "
            "a .npy file may hold it in its logical shape.",
        )
    return data


def _from_npy(path: Path, spec: TensorSpec) -> bytes:
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # numpy, zipfile: many types for a damaged or huge file
        raise ConfigError(f"input file {path} is not a usable .npy file: {error}") from None
    if not isinstance(array, np.ndarray):
        raise ConfigError(f"input file {path} holds several arrays; an .npy with one is needed")
    if array.dtype.newbyteorder("=") != np.dtype(spec.dtype):
        hint = describe(spec)
        if spec.scale is not None and array.dtype.kind == "f":
            hint += (
                f". Quantize: round(x / {spec.scale!r}) + {spec.zero_point}; "
                "or build with --io float"
            )
        raise ConfigError(
            f"input file {path} holds {array.dtype}; input '{spec.name}' needs {spec.dtype}",
            hint=hint,
        )
    array = array.astype(np.dtype(spec.dtype).newbyteorder("<"))
    if array.shape == spec.shape:
        return np.ascontiguousarray(array.transpose(spec.dim_order)).tobytes()
    if array.shape == spec.memory_shape:
        return np.ascontiguousarray(array).tobytes()
    shape = ", ".join(map(str, array.shape))
    raise ConfigError(
        f"input file {path} holds shape [{shape}], {array.nbytes:,} B; input '{spec.name}' needs "
        f"[{', '.join(map(str, spec.shape))}], {spec.nbytes:,} B",
        hint=describe(spec),
    )


def to_logical(spec: TensorSpec, data: bytes) -> np.ndarray:
    """Return a tensor's bytes as an array of its logical shape."""
    import numpy as np

    array = np.frombuffer(data, np.dtype(spec.dtype).newbyteorder("<")).reshape(spec.memory_shape)
    return np.ascontiguousarray(array.transpose(np.argsort(spec.dim_order)))


def write_output(path: Path, spec: TensorSpec, data: bytes) -> None:
    """Write one output: `.npy` in its logical shape, else raw bytes in memory order."""
    import io

    import numpy as np

    try:
        if path.suffix.lower() == ".npy":
            with io.BytesIO() as file:
                np.save(file, to_logical(spec, data), allow_pickle=False)
                write_atomically(path, file.getvalue())
        else:
            write_atomically(path, data)
    except OSError as error:
        raise ConfigError(f"output file {path} cannot be written: {error.strerror}") from None
