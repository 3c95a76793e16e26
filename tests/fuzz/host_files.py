# SPDX-License-Identifier: BSD-3-Clause
"""Fuzz targets: files that a user gives, or that mcugen wrote and someone else has changed.

`board`: a board's TOML. `config`: `mcugen.toml`. `tensors`: `.npy` and raw files of one input, and
`.npz` of samples; the first byte says which. `state`: `last.json` and a manifest, likewise.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fuzz_host import Target

from mcugen.base.errors import McugenError
from mcugen.boards import parse, spec
from mcugen.cli import config
from mcugen.model import data
from mcugen.program import tensor_files
from mcugen.program.artifact import TensorSpec
from mcugen.project import last_build, manifest, place

ROOT = Path(__file__).resolve().parents[2]
#: In memory where there is such a folder: each input is written to a file.
SHARED_MEMORY = Path("/dev/shm")
FOLDER = Path(
    tempfile.mkdtemp(prefix="mcugen-fuzz-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
)
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
warnings.simplefilter("ignore")  # of numpy, about files of a later version


def refused_in_words(parse: Callable[[], object]) -> object:
    """Return what it returns; a McugenError must say something."""
    try:
        return parse()
    except McugenError as error:
        assert str(error)
        return None


# --- board and config --------------------------------------------------------------------------

_BOARD = FOLDER / "fuzz.toml"


def one_board(content: bytes) -> None:
    _BOARD.write_bytes(content)
    board = refused_in_words(lambda: parse.parse_board(_BOARD))
    if isinstance(board, spec.BoardSpec):
        assert board.machine_flags and board.arena_region
        assert all(board.region_for(role) for role in spec.ROLES)


def board_seeds() -> dict[str, bytes]:
    """The boards without comments and blank lines, and one as small as can be."""
    texts = {}
    for path in sorted((ROOT / "boards").glob("*.toml")):
        lines = [line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
        texts[path.stem] = "\n".join(filter(None, lines)).replace(
            f'id = "{path.stem}"', 'id="fuzz"'
        )
    texts["smallest"] = """id="fuzz"
name="n"
vendor="v"
url="u"
clock_hz=1
simulated_only=true
mcu={part="p",cpu="cortex-m4",isa="dsp",fpu="fpv4-sp-d16",float_abi="hard",bsp="mps",\
cycle_counter="dwt",max_clock_hz=1,defines={MCUGEN_A=1},regions=[{name="f",start=0,size_kib=1,\
kind="flash",roles=["code","model"]},{name="r",start=0x20000000,size_kib=1,kind="ram",\
roles=["stack","data","planned","method","temp","io"]}]}
console={uart="U",baud=1,base=0}
qemu={machine="m",serial_index=0,counter_hz=1,arena_ram_mib=1}
probe={kind="k",usb_ids=["0483:374b"],openocd_args=["-f"]}
verified={level="builds",evidence=""}
sources={clock="x"}
"""
    return {name: text.encode() for name, text in texts.items()}


_CONFIG = FOLDER / "mcugen.toml"


def one_config(content: bytes) -> None:
    _CONFIG.write_bytes(content)
    refused_in_words(lambda: config.read_config(_CONFIG))


def config_seeds() -> dict[str, bytes]:
    lines = (
        *('model="net.py:make"', 'model="digits"', 'board="nucleo"', 'io="int8"', 'output="fw"'),
        *('calibrate="s.npz"', 'calibrate="tfds:x"', "strict=true", "samples=500", "runs=1"),
        *("warmups=0", "simulate=false", 'device="/dev/ttyACM0"', "timeout_s=1.5", "sampels=1"),
    )
    seeds = {f"line_{number}": line.encode() for number, line in enumerate(lines)}
    seeds["all"] = "\n".join((lines[0], *lines[2:6], *lines[7:14])).encode()
    return seeds


_TOML_TOKENS = (
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b".",
        b",",
        b"\n",
        b'"',
        b"'",
        b'"""',
        b"'''",
        b"\\u0000",
        b"#",
    ),
    *(
        b"[[",
        b"]]",
        b"[]",
        b"{}",
        b"inf",
        b"-nan",
        b"1e999",
        b"true",
        b"0x",
        b"1979-05-27",
        b"07:32",
    ),
    *(b"-1", b"0", b"9223372036854775807", b"0xffffffff", b"0o7", b"99999999999999999999", b"0b1"),
    *(b"mcu=", b"[mcu]\n", b"regions=", b"[[mcu.regions]]\n", b"roles=", b'"arena"', b"start="),
    *(b"\\ud800", b"\xff", b"\r\n", b"1_000", b'""', b"id=", b'mcu="stm32f446re"', b"mcu.x=1\n"),
    *(b"timeout_s=", b"output=", b"calibrate=", b"model=", b'"a.npz"', b'"\\u0000.npz"', b"board="),
)

# --- tensors -----------------------------------------------------------------------------------

_SPECS = (
    TensorSpec("x", (1, 3, 2, 2), (0, 2, 3, 1), "int8", 0.5, 1, True),
    TensorSpec("x", (2, 3), (0, 1), "float32", None, None, True),
    TensorSpec("x", (), (), "int64", None, None, False),
)
_INPUTS = (FOLDER / "x.npy", FOLDER / "x.bin", FOLDER / "x.npz")


def one_tensor_file(content: bytes) -> None:
    if not content:
        return
    choice, content = content[0], content[1:]
    path = _INPUTS[choice % 3]
    path.write_bytes(content)
    if choice % 3 == 2:
        samples = refused_in_words(lambda: data.load_npz(path, 3))
        if isinstance(samples, data.Samples):
            refused_in_words(lambda: data.as_model_input(samples.inputs, (1, 3, 2, 2)))
        return
    for wanted in _SPECS:
        held = refused_in_words(lambda wanted=wanted: tensor_files.read_input(path, wanted))
        assert held is None or len(held) == wanted.nbytes  # type: ignore[arg-type]


def tensor_seeds() -> dict[str, bytes]:
    arrays = {
        "nchw": np.zeros((1, 3, 2, 2), np.int8),
        "nhwc": np.zeros((1, 2, 2, 3), np.int8),
        "float": np.ones((2, 3), np.float32),
        "big_endian": np.ones((2, 3), ">f4"),
        "fortran": np.asfortranarray(np.ones((2, 3), np.float32)),
        "number": np.array(7),
        "text": np.array(["a"]),
        "fields": np.zeros(2, [("a", "i1")]),
    }
    seeds = {}
    for name, array in arrays.items():
        with io.BytesIO() as file:
            np.save(file, array)
            seeds[name] = b"\0" + file.getvalue()
    seeds["raw"] = b"\1" + bytes(12)
    for name, kind in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with io.BytesIO() as file:
            with zipfile.ZipFile(file, "w", kind) as archive:
                archive.writestr("x.npy", seeds["nchw"][1:])
                archive.writestr("y.npy", seeds["number"][1:])
            seeds[name] = b"\2" + file.getvalue()
    return seeds


_NPY_TOKENS = (
    *(
        b"\x93NUMPY\x01\0",
        b"\x93NUMPY\x02\0",
        b"\x93NUMPY\x03\0",
        b"'descr': ",
        b"'shape': ",
        b"(-1,)",
    ),
    *(
        b"'fortran_order': ",
        b"True",
        b"'|O'",
        b"'<f8'",
        b"'|S0'",
        b"'<U4'",
        b"()",
        b"(1<<62,)",
        b"'|V8'",
    ),
    *(b"(4294967296, 4294967296)", b"(99999999999,)", b"(0, 99999999999)", b"'<M8[us]'", b"None"),
    *(
        b"PK\x01\x02",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\xff\xff\xff\xff",
        b"x.npy",
        b"y.npy",
        b"((((",
    ),
)

# --- state -------------------------------------------------------------------------------------

_MANIFEST = FOLDER / manifest.MANIFEST
_STATE_FOLDER = FOLDER / last_build.OUT_NAME
_ELF = FOLDER / "fuzz.elf"


def one_state(content: bytes) -> None:
    if not content:
        return
    if content[0] % 2 == 0:
        _MANIFEST.parent.mkdir(exist_ok=True)
        _MANIFEST.write_bytes(content[1:])
        refused_in_words(lambda: manifest.read_manifest(FOLDER))
        refused_in_words(lambda: place.load_project(FOLDER))
        return
    _STATE_FOLDER.mkdir(exist_ok=True)
    (_STATE_FOLDER / "last.json").write_bytes(content[1:])
    (_STATE_FOLDER / "last.pte").write_bytes(b"pte")
    (_STATE_FOLDER / "last_exported.pte").write_bytes(b"pte")
    _ELF.write_bytes(b"elf")
    refused_in_words(lambda: last_build.load_last_build(FOLDER))


def state_seeds() -> dict[str, bytes]:
    tensor = vars(_SPECS[0])
    artifact = {
        "name": "m",
        "sha256": hashlib.sha256(b"pte").hexdigest(),
        "source_sha256": "",
        "method_name": "forward",
        "inputs": [tensor],
        "outputs": [tensor],
        "operators": [{"name": "a::b", "calls": 1, "int8": True, "layers": ["l"]}],
        "planned_buffers": [16],
        "method_bytes": 1,
        "temp_bytes": 0,
        "macs": 1,
        "isa": "dsp",
        "io": "int8",
        "executorch_version": "1",
        "stripped_bytes": 0,
        "softmax_output": False,
        "profile_model": "m",
    }
    files = {"root": "/r", "manifest": {}, "firmware_id": "0", "board_id": "b"}
    image = {
        "project": {**files, "model_name": "m", "env_name": "b"},
        "elf": str(_ELF),
        "bin": None,
        **dict.fromkeys(("flash_bytes", "ram_bytes", "engine_bytes", "model_bytes"), 1),
        "static_ram_bytes": 1,
        "sections": {".text": 1},
        **dict.fromkeys(("toolchain", "flags", "log_path", "firmware_id"), "x"),
    }
    last = {
        "schema": last_build.SCHEMA,
        "model": "m",
        "board": "b",
        "io": None,
        "calibrate": None,
        "artifact": artifact,
        "exported": artifact,
        "image": image,
        "elf_sha256": hashlib.sha256(b"elf").hexdigest(),
    }
    listed = {"schema": 1, "files": {"a": "0"}, "firmware_id": "0", "board": "b", "model": "m"}
    listed |= {"env": "b", "pte_bytes": 1, "pte_sha256": "0"}
    return {
        "last": b"\1" + json.dumps(last).encode(),
        "manifest": b"\0" + json.dumps(listed).encode(),
    }


_JSON_TOKENS = (
    *(
        b'"',
        b'":',
        b"{}",
        b"[]",
        b"[[",
        b'{"',
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b"NaN",
        b"0",
        b"]",
    ),
    *(
        b"Infinity",
        b"99999999999999999999",
        b"\\ud800",
        b"\\u0000",
        b"\xff",
        b'"isa":',
        b'"image":',
    ),
)

TARGETS = {
    "board": Target(one_board, board_seeds, _TOML_TOKENS),
    "config": Target(one_config, config_seeds, _TOML_TOKENS),
    "tensors": Target(one_tensor_file, tensor_seeds, _NPY_TOKENS),
    "state": Target(one_state, state_seeds, _JSON_TOKENS),
}
