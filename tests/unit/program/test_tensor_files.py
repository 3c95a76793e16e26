# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from samples_of_specs import tensor

from mcugen.base.errors import ConfigError
from mcugen.program.tensor_files import (
    check_files,
    check_outputs,
    read_input,
    read_inputs,
    to_logical,
    write_output,
)

SPEC = tensor("image")  # int8 [1, 2, 2, 4], in memory [1, 2, 4, 2]
LOGICAL = np.arange(16, dtype=np.int8).reshape(1, 2, 2, 4)
MEMORY = np.ascontiguousarray(LOGICAL.transpose(0, 2, 3, 1))


def test_raw_bytes_are_taken_as_they_are(tmp_path):
    path = tmp_path / "in.bin"
    path.write_bytes(MEMORY.tobytes())

    assert read_input(path, SPEC) == MEMORY.tobytes()


@pytest.mark.parametrize("array", [LOGICAL, MEMORY], ids=["logical", "memory"])
def test_npy_in_logical_or_memory_shape_becomes_memory_order(tmp_path, array):
    np.save(tmp_path / "in.npy", array)

    assert read_input(tmp_path / "in.npy", SPEC) == MEMORY.tobytes()


def test_big_endian_npy_is_converted(tmp_path):
    spec = tensor("x", "float32", shape=(1, 4), dim_order=(0, 1))
    np.save(tmp_path / "in.npy", np.array([[1, 2, 3, 4]], ">f4"))

    assert read_input(tmp_path / "in.npy", spec) == np.array([1, 2, 3, 4], "<f4").tobytes()


def test_wrong_size_names_both_sizes_and_the_tensor(tmp_path):
    path = tmp_path / "in.bin"
    path.write_bytes(bytes(15))

    with pytest.raises(ConfigError, match=r"has 15 B; input 'image' needs 16 B") as caught:
        read_input(path, SPEC)

    assert caught.value.exit_code == 2
    assert "int8 [1, 2, 2, 4], in memory [1, 2, 4, 2], 16 B" in caught.value.hint


def test_wrong_npy_shape_names_both_shapes(tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((2, 8), np.int8))

    with pytest.raises(ConfigError, match=r"shape \[2, 8\], 16 B; .* needs \[1, 2, 2, 4\]"):
        read_input(tmp_path / "in.npy", SPEC)


def test_float_npy_for_an_int8_input_is_told_how_to_quantize(tmp_path):
    np.save(tmp_path / "in.npy", LOGICAL.astype(np.float32))

    with pytest.raises(ConfigError, match="holds float32; input 'image' needs int8") as caught:
        read_input(tmp_path / "in.npy", SPEC)

    assert "round(x / 0.5) + 3" in caught.value.hint
    assert "--io float" in caught.value.hint


@pytest.mark.parametrize("content", [b"hello", b"", b"PK\x03\x04", b"\x80\x04N."])
def test_file_that_is_no_npy_is_refused(tmp_path, content):
    (tmp_path / "in.npy").write_bytes(content)

    with pytest.raises(ConfigError, match=r"not a usable \.npy"):
        read_input(tmp_path / "in.npy", SPEC)


def test_number_of_files_must_be_the_models(tmp_path):
    with pytest.raises(ConfigError, match="has 1 input; 2 --input files were given"):
        read_inputs([tmp_path, tmp_path], [SPEC])
    with pytest.raises(ConfigError, match="has 2 outputs; 1 --output file was given"):
        check_outputs([tmp_path], [SPEC, SPEC])


def test_files_are_checked_before_anything_is_built(tmp_path):
    good = tmp_path / "in.bin"
    good.touch()

    with pytest.raises(ConfigError, match=r"nope\.bin does not exist"):
        check_files([tmp_path / "nope.bin"], [])
    with pytest.raises(ConfigError, match="is a folder"):
        check_files([good], [tmp_path])
    with pytest.raises(ConfigError, match=r"output folder .* does not exist"):
        check_files([good], [tmp_path / "no" / "out.bin"])


def test_output_npy_has_the_logical_shape_and_raw_the_memory_order(tmp_path):
    write_output(tmp_path / "out.npy", SPEC, MEMORY.tobytes())
    write_output(tmp_path / "out.bin", SPEC, MEMORY.tobytes())

    assert (np.load(tmp_path / "out.npy") == LOGICAL).all()
    assert (tmp_path / "out.bin").read_bytes() == MEMORY.tobytes()
    assert (to_logical(SPEC, MEMORY.tobytes()) == LOGICAL).all()


def test_output_to_a_device_file_leaves_it_one():
    write_output(Path("/dev/null"), SPEC, MEMORY.tobytes())

    assert Path("/dev/null").is_char_device()
