# SPDX-License-Identifier: BSD-3-Clause
"""kernels/math_f32.h and trig_f32.h against 80-bit floats, over all magnitudes and C's limits."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
KERNELS = [FIRMWARE / "kernels" / name for name in ("math_f32.cpp", "trig_f32.cpp")]
FUNCTIONS = [
    name
    for kernel in KERNELS
    for name in re.findall(
        r"^float (\w+)_f32\(float x\);", kernel.with_suffix(".h").read_text(), re.M
    )
]

Float = np.longdouble
Function = Callable[[np.ndarray], np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _sine(x: np.ndarray, *, turns: int = 0) -> np.ndarray:
    """sin(x + turns * pi / 2), reduced with 300 bits of pi: numpy's loses large angles' bits."""
    # pi by Machin's formula in integers
    bits = 300

    def arctan_inverse(n: int) -> int:
        term = total = (1 << bits + 32) // n
        k = 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    quarter = (4 * arctan_inverse(5) - arctan_inverse(239)) * 2 >> 32  # pi / 2
    result = np.empty(x.shape, Float)
    for i, value in enumerate(x):
        if not np.isfinite(value):
            result[i] = np.nan
            continue
        numerator, denominator = float(value).as_integer_ratio()
        scaled = (numerator << bits) // denominator
        count, rest = divmod(scaled + quarter // 2, quarter)
        rest = Float(rest - quarter // 2) / Float(2) ** bits
        phase = (count + turns) % 4
        part = np.cos(rest) if phase % 2 else np.sin(rest)
        result[i] = -part if phase >= 2 else part
    return result


REFERENCES: dict[str, Function] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": _sine,
    "cos": lambda x: _sine(x, turns=1),
    "tan": lambda x: _sine(x) / _sine(x, turns=1),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": lambda x: np.array([math.erf(float(value)) for value in x], Float),
    "sigmoid": _sigmoid,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round": np.rint,
}
EXACT = {"sqrt", "floor", "ceil", "trunc", "round"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    folder = tmp_path_factory.mktemp("math")
    lines = [*(f"#include <kernels/{kernel.name}>" for kernel in KERNELS), 'extern "C" {']
    for name in FUNCTIONS:
        lines.append(f"void {name}_all(const float* x, float* y, int n) {{")
        lines.append(f"  for (int i = 0; i < n; ++i) y[i] = mcugen::{name}_f32(x[i]); }}")
    for name in ("pow", "atan2", "fmod"):
        lines.append(f"void {name}_all(const float* a, const float* b, float* y, int n) {{")
        lines.append(f"  for (int i = 0; i < n; ++i) y[i] = mcugen::{name}_f32(a[i], b[i]); }}")
    source = folder / "math.cpp"
    source.write_text("\n".join([*lines, "}"]))
    subprocess.run(
        [
            *("g++", "-std=gnu++17", "-O2", "-ffp-contract=off", "-fsanitize=undefined"),
            *("-fno-sanitize-recover=all", "-shared", "-fPIC", f"-I{FIRMWARE}"),
            *(str(source), "-o", str(folder / "math.so")),
        ],
        check=True,
    )
    return ctypes.CDLL(str(folder / "math.so"))


def call(library: ctypes.CDLL, name: str, *inputs: np.ndarray) -> np.ndarray:
    result = np.empty_like(inputs[0])
    arrays = [array.ctypes.data_as(ctypes.c_void_p) for array in (*inputs, result)]
    getattr(library, f"{name}_all")(*arrays, len(result))
    return result


def samples(count: int) -> np.ndarray:
    """Floats of every magnitude, many near 1, special ones, and where formulas change."""
    rng = np.random.default_rng(7)
    special = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        0.34,
        1e-45,
    ]
    special += [-1e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 88.72283, 88.72284, -87.33655]
    special += [
        -103.97208,
        -103.97209,
        0.7853982,
        1.5707964,
        3.1415927,
        16367173 * 2.0**72,
        8388607.5,
    ]
    return np.concatenate(
        [
            np.array(special, np.float32),
            np.nextafter(np.float32(1), np.float32([0, 2])),
            rng.integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32).view(np.float32),
            rng.uniform(-8, 8, count).astype(np.float32),
            rng.normal(0, 1, count).astype(np.float32),
            rng.uniform(-110, 110, count).astype(np.float32),
            (1 + rng.normal(0, 1e-3, count)).astype(np.float32),
            (np.pi / 2 * rng.integers(-9999, 9999, count)).astype(np.float32),
        ]
    )


def distance(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return by how many floats `got` misses `exact`; infinite for another kind of number."""
    with np.errstate(all="ignore"):
        nearest = exact.astype(np.float32)
        spacing = np.maximum(np.spacing(np.abs(nearest)).astype(Float), Float(2) ** -149)
        off = np.abs(got.astype(Float) - exact) / spacing
        off[np.isnan(got) & np.isnan(exact)] = 0
        off[got == nearest] = np.minimum(off[got == nearest], 0.5)
        off[np.isinf(nearest) & (got == nearest)] = 0
        off[np.isnan(off)] = np.inf
    return off


def test_every_function_has_a_reference() -> None:
    assert set(FUNCTIONS) == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_is_within_one_ulp(library: ctypes.CDLL, name: str) -> None:
    x = samples(2000 if name in ("sin", "cos", "tan") else 20000)
    got = call(library, name, x)
    with np.errstate(all="ignore"):
        exact = REFERENCES[name](x.astype(Float))

    off = distance(got, exact)

    worst = int(np.argmax(off))
    # One ulp is promised; what is computed in double is right to half of one and a trace.
    assert off[worst] <= 0.51, f"{name}({x[worst]!r}) = {got[worst]!r}, {exact[worst]}"
    if name in EXACT:
        same = got.view(np.uint32) == exact.astype(np.float32).view(np.uint32)
        assert np.all(same | np.isnan(exact))


@pytest.mark.parametrize("name", ["asin", "atan", "asinh", "atanh", "sin", "tan", "sinh", "tanh"])
@pytest.mark.parametrize("x", [0.0, -0.0])
def test_odd_functions_keep_the_sign_of_zero(library: ctypes.CDLL, name: str, x: float) -> None:
    got = call(library, name, np.array([x], np.float32))

    assert got.tobytes() == np.array([x], np.float32).tobytes()


def pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    special = np.array(
        [
            *(0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, np.inf, -np.inf, np.nan),
            *(1e38, 16777215.0, 16777216.0, 8388609.0, 1e-45, -1e-45),
        ],
        np.float32,
    )
    a, b = np.meshgrid(special, special)
    bits = rng.integers(0, 1 << 32, (2, count), dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = rng.normal(0, 4, (2, count)).astype(np.float32)
    near[1, ::3] = np.rint(near[1, ::3])
    return (
        np.concatenate([a.ravel(), bits[0], near[0], np.abs(near[0])]),
        np.concatenate([b.ravel(), bits[1], near[1], near[1]]),
    )


@pytest.mark.parametrize(
    "name,reference", [("pow", np.power), ("atan2", np.arctan2), ("fmod", np.fmod)]
)
def test_functions_of_two(
    library: ctypes.CDLL, name: str, reference: Callable[..., np.ndarray]
) -> None:
    a, b = pairs(20000)
    got = call(library, name, a, b)
    with np.errstate(all="ignore"):
        exact = reference(a.astype(Float), b.astype(Float))

    off = distance(got, exact)

    worst = int(np.argmax(off))
    assert off[worst] <= 0.51, f"{name}({a[worst]!r}, {b[worst]!r}) = {got[worst]!r}"
    zero = (exact == 0) & (got == 0)
    assert np.array_equal(np.signbit(got[zero]), np.signbit(exact[zero]))
    if name == "fmod":
        assert np.all((got == exact) | np.isnan(exact))


#: QEMU's machine and the compiler's flags: no FPU, one for floats, one for doubles too.
CORES = {
    "m0plus": ("mps2-an385", ["-mcpu=cortex-m0plus"]),
    "m4": ("mps2-an386", ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]),
    "m7": ("mps2-an500", ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"]),
}


@pytest.fixture(scope="module")
def host_bits(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    program = tmp_path_factory.mktemp("bits") / "bits"
    _build_bits("g++", ["-O2"], program)
    bits = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert len(set(bits.splitlines())) == 27  # one per function
    return bits


def _build_bits(compiler: str, flags: list[str], output: Path) -> None:
    sources = [Path(__file__).with_name("math_bits.cpp"), *KERNELS]
    common = ["-std=gnu++17", "-ffp-contract=off", f"-I{FIRMWARE}", "-o", str(output)]
    subprocess.run([compiler, *flags, *common, *map(str, sources)], check=True)


@pytest.mark.parametrize("core", CORES)
def test_every_core_gives_the_same_bits(host_bits: str, core: str, tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    machine, flags = CORES[core]
    script = FIRMWARE.parent / "tests/runtime/qemu.ld"
    flags = [*flags, "-mthumb", "-Os", "-fno-exceptions", "-nostartfiles", "--specs=nano.specs"]
    _build_bits("arm-none-eabi-g++", [*flags, "--specs=nosys.specs", f"-T{script}"], tmp_path / "e")

    done = subprocess.run(
        [
            *("qemu-system-arm", "-M", machine, "-nographic", "-monitor", "none"),
            *("-serial", "none", "-semihosting-config", "enable=on,target=native"),
            *("-kernel", str(tmp_path / "e")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (done.stdout + done.stderr).splitlines() == host_bits.splitlines()
