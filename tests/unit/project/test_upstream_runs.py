# SPDX-License-Identifier: BSD-3-Clause
"""Images with libraries of ExecuTorch's names, built by the command line and run on qemu-m4.

The libraries are like a real Arm build in what made it fail to link or to run: upstream_prefix.py.
They are made once; what differs from test to test is a library or two, so that a test costs a link.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from upstream_prefix import StandIn

from mcugen.base.errors import DeviceError
from mcugen.boards.load import load_board
from mcugen.cli.terminal import Terminal
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.protocol.transcript import Transcript
from mcugen.device.qemu import simulated_console
from mcugen.flow.report.comparison import comparison_text
from mcugen.program.memory import plan_memory
from mcugen.program.operator_table import function_for
from mcugen.program.read import read_pte
from mcugen.project.build import build_project
from mcugen.project.generate import write_project
from mcugen.project.last_build import load_last_build
from mcugen.project.upstream.memory import with_room
from mcugen.project.upstream.prefix import find_runtime

ROOT = Path(__file__).resolve().parents[3]
NET = ROOT / "tests" / "golden" / "nets" / "net_0_m4.pte"
M4 = load_board("qemu-m4")
NAMES = [use.name for use in read_pte(NET.read_bytes(), name="net").operators]
#: What the bundled digits calls beside those.
DIGITS = [
    *("cortex_m::pad.out", "cortex_m::quantized_avg_pool2d.out", "cortex_m::quantized_conv2d.out"),
    "cortex_m::quantized_max_pool2d.out",
]

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.qemu,
    pytest.mark.xdist_group("upstream"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("arm-none-eabi-g++", "qemu-system-arm"))),
        reason="arm-none-eabi-g++ or qemu-system-arm is not installed",
    ),
]

Build = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """An ordinary install for qemu-m4."""
    return StandIn(tmp_path_factory.mktemp("prefix"), M4).make([*NAMES, *DIGITS])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all projects are built: one, so that only what differs is compiled."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def mcugen_with(mcugen, folder: Path) -> Build:
    def command(name: str, prefix: Path, *more: str, exit_code: int = 0) -> dict[str, Any]:
        done = mcugen(
            *(name, str(NET), "--board", "qemu-m4", "--runtime", str(prefix), "--json", *more),
            cwd=folder,
            exit_code=exit_code,
        )
        return {**json.loads(done.stdout), "stderr": done.stderr}

    return command


def linked(folder: Path) -> set[str]:
    return {path.name for path in (project(folder) / "lib" / "executorch").iterdir()}


def project(folder: Path) -> Path:
    [root] = (folder / "mcugen_out").glob("net_0_m4-qemu-m4")
    return root


def test_an_ordinary_install_runs(stand_in: StandIn, folder: Path, mcugen_with: Build) -> None:
    """Position-independent code, snprintf, malloc and a large frame; see upstream_stand_in."""
    report = mcugen_with("run", stand_in.prefix, "--runs", "1")

    assert report["verify"]["bit_exact"] == report["verify"]["samples"] > 0
    # The project registers the kernels: nothing that registers all of them is linked.
    assert linked(folder) == {
        *("libexecutorch.a", "libexecutorch_core.a", "libcortex_m_kernels.a"),
        *("libportable_kernels.a", "libkernels_util_all_deps.a"),
    }
    root = project(folder)
    assert not (root / "lib" / "mcugen_kernels").exists()
    assert not (root / "lib" / "mcugen_runtime" / "runtime").exists()
    assert not (root / "lib" / "mcugen_runtime" / "ops").exists()
    # The large frame was there, and so was room for it.
    assert 3484 < report["firmware"]["stack_peak_bytes"] < report["firmware"]["stack_bytes"] == 8192
    # What the runtime takes is an estimate, and no news; nothing to warn of in the build either.
    assert "warning" not in report["stderr"]
    assert "warning:" not in (root / ".pio" / "mcugen-build.log").read_text()


def test_selected_kernels_run(
    stand_in: StandIn, folder: Path, mcugen_with: Build, tmp_path: Path
) -> None:
    """A selective build whose kernels the project cannot call by name."""
    other = stand_in.copy(tmp_path / "prefix")
    for name in ("cortex_m_kernels", "portable_kernels"):
        other.remove_kernels(name)
    other.make_registering(
        "executorch_selected_kernels", {name: function_for(name) for name in NAMES}
    )
    other.make_registering("cortex_m_ops_lib", {name: function_for(name) for name in NAMES})

    report = mcugen_with("run", other.prefix, "--runs", "1")

    assert report["verify"]["bit_exact"] == report["verify"]["samples"] > 0
    assert "libexecutorch_selected_kernels.a" in linked(folder)
    assert "libcortex_m_ops_lib.a" not in linked(folder)

    # The same with a registry that a constructor finds too small.
    other.make_core(max_kernels=4)
    answer = mcugen_with("run", other.prefix, exit_code=7)
    assert "registers a kernel twice, or more than MAX_KERNEL_NUM: " in answer["error"]


def reports(elf: Path, tmp_path: Path) -> list[str]:
    """Start an image, let it boot unheard, and connect twice; return what it reports."""
    said = []
    with simulated_console(M4, elf) as console:
        assert isinstance(console, SerialConsole)
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            console.read(0.1)
        for number in range(2):
            transcript = Transcript(tmp_path / f"{number}.txt")
            client = Client(console, transcript, Deadlines(5.0, 5.0, 5.0))
            with pytest.raises(DeviceError) as caught:
                client.connect()
            said.append(caught.value.message)
            transcript.close()
    return said


def test_a_registry_that_is_too_small_is_reported_whenever_a_host_asks(
    stand_in: StandIn, folder: Path, mcugen_with: Build, tmp_path: Path
) -> None:
    other = stand_in.copy(tmp_path / "prefix")
    other.make_core(max_kernels=6)

    answer = mcugen_with("run", other.prefix, exit_code=7)
    elf = next((project(folder) / ".pio" / "build").glob("*/firmware.elf"))
    said = reports(elf, tmp_path)

    cause = (
        "ExecuTorch's registry is full at 6 kernels; build it with a larger MAX_KERNEL_NUM for "
        f"{sorted(NAMES)[5]}"
    )
    assert cause in answer["error"]
    assert len(said) == 2 and all(cause in text for text in said)


def test_a_kernel_registered_twice_by_a_constructor_is_reported(
    stand_in: StandIn, folder: Path, mcugen_with: Build, tmp_path: Path
) -> None:
    other = stand_in.copy(tmp_path / "prefix")
    other.make_registering(
        "executorch",
        {"executorch_prim::add.Scalar": "", "executorch_prim::sub.Scalar": ""},
        twice=True,
    )

    answer = mcugen_with("run", other.prefix, exit_code=7)
    elf = next((project(folder) / ".pio" / "build").glob("*/firmware.elf"))

    cause = "a library registers a kernel twice, or more than MAX_KERNEL_NUM: 2 are registered"
    assert cause in answer["error"]
    assert all(cause in text for text in reports(elf, tmp_path))


def test_what_no_library_defines_is_named(
    stand_in: StandIn, mcugen_with: Build, tmp_path: Path
) -> None:
    other = stand_in.copy(tmp_path / "prefix")
    other.library("kernels_util_all_deps").unlink()

    answer = mcugen_with("build", other.prefix, exit_code=6)

    assert "defines what is called: stand_in::heap_refuses()" in answer["error"]
    assert "A library is missing in PREFIX/lib" in answer["hint"]


def test_libraries_that_are_too_big_say_for_which_region(
    stand_in: StandIn, mcugen_with: Build, tmp_path: Path
) -> None:
    """As libportable_ops_lib.a is when it is linked whole: 3.7 MB of text."""
    other = stand_in.copy(tmp_path / "prefix")
    other.make_code(
        "executorch",
        "extern const char text[5u << 20]; const char text[5u << 20] = {1};\n"
        "static const volatile char first = *(const volatile char*)text;\n"
        "int use() { return first; }\n",
    )

    answer = mcugen_with("build", other.prefix, exit_code=4)

    assert "the linked image is too big: region 'ssram1' by " in answer["error"]
    assert "Build ExecuTorch for size" in answer["hint"]
    assert "smaller model" not in answer["hint"]


def test_a_pool_that_is_too_small_comes_with_a_line(
    stand_in: StandIn, folder: Path, tmp_path: Path
) -> None:
    """ExecuTorch's log is compiled out of a build for size: 0x21 would be all there is."""
    artifact = replace(with_room(read_pte(NET.read_bytes(), name="net")), method_bytes=1024)
    runtime = find_runtime(stand_in.prefix, M4)
    plan = plan_memory(artifact, M4)
    image = build_project(write_project(artifact, plan, M4, folder / "small", runtime=runtime), M4)

    with simulated_console(M4, image.elf) as console:
        transcript = Transcript(tmp_path / "transcript.txt")
        info = Client(console, transcript, Deadlines(5.0, 5.0, 5.0)).connect()
        transcript.close()

    assert info.state == "error"
    assert re.fullmatch(
        r"load_method: 0x21 log\.cpp:\d+ method allocator: \d+ B wanted, \d+ of 1024 B left",
        info.error or "",
    )


@pytest.mark.torch
def test_both_runtimes_are_compared(stand_in: StandIn, folder: Path, mcugen) -> None:
    """As a document and in words: bytes, instructions, flash and RAM by part.

    Of a model with an operator that ExecuTorch does not have: the project brings it along.
    """
    done = mcugen(
        *("compare-runtimes", "digits", "--board", "qemu-m4", "--samples", "8", "--runs", "1"),
        *("--runtime", str(stand_in.prefix), "--json"),
        cwd=folder,
    )
    document = json.loads(done.stdout)
    text = comparison_text(document, Terminal())

    ours, theirs = document["runtimes"]["mcugen"], document["runtimes"]["executorch"]
    assert document["schema"] == "mcugen.compare-runtimes/1"
    assert document["equal_samples"] == document["samples"] == theirs["verify"]["bit_exact"] == 8
    # These libraries are our sources, compiled for size and called through one more layer.
    assert theirs["timing"]["counter"] == "instructions"
    assert theirs["timing"]["median"] > ours["timing"]["median"]
    assert theirs["firmware"]["engine_bytes"] > ours["firmware"]["engine_bytes"]
    # Each runtime has its own form of the program. Ours is laid out for the loops that read it.
    standard, packed = (each["firmware"]["model_bytes"] for each in (theirs, ours))
    assert standard < packed < 1.1 * standard
    for each in (ours, theirs):
        assert f"{each['timing']['median']:,}" in text
        assert f"{each['firmware']['engine_bytes']:,}" in text
        assert f"{each['firmware']['ram_bytes']:,}" in text
        assert f"({each['device']['memory']['stack'][0]:,} used)" in text
    assert "8 of 8 samples equal in every byte" in text
    # Only what ExecuTorch does not have is ours.
    library = Path(theirs["project"]) / "lib" / "mcugen_runtime"
    assert [path.name for path in (library / "ops" / "quantized").glob("op_*.cpp")] == [
        "op_quantized_linear.cpp"
    ]
    assert not (library / "runtime").exists()
    # The build that the other commands go on with is ours.
    last = load_last_build(folder)
    assert last.image.project.root == Path(ours["project"])
