# SPDX-License-Identifier: BSD-3-Clause
"""`--runtime PREFIX`, with a prefix made of our own sources: no Arm build of ExecuTorch is at hand.

What can be held without one: the application compiles against the wheel's headers
alone and calls only what ExecuTorch's own library exports.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from upstream_prefix import FLAGS, archive, copy_headers, make_prefix

from mcugen.base.errors import ConfigError, ToolMissingError, UnsupportedOperatorError
from mcugen.base.resources import executorch_include_dir, firmware_dir
from mcugen.boards.load import load_board
from mcugen.program.read import read_pte
from mcugen.project.upstream import find_runtime

ROOT = Path(__file__).resolve().parents[3]
NET = ROOT / "tests" / "golden" / "nets" / "net_0_m4.pte"
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
    prefix = small_prefix(tmp_path / "m4")

    assert [archive.path.name for archive in find_runtime(prefix, M4).archives] == [
        "libexecutorch.a",
        "libexecutorch_core.a",
    ]
    with pytest.raises(ToolMissingError, match="is for Arm v7E-M, which the cortex-m3 of qemu-m3"):
        find_runtime(prefix, load_board("qemu-m3"))
    soft = small_prefix(tmp_path / "soft", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
    hard = small_prefix(
        tmp_path / "hard", *M4.machine_flags, code="float half(float x) { return x / 2; }"
    )
    assert find_runtime(hard, M4)
    assert find_runtime(soft, M4)  # it has no floats to pass
    softfp = small_prefix(
        tmp_path / "softfp",
        *("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"),
        code="float half(float x) { return x / 2; }",
    )
    with pytest.raises(ToolMissingError, match="passes floats in core registers"):
        find_runtime(softfp, M4)


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


@pytest.mark.toolchain
@needs_compiler
def test_operators_that_nothing_registers_are_named(tmp_path: Path) -> None:
    """A library that registers has constructors, and is linked as a whole."""
    prefix = small_prefix(tmp_path)
    source = tmp_path / "register.cpp"
    source.write_text(
        'int one(const char*);\nstatic int registered = one("aten::one.out");\n'
        "int use() { return registered; }\n"
    )
    archive(prefix / "lib" / "libportable_ops_lib.a", [source], M4.machine_flags)

    runtime = find_runtime(prefix, M4)

    assert {a.path.name for a in runtime.archives if a.whole} == {"libportable_ops_lib.a"}
    runtime.check_operators(["aten::one.out"])
    with pytest.raises(UnsupportedOperatorError, match=r"no kernel for aten::one, aten::two\.out"):
        runtime.check_operators(["aten::one.out", "aten::two.out", "aten::one"])
    with pytest.raises(UnsupportedOperatorError) as caught:
        runtime.check_operators(["aten::one.out", "mcugen::quantized_gru.out"])
    assert caught.value.hint == "ExecuTorch has no operators of mcugen's own: leave out --runtime."


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


@pytest.mark.toolchain
@needs_compiler
@pytest.mark.qemu
def test_project_with_libraries_of_executorchs_names_runs(
    mcugen, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed")
    artifact = read_pte(NET.read_bytes(), name="net")
    names = [use.name for use in artifact.operators]
    prefix = make_prefix(tmp_path_factory.mktemp("prefix"), M4, names)

    done = mcugen(
        *("run", str(NET), "--board", "qemu-m4", "--runs", "1", "--json"),
        *("--runtime", str(prefix)),
        cwd=tmp_path,
    )

    report = json.loads(done.stdout)
    assert report["verify"]["bit_exact"] == report["verify"]["samples"] > 0
    root = Path(report["project"])
    root = root if root.is_absolute() else tmp_path / root
    assert not (root / "lib" / "mcugen_kernels").exists()
    assert not (root / "lib" / "mcugen_runtime" / "runtime").exists()
    assert not (root / "lib" / "mcugen_runtime" / "ops").exists()
    assert (root / "lib" / "executorch" / "libexecutorch.a").is_file()
