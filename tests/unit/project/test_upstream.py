# SPDX-License-Identifier: BSD-3-Clause
"""`--runtime PREFIX` without running anything: what is refused, what is linked, what is called.

The application compiles against the wheel's headers alone and calls only what ExecuTorch's own
library exports; so do the kernels that a project registers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from upstream_prefix import FLAGS, archive, copy_headers

from mcugen.base.errors import ConfigError, ToolMissingError, UnsupportedOperatorError
from mcugen.base.resources import executorch_include_dir, firmware_dir
from mcugen.boards.load import load_board
from mcugen.program import operator_table
from mcugen.program.memory import plan_memory
from mcugen.program.read import read_pte
from mcugen.project.fill import upstream_kernels_context
from mcugen.project.platformio import explain_build_failure
from mcugen.project.render import render
from mcugen.project.upstream.kernels import upstream_kernel
from mcugen.project.upstream.memory import with_room
from mcugen.project.upstream.prefix import find_runtime

ROOT = Path(__file__).resolve().parents[3]
VWW = ROOT / "tests" / "golden" / "mlperf_tiny" / "vww_cm_q_m4.pte"
C10 = "executorch/runtime/core/portable_type/c10"
M4 = load_board("qemu-m4")

needs_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-g++ is not installed"
)


def small_prefix(prefix: Path, *flags: str, code: str = "int answer() { return 42; }") -> Path:
    """The least that looks like an install: headers, and libraries of one function."""
    copy_headers(prefix)
    source = prefix / "one.cpp"
    source.write_text(code)
    for name in ("libexecutorch.a", "libexecutorch_core.a"):
        archive(prefix / "lib" / name, [source], flags or M4.machine_flags)
    return prefix


def test_a_prefix_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        find_runtime(tmp_path / "nothing", M4)


def test_everything_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libexecutorch.a").write_bytes(b"")

    with pytest.raises(ToolMissingError) as caught:
        find_runtime(tmp_path, M4)

    assert "include/executorch, lib/libexecutorch_core.a" in caught.value.message


@pytest.mark.toolchain
@needs_compiler
def test_libraries_for_another_core_are_refused(tmp_path: Path) -> None:
    prefix = small_prefix(tmp_path)

    assert [archive.path.name for archive in find_runtime(prefix, M4).archives] == [
        "libexecutorch.a",
        "libexecutorch_core.a",
    ]
    with pytest.raises(ToolMissingError, match="is for Arm v7E-M, which the cortex-m3 of qemu-m3"):
        find_runtime(prefix, load_board("qemu-m3"))


@pytest.mark.toolchain
@needs_compiler
def test_libraries_without_helium_are_refused_where_the_board_has_it(tmp_path: Path) -> None:
    """An M55 executes what is compiled for an M4, and a model for Helium computes wrong numbers."""
    prefix = small_prefix(tmp_path / "m4")
    m55 = load_board("qemu-m55")

    with pytest.raises(ToolMissingError, match=r"_one\.o\) is compiled without Helium.*are mve"):
        find_runtime(prefix, m55)
    helium = small_prefix(tmp_path / "m55", *m55.machine_flags)
    assert find_runtime(helium, m55)


@pytest.mark.toolchain
@needs_compiler
@pytest.mark.parametrize("abi", ["soft", "softfp"])
@pytest.mark.parametrize("code", ["int answer() { return 42; }", "float f(float x) { return -x; }"])
def test_libraries_of_another_float_abi_are_refused(tmp_path: Path, abi: str, code: str) -> None:
    """The linker refuses objects without a float in them, too, and names none of the causes."""
    flags = ["-mcpu=cortex-m4", "-mthumb", f"-mfloat-abi={abi}"]
    flags += [] if abi == "soft" else ["-mfpu=fpv4-sp-d16"]
    prefix = small_prefix(tmp_path, *flags, code=code)

    with pytest.raises(ToolMissingError) as caught:
        find_runtime(prefix, M4)

    assert "passes floats in core registers; qemu-m4 is built with" in caught.value.message
    assert "-mfloat-abi=hard" in (caught.value.hint or "")


@pytest.mark.toolchain
@needs_compiler
def test_libraries_for_the_host_are_refused(tmp_path: Path) -> None:
    prefix = small_prefix(tmp_path)
    source = tmp_path / "one.cpp"
    subprocess.run(["g++", "-c", str(source), "-o", str(tmp_path / "one.o")], check=True)
    library = prefix / "lib" / "libexecutorch.a"
    library.unlink()
    subprocess.run(["ar", "rcs", str(library), str(tmp_path / "one.o")], check=True)

    with pytest.raises(ToolMissingError, match="holds no code for Arm"):
        find_runtime(prefix, M4)


@pytest.mark.toolchain
@needs_compiler
def test_headers_of_another_version_are_refused(tmp_path: Path) -> None:
    prefix = small_prefix(tmp_path)
    runtime = find_runtime(prefix, M4)
    paths = ["executorch/runtime/core/error.h", "executorch/runtime/core/result.h"]

    runtime.check_headers(paths)
    error_h = prefix / "include" / paths[0]
    error_h.write_bytes(error_h.read_bytes() + b"\n")
    (prefix / "include" / paths[1]).unlink()
    with pytest.raises(ToolMissingError) as caught:
        runtime.check_headers(paths)

    assert f"{paths[0]} differs, {paths[1]} is missing" in caught.value.message


def register(*names: str) -> str:
    """Code whose static constructor registers operators, as far as a library tells."""
    calls = "+".join(f'one("{name}")' for name in names)
    return (
        f"int one(const char*);\nstatic int registered = {calls};\nint use(){{return registered;}}"
    )


def add_library(prefix: Path, name: str, code: str) -> None:
    source = prefix / f"{name}.cpp"
    source.write_text(code)
    archive(prefix / "lib" / f"lib{name}.a", [source], M4.machine_flags)


EXP = "namespace torch::executor::native { int exp_out() { return 1; } }"


@pytest.mark.toolchain
@needs_compiler
def test_kernels_are_registered_by_the_project_where_it_can(tmp_path: Path) -> None:
    """An ordinary install has both, and registering everything fits no board."""
    prefix = small_prefix(tmp_path)
    add_library(prefix, "portable_kernels", EXP)
    add_library(prefix, "portable_ops_lib", register("aten::exp.out", "aten::log.out"))
    runtime = find_runtime(prefix, M4)

    own = runtime.link(["aten::exp.out"])
    theirs = runtime.link(["aten::exp.out", "aten::log.out"])

    assert [kernel.operator for kernel in own.kernels] == ["aten::exp.out"]
    assert "libportable_ops_lib.a" not in {each.path.name for each in own.archives}
    assert theirs.kernels == ()  # the library has both: registered once
    assert "libportable_ops_lib.a" in {each.path.name for each in theirs.archives if each.whole}


@pytest.mark.toolchain
@needs_compiler
def test_selected_kernels_are_preferred_to_all(tmp_path: Path) -> None:
    prefix = small_prefix(tmp_path)
    add_library(prefix, "portable_ops_lib", register("aten::exp.out", "aten::log.out"))
    add_library(prefix, "executorch_selected_kernels", register("aten::exp.out"))

    linked = find_runtime(prefix, M4).link(["aten::exp.out"])

    assert {each.path.name for each in linked.archives if each.whole} == {
        "libexecutorch_selected_kernels.a"
    }


@pytest.mark.toolchain
@needs_compiler
def test_a_kernel_registered_by_two_libraries_is_refused(tmp_path: Path) -> None:
    """ExecuTorch would abort at boot, before a host can be there to hear why."""
    prefix = small_prefix(tmp_path)
    add_library(prefix, "cortex_m_ops_lib", register("cortex_m::pad.out", "aten::exp.out"))
    add_library(prefix, "executorch_selected_kernels", register("aten::exp.out", "aten::log.out"))
    runtime = find_runtime(prefix, M4)

    assert runtime.link(["cortex_m::pad.out"])  # one will do
    with pytest.raises(ToolMissingError) as caught:
        runtime.link(["cortex_m::pad.out", "aten::log.out"])

    assert caught.value.message == (
        "libexecutorch_selected_kernels.a and libcortex_m_ops_lib.a both register aten::exp.out: "
        "ExecuTorch aborts at boot when a kernel is registered twice"
    )


@pytest.mark.toolchain
@needs_compiler
def test_operators_without_a_kernel_are_named(tmp_path: Path) -> None:
    prefix = small_prefix(tmp_path)
    add_library(prefix, "portable_kernels", EXP)
    runtime = find_runtime(prefix, M4)

    with pytest.raises(UnsupportedOperatorError, match=r"no kernel for aten::log\.out, aten::sin"):
        runtime.link(["aten::exp.out", "aten::log.out", "aten::sin.out"])
    # Ours are brought along.
    assert runtime.link(["aten::exp.out", "mcugen::quantized_gru.out"]).ours == (
        "mcugen::quantized_gru.out",
    )


def test_vww_fits_the_nucleo_with_room_for_executorchs_runtime() -> None:
    """As it did when measured (docs/upstream.md): 129,520 of 131,072 B."""
    artifact = with_room(read_pte(VWW.read_bytes(), name="vww"))

    plan = plan_memory(artifact, load_board("nucleo"))

    assert plan.stack_bytes == 8192
    assert plan.temp_bytes == 1024
    assert 1.25 * 11668 + 512 <= plan.method_bytes < 1.25 * 11668 + 512 + 16


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """firmware/app compiled with the wheel's headers, the port's contracts and nothing else."""
    folder = tmp_path_factory.mktemp("application")
    root = folder / "include"
    root.mkdir()
    for name in ("app", "port"):
        (root / name).symlink_to(firmware_dir() / name)
    include = executorch_include_dir()
    for source in sorted((firmware_dir() / "app").rglob("*.cpp")):
        command = ["arm-none-eabi-g++", *M4.machine_flags, *FLAGS, f"-I{root}"]
        command += ["-isystem", str(include), "-isystem", str(include / C10)]
        relative = source.relative_to(firmware_dir()).as_posix().replace("/", "_")
        done = subprocess.run(
            [*command, "-c", str(source), "-o", str(folder / f"{relative}.o")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return folder


def functions(nm: str, *arguments: str, kinds: str) -> set[str]:
    """Names without arguments, whose types differ between 32 and 64 bits."""
    text = subprocess.run([nm, "-C", *arguments], capture_output=True, text=True, check=True).stdout
    names = re.findall(rf"^[0-9a-f ]* [{kinds}] (.*)$", text, re.MULTILINE)
    return {re.sub(r"\[abi:\w+\]|\(.*", "", name) for name in names}


@pytest.mark.toolchain
@needs_compiler
def test_application_calls_only_what_executorch_exports(application: Path) -> None:
    library = executorch_include_dir().parent / "lib" / "libexecutorch.so"
    if not library.is_file():
        pytest.skip("the wheel for this machine has no shared library")
    objects = [str(path) for path in application.glob("*.o")]

    wanted = functions("arm-none-eabi-nm", *objects, kinds="U")
    inline = functions("arm-none-eabi-nm", *objects, kinds="WV")
    defined = functions("arm-none-eabi-nm", *objects, kinds="T")
    exported = functions("nm", "-D", "--defined-only", str(library), kinds="TWV")

    calls = {name for name in wanted if re.match(r"(vtable for )?(executorch|torch|et_pal)", name)}
    assert {"executorch::runtime::Program::load", "executorch::runtime::Method::execute"} <= calls
    assert calls - inline - defined <= exported
    # What else is missing is the board's, the generated files', or the C library's.
    assert not [name for name in wanted if "mcugen::ops" in name or "flatbuffer" in name]


def test_kernels_are_declared_as_executorch_defines_them(tmp_path: Path) -> None:
    """Compiled for this machine, every kernel that is called is one that the wheel exports.

    Of the Cortex-M kernels it has no library; those are declared by the same generator.
    """
    libraries = [
        executorch_include_dir().parent / "lib" / f"libexecutorch_kernels_{name}.so"
        for name in ("optimized", "quantized")
    ]
    if not all(path.is_file() for path in libraries) or shutil.which("g++") is None:
        pytest.skip("the wheel for this machine has no shared libraries, or there is no g++")
    found = [upstream_kernel(name) for name in operator_table.names()]
    kernels = [kernel for kernel in found if kernel is not None]
    source = tmp_path / "operators.cpp"
    source.write_text(render(upstream_kernels_context(kernels)))
    include = executorch_include_dir()
    command = ["g++", *FLAGS, "-O0", f"-I{firmware_dir()}", f"-I{include}", f"-I{include / C10}"]

    done = subprocess.run(
        [*command, "-c", str(source), "-o", str(tmp_path / "operators.o")],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    wanted = symbols("-u", str(tmp_path / "operators.o"))
    exported = symbols("-D", "--defined-only", *map(str, libraries))
    called = {name for name in wanted if "5torch8executor6native" in name}
    # Some of the wheel's are optimized ones, which take the same arguments: opt_add_out.
    missing = {
        name
        for name in called - exported
        if re.sub(r"6native(\d+)", lambda m: f"6native{int(m[1]) + 4}opt_", name) not in exported
    }
    assert len(called) >= 210
    assert sorted(missing) == []
    # What has no kernel is registered by the runtime itself, or is ours.
    assert all(
        name.startswith(("executorch_prim::", "mcugen::", "aten::"))
        for name in operator_table.names()
        if upstream_kernel(name) is None
    )


def symbols(*arguments: str) -> set[str]:
    """Mangled names."""
    text = subprocess.run(["nm", *arguments], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in text.splitlines() if len(line.split()) > 1}


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        ("malloc_stats", "A library is missing in PREFIX/lib"),
        ("cortex_m::native::pad_out(long long)", "PREFIX is of another version of ExecuTorch"),
    ],
)
def test_a_link_that_fails_names_what_is_undefined(
    tmp_path: Path, function: str, hint: str
) -> None:
    (tmp_path / "lib" / "executorch").mkdir(parents=True)
    (tmp_path / "lib" / "executorch" / "libexecutorch.a").write_bytes(b"")
    lines = [f"ld: x.o: in function `f': x.cpp:(.text.f+0x4): undefined reference to `{function}'"]

    error = explain_build_failure(tmp_path, [*lines, *lines], "exit status 1")

    assert error.message == f"nothing in lib/executorch defines what is called: {function}"
    assert hint in (error.hint or "")
