# SPDX-License-Identifier: BSD-3-Clause
"""The runtime: on the host under ASan and UBSan (host.cpp), on an emulated Cortex-M4 (arm.cpp)."""

from __future__ import annotations

import os
import random
import re
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcugen.base.errors import ConfigError, PteError
from mcugen.base.resources import executorch_include_dir
from mcugen.program import operator_table
from mcugen.program.schema import parse_schema
from mcugen.program.structure import check_structure
from mcugen.project import schema_codegen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIRMWARE = ROOT / "firmware"
GOLDEN = ROOT / "tests" / "golden" / "mlperf_tiny"
SOURCES = sorted((FIRMWARE / "runtime").rglob("*.cpp"))

COMMON_FLAGS = [
    "-std=gnu++17",
    "-fno-exceptions",
    "-fno-rtti",
    "-Wall",
    "-Wextra",
    "-Wundef",
    "-Wdouble-promotion",
    "-Werror",
    "-DC10_USING_CUSTOM_GENERATED_MACROS",
    "-DET_MIN_LOG_LEVEL=Error",
    f"-I{FIRMWARE}",
    "-isystem",
    str(executorch_include_dir()),
    "-isystem",
    str(executorch_include_dir() / "executorch/runtime/core/portable_type/c10"),
]
SANITIZERS = ["-g1", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
TRACER = "-DET_EVENT_TRACER_ENABLED"
CORTEX_M4 = [
    "-mcpu=cortex-m4",
    "-mfpu=fpv4-sp-d16",
    "-mfloat-abi=hard",
    "-mthumb",
    "-Os",
    "-DNDEBUG",
    "-fno-threadsafe-statics",
    "-ffp-contract=off",
    "-ffunction-sections",
    "-fdata-sections",
]

# Program::load() and load_method(), with what they call; the painted stack's high-water mark.
MOST_STACK_BYTES = 1024
# text of arm.cpp's image: the runtime, a BufferDataLoader, a main of 1.3 KB, memcpy and memset.
MOST_IMAGE_BYTES = 16_000


def as_one(sources: list[Path], folder: Path) -> list[Path]:
    """Return the sources with all but a few as one translation unit: a fraction of the time."""
    alone = [path for path in sources if path.stem in ("minimal", "method_meta")]
    unit = folder / "firmware_runtime.cpp"
    rest = [path.relative_to(FIRMWARE) for path in sources if path not in alone]
    unit.write_text("".join(f"#include <{path}>\n" for path in rest))
    return [unit, *alone]


def build(
    compiler: str,
    flags: list[str],
    main: Path,
    output: Path,
    link: list[str],
    sources: list[Path] = SOURCES,
) -> Path:
    """Compile the runtime and one main, two files at a time."""
    output.parent.mkdir(parents=True, exist_ok=True)

    def compile_one(source: Path) -> str:
        name = source.relative_to(ROOT) if source.is_relative_to(ROOT) else Path(source.name)
        target = str(output.parent / name.with_suffix(".o").as_posix().replace("/", "_"))
        command = [compiler, *flags, *COMMON_FLAGS, "-c", str(source), "-o", target]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return target

    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        objects = list(pool.map(compile_one, [main, *sources]))
    done = subprocess.run(
        [compiler, *flags, *objects, *link, "-o", str(output)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("host")
    flags = [*SANITIZERS, TRACER]
    return build("g++", flags, HERE / "host.cpp", folder / "host", [], as_one(SOURCES, folder))


@pytest.fixture(scope="session")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    link = ["-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--gc-sections"]
    link += ["-Wl,--fatal-warnings", "-T", str(HERE / "qemu.ld")]
    elf = tmp_path_factory.mktemp("arm") / "arm.elf"
    return build("arm-none-eabi-g++", CORTEX_M4, HERE / "arm.cpp", elf, link)


@pytest.fixture(scope="session")
def arm_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """host.cpp for the emulated Cortex-M4, with newlib's semihosting for files and arguments."""
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    folder = tmp_path_factory.mktemp("arm_host")
    flags = [*CORTEX_M4, "-UNDEBUG", "-Wno-psabi", "-DMCUGEN_RUNTIME_FULL=1", TRACER]
    start = folder / "start.o"
    command = ["arm-none-eabi-g++", *flags, "-c", str(HERE / "qemu_host.cpp"), "-o", str(start)]
    subprocess.run(command, check=True)
    link = [str(start), "--specs=rdimon.specs", "-Wl,--gc-sections"]
    link += ["-T", str(HERE / "qemu_host.ld")]
    elf, sources = folder / "host.elf", as_one(SOURCES, folder)
    return build("arm-none-eabi-g++", flags, HERE / "host.cpp", elf, link, sources)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of programs.py."""
    from programs import write

    folder = tmp_path_factory.mktemp("programs")
    write(folder)
    return folder


def run(host: Path, *arguments: object) -> str:
    done = subprocess.run(
        [str(host), *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def metadata_bytes(pte: Path) -> int:
    """Size of the FlatBuffer in front of the segments, from the extended header."""
    return int(struct.unpack_from("<Q", pte.read_bytes(), 16)[0])


def test_generated_reader_is_what_the_wheel_gives() -> None:
    text = (FIRMWARE / "runtime/schema/program_reader.h").read_text(encoding="utf-8")

    assert schema_codegen.render() == text


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("struct S { x: int; } root_type S;", "cannot read"),
        ("table T { x: int (deprecated); } root_type T;", "table T: cannot read"),
        ("table T { x: [T]; } root_type T;", "contains itself"),
        ("table T { x: half; } root_type T;", "unknown type half"),
        ("table T { x: [string]; } root_type T;", "unsupported vector"),
    ],
)
def test_schema_outside_of_the_subset_is_refused(schema: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        schema_codegen._Writer(parse_schema([schema])).text()


def test_formatter_says_what_printf_says(host: Path) -> None:
    run(host, "log")


def test_tensors_registry_and_tags(host: Path) -> None:
    run(host, "units")


def test_every_public_function_is_defined(host: Path, tmp_path: Path) -> None:
    """api.cpp names them, and is linked with the runtime alone."""
    objects = sorted(host.parent.glob("firmware_runtime*.o"))
    command = ["g++", *SANITIZERS, TRACER, *COMMON_FLAGS, str(HERE / "api.cpp")]
    done = subprocess.run(
        [*command, *map(str, objects), "-o", str(tmp_path / "api")], capture_output=True, text=True
    )

    assert objects
    assert done.returncode == 0, done.stderr[-4000:]


def test_where_operators_write_is_where_the_loader_looks() -> None:
    """The rule for outs (README.md, "Hostile files") holds for every operator of firmware/ops."""
    text = (FIRMWARE / "runtime/executor/write_check.cpp").read_text(encoding="utf-8")
    counts = {name: int(n) for name, n in re.findall(r'^    \{"([^"]+)", (\d)\},', text, re.M)}
    expected = {}
    for name in operator_table.names():
        arguments = operator_table.operator(name).arguments
        written = [
            i
            for i, argument in enumerate(arguments)
            if argument.written or argument.name.endswith("scratch")
        ]
        base = name.partition(".")[0]
        if base.endswith("_") and not base.endswith("__"):
            assert written == [0], name
        elif base not in ("executorch_prim::et_view", "executorch_prim::et_copy_index"):
            outs = len(written)
            assert written == list(range(len(arguments) - outs, len(arguments))), name
            if outs > 1 or (outs == 0 and arguments[-1].type.startswith("Tensor")):
                expected[name] = outs

    assert counts == expected


# Functions that the wheel's library has and this runtime has not, all of them private to Method or
# in headers that are not public.
NOT_PUBLIC = {
    "Method::get_num_external_constants",
    "Method::parse_external_constants",
    "Method::parse_values",
    "Method::resolve_operator",
    "ExtendedHeader::Parse",
    "deserialization::getTensorDataPtr",
    "deserialization::get_data_by_key",
    "deserialization::parseTensor",
    "deserialization::parseTensorList",
    "deserialization::validateTensorLayout",
}


def test_nothing_of_the_wheels_library_is_missing(host: Path) -> None:
    """Names only: what ExecuTorch's own build exports from its runtime, and does not inline."""
    library = executorch_include_dir().parent / "lib" / "libexecutorch.so"
    if not library.is_file():
        pytest.skip("the wheel for this machine has no shared library")

    def functions(*arguments: str) -> set[str]:
        command = ["nm", "-C", "--defined-only", *arguments]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        names = re.findall(r"^[0-9a-f]+ T (.*)$", text, re.MULTILINE)
        return {re.sub(r"\[abi:\w+\]|\(.*", "", name) for name in names}

    ours = functions(*map(str, host.parent.glob("firmware_runtime*.o")))
    theirs = {
        name
        for name in functions("-D", str(library))
        if name.startswith("executorch::runtime::") and "::extension::" not in name
    }

    missing = {name.removeprefix("executorch::runtime::") for name in theirs - ours}
    assert len(theirs) > 100
    assert missing <= NOT_PUBLIC


@pytest.mark.torch
def test_api(host: Path, programs: Path) -> None:
    run(host, "api", programs)


@pytest.mark.torch
@pytest.mark.toolchain
@pytest.mark.qemu
def test_the_same_on_an_emulated_cortex_m4(arm_host: Path, programs: Path) -> None:
    """All but the formatter's test: newlib's printf, which it compares with, lacks `%zu`."""
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed")
    commands = [["units"], ["api", programs], ["errors", programs, HERE / "errors.txt"]]
    commands += [["flip", programs / "methods.pte", 3, 300, 0]]
    for arguments in commands:
        words = ",".join(f"arg={word}" for word in ["host", *arguments])
        command = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none"]
        command += ["-serial", "none", "-icount", "shift=0", "-kernel", str(arm_host)]
        command += ["-semihosting-config", f"enable=on,target=native,{words}"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-4000:]}{done.stderr[-4000:]}"


@pytest.mark.torch
def test_each_fault_has_its_error_and_one_log_line(host: Path, programs: Path) -> None:
    output = run(host, "errors", programs, HERE / "errors.txt")

    faults = {path.stem for path in programs.glob("bad_*.pte")}
    assert faults == set(re.findall(r"^(bad_\w+):", output, re.MULTILINE))


def test_loads_the_mlperf_tiny_programs(host: Path) -> None:
    """Everything the programs refer to is read and written by a kernel that stands in for all."""
    files = sorted(GOLDEN.glob("*.pte"))

    output = run(host, "golden", *files)

    assert len(files) == 16
    assert len(re.findall(r": 0x0, \d+ bytes", output)) == 16


def test_the_host_finds_damaged_what_the_firmware_does(host: Path, tmp_path: Path) -> None:
    """A generated project does not walk its file: the generator has, with the same verdict."""
    pte = GOLDEN / "kws_cm_m4.pte"
    good, end = pte.read_bytes(), metadata_bytes(pte)
    rng = random.Random(1)
    files = [pte]
    for number in range(600):
        damaged = bytearray(good[:end])
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(32, end)
            flipped = damaged[at] ^ 1 << rng.randrange(8)
            damaged[at] = rng.choice((0, 1, rng.randrange(256), flipped))
        struct.pack_into("<Q", damaged, 16, end)
        files.append(tmp_path / f"{number}.pte")
        files[-1].write_bytes(damaged)

    theirs = run(host, "verify", *files).splitlines()

    ours = []
    for path in files:
        try:
            check_structure(path.read_bytes(), name="x")
            ours.append("sound")
        except PteError as error:
            assert re.fullmatch(r"x: damaged: byte -?0x\w+, in its \w+", error.message)
            ours.append("damaged")
    assert ours == theirs
    assert ours[0] == "sound"
    assert ours.count("damaged") > 100


@pytest.mark.torch
def test_truncated_files_are_refused(host: Path, programs: Path) -> None:
    run(host, "truncate", programs / "methods.pte", 1)
    run(host, "truncate", GOLDEN / "kws_cm_q_m4.pte", 509)


@pytest.mark.torch
@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_are_refused_or_harmless(host: Path, programs: Path, seed: int) -> None:
    """Flipped bits and swapped words: an Error with one log line, or it runs within its memory."""
    run(host, "flip", programs / "methods.pte", seed, 5000, 0)
    run(host, "flip", programs / "inline.pte", seed, 3000, 0)
    pte = GOLDEN / "kws_cm_m4.pte"
    run(host, "flip", pte, seed, 400, metadata_bytes(pte))


def emulate(arm: Path, pte: Path, folder: Path) -> str:
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed")
    data = pte.read_bytes()
    blob = folder / "blob.bin"
    blob.write_bytes(struct.pack("<I12x", len(data)) + data)
    command = ["qemu-system-arm", "-M", "mps2-an386", "-semihosting", "-nographic"]
    command += ["-monitor", "none", "-serial", "none", "-icount", "shift=0", "-kernel", str(arm)]
    command += ["-device", f"loader,file={blob},addr=0x21000000,force-raw=on"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


@pytest.mark.torch
@pytest.mark.toolchain
@pytest.mark.qemu
def test_predicted_method_memory_is_what_is_used(arm: Path, programs: Path, tmp_path: Path) -> None:
    """method_allocator_bytes() to the byte, for every method of every file; and the stack."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    from mcugen.program.runtime_layout import method_allocator_bytes

    used, predicted, stack = {}, {}, {}
    for pte in [programs / "methods.pte", *sorted(GOLDEN.glob("*.pte"))]:
        output = emulate(arm, pte, tmp_path)
        for method, size, depth in re.findall(r"(\w+) method_bytes=(\d+) stack=(\d+)", output):
            used[pte.stem, method] = int(size)
            stack[pte.stem, method] = int(depth)
        stack[pte.stem, "Program::load"] = int(re.findall(r"program stack=(\d+)", output)[0])
        program = deserialize_pte_binary(pte.read_bytes()).program
        for plan in program.execution_plan:
            predicted[pte.stem, plan.name] = method_allocator_bytes(program, plan.name)

    assert len(used) > 16
    assert used == predicted
    assert max(stack.values()) <= MOST_STACK_BYTES, stack
    with pytest.raises(PteError, match="no method 'nothing'"):
        method_allocator_bytes(program, "nothing")


@pytest.mark.toolchain
def test_image_is_small_and_without_heap(arm: Path) -> None:
    size = subprocess.run(
        ["arm-none-eabi-size", str(arm)], capture_output=True, text=True, check=True
    ).stdout.split()
    symbols = subprocess.run(
        ["arm-none-eabi-nm", str(arm)], capture_output=True, text=True, check=True
    ).stdout
    names = {line.split()[-1] for line in symbols.splitlines()}

    assert int(size[6]) <= MOST_IMAGE_BYTES, f"{size[6]} bytes of text"
    # A guard is what a static with a constructor needs; the linker script refuses .init_array.
    assert not [name for name in names if name.startswith("_ZGV")]
    assert not names & {"malloc", "_malloc_r", "free", "_sbrk", "printf", "vsnprintf", "raise"}
