# SPDX-License-Identifier: BSD-3-Clause
"""Builds by PlatformIO with no network: right, quick, and clear when they fail."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sample_project import SAMPLE_FIRMWARE, SAMPLE_PTE, use_sample_firmware, write_sample

from mcugen.base import toolchain
from mcugen.base.errors import BuildError, DoesNotFitError, FlashError, ToolMissingError
from mcugen.base.resources import firmware_dir
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.spec import BoardSpec
from mcugen.project import build, platformio, stamp
from mcugen.project.build import BuiltImage, build_project
from mcugen.project.manifest import FirmwareProject
from mcugen.project.upload import upload

needs_compiler = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        shutil.which(toolchain.COMPILER) is None, reason=f"{toolchain.COMPILER} missing"
    ),
]
needs_qemu = [
    pytest.mark.qemu,
    pytest.mark.skipif(shutil.which(toolchain.QEMU) is None, reason=f"{toolchain.QEMU} missing"),
]
needs_both = [*needs_compiler, *needs_qemu]
Built = Callable[[BoardSpec], tuple[FirmwareProject, BuiltImage]]
SESSION = firmware_dir() / "platform" / "builder" / "qemu_session.py"
NUCLEO = load_board("nucleo")
M4 = load_board("qemu-m4")
#: The sample has drivers for two families of chips; of these, a board with each core.
ONE_OF_EACH = list(
    {
        (board.bsp, board.cpu): board
        for board in reversed(list_boards())
        if (SAMPLE_FIRMWARE / "bsp" / board.bsp).is_dir()
    }.values()
)


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One empty home for all builds of this file: SCons is staged once, objects are shared."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def firmware(tmp_path: Path, caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(caches))
    monkeypatch.setenv("MCUGEN_CACHE_DIR", str(caches / "mcugen"))
    for name in list(os.environ):
        if name.startswith("PLATFORMIO_") or name == "MCUGEN_OBJECT_CACHE":
            monkeypatch.delenv(name)
    return use_sample_firmware(tmp_path / "firmware", monkeypatch)


@pytest.fixture
def built(caches: Path, firmware: Path) -> Built:
    """The sample, built for a board once for all tests that leave it as it was."""

    def build_once(board: BoardSpec) -> tuple[FirmwareProject, BuiltImage]:
        written = write_sample(board, caches / board.id)
        return written, build_project(written, board)

    return build_once


def path_without(monkeypatch: pytest.MonkeyPatch, folder: Path, *programs: str) -> None:
    """Put on PATH all that is there now, but for `programs`."""
    folder.mkdir()
    for directory in reversed(os.environ["PATH"].split(os.pathsep)):
        for entry in Path(directory).glob("*"):
            if entry.name not in programs:
                link = folder / entry.name
                link.unlink(missing_ok=True)
                link.symlink_to(entry)
    monkeypatch.setenv("PATH", str(folder))


def fake_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}")
    (folder / name).chmod(0o755)


def ask(state: Path) -> str:
    """Ask the one-page firmware for its id and its sum over the model."""
    port = json.loads(state.read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as console:
        console.sendall(b"?")
        answer = b""
        while not answer.endswith(b"\n"):
            received = console.recv(100)
            assert received, "the console was closed"
            answer += received
    return answer.decode().strip()


def model_sum(pte: bytes) -> str:
    total = 0
    for byte in pte:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return f"{total:08x}"


def uf2_contents(file: bytes, family: int) -> tuple[int, bytes]:
    """Return where a UF2 file begins and what it holds, of blocks in a row."""
    blocks = [file[at : at + 512] for at in range(0, len(file), 512)]
    start = struct.unpack_from("<I", blocks[0], 12)[0]
    for number, block in enumerate(blocks):
        head = (0x0A324655, 0x9E5D5157, 0x2000, start + 256 * number, 256, number)
        assert struct.unpack_from("<8I", block) == (*head, len(blocks), family)
        assert struct.unpack_from("<I", block, 508) == (0x0AB16F30,)
    return start, b"".join(block[32 : 32 + 256] for block in blocks)


class TestImage:
    pytestmark = needs_compiler

    @pytest.mark.parametrize("board", ONE_OF_EACH, ids=lambda b: b.id)
    def test_each_core_builds(self, built: Built, board: BoardSpec) -> None:
        """The real firmware is built for every real board, without a warning, by tests/boards."""
        _, image = built(board)

        assert image.model_bytes == len(SAMPLE_PTE)
        assert image.engine_bytes == image.sections[".text"] + image.sections[".rodata"]
        assert image.sections[".planned_memory"] == 160
        assert image.sections[".method_pool"] == 512
        assert image.sections[".stack"] == 2048
        assert image.static_ram_bytes == 4  # the runtime's one variable
        assert image.ram_bytes == 160 + 512 + 16 + 2048 + 4
        assert 0 < image.flash_bytes < 4096
        assert (image.bin is None) == (board.id == "qemu-m55")
        assert image.elf.with_suffix(".map").is_file()
        assert image.toolchain.startswith("arm-none-eabi-g++ ")
        log = image.log_path.read_text()
        assert "warning" not in log.lower().replace("--warn=no", "")
        if image.bin is not None:  # the loaded sections, and no gap between them
            assert SAMPLE_PTE in image.bin.read_bytes()
            assert image.bin.stat().st_size < image.flash_bytes + 64

    def test_a_uf2_file_lies_beside_the_elf_where_the_board_takes_one(self, built: Built) -> None:
        pico = load_board("rpi_pico")
        assert pico.upload is not None and pico.upload.uf2 is not None
        _, image = built(pico)
        _, other = built(M4)

        start, data = uf2_contents(
            image.elf.with_suffix(".uf2").read_bytes(), pico.upload.uf2.family
        )
        assert start == pico.region_for("code").start
        assert image.bin is not None
        assert data.rstrip(b"\0") == image.bin.read_bytes().rstrip(b"\0")
        assert not other.elf.with_suffix(".uf2").exists()

    def test_same_elf_in_different_folders(
        self, tmp_path: Path, caches: Path, built: Built
    ) -> None:
        """Also where a name has spaces and letters beyond ASCII."""
        _, first = built(NUCLEO)
        second = build_project(write_sample(NUCLEO, tmp_path / "b c" / "é"), NUCLEO)

        assert first.elf.read_bytes() == second.elf.read_bytes()
        assert str(tmp_path).encode() not in second.elf.read_bytes()
        assert str(caches).encode() not in first.elf.read_bytes()

    def test_nothing_changed_is_found_out_without_platformio(
        self, built: Built, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, first = built(M4)
        monkeypatch.setattr(build, "run_pio", None)
        started = time.monotonic()
        _, second = built(M4)

        assert second == first
        assert time.monotonic() - started < 1

    def test_an_upgraded_library_is_built_with(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The compiler stays as it is, and so does the project."""
        real = shutil.which(toolchain.COMPILER)

        def ask(*flags: str) -> str:
            command = [real, *M4.machine_flags, *flags]
            probe = "#include <_newlib_version.h>\n"
            return subprocess.run(
                command, input=probe, capture_output=True, text=True, check=True
            ).stdout

        folder = tmp_path / "toolchain"
        archives = folder / ask("-print-multi-directory").strip()
        archives.mkdir(parents=True)
        header = folder / "_newlib_version.h"
        libraries = [header, archives / "libc_nano.a", archives / "libstdc++_nano.a"]
        for library in libraries:
            known = ask("-M", "-x", "c", "-") + ask(f"-print-file-name={library.name}")
            words = [word for word in known.split() if word.endswith(f"/{library.name}")]
            shutil.copyfile(words[0], library)
        fake_program(
            tmp_path / "bin",
            toolchain.COMPILER,
            f'exec {real} -B "{folder}/" -isystem "{folder}" "$@"\n',
        )
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        written = write_sample(M4, tmp_path / "a")
        first = build_project(written, M4)
        before = first.log_path.stat().st_mtime_ns
        build_project(written, M4)
        assert first.log_path.stat().st_mtime_ns == before
        record = tmp_path / "a/.pio/mcugen-libraries.json"
        for archive in libraries[1:]:
            whole, status = archive.read_bytes(), archive.stat()
            subprocess.run(["arm-none-eabi-ar", "r", archive, __file__], check=True)
            assert stamp.libraries_changed(record), archive
            archive.write_bytes(whole)
            os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
            assert stamp.libraries_changed(record) is False
        header.write_text(header.read_text() + "#define MCUGEN_TEST_NEWER 1\n")
        second = build_project(written, M4)

        # No object is one of before: any source may include a header of it.
        lines = second.log_path.read_text().splitlines()
        object_lines = [line for line in lines if "mcugen_runtime/ops/ops.o" in line]
        assert [line.split()[0] for line in object_lines] == ["Compiling"]

    def test_an_edit_is_built(self, tmp_path: Path) -> None:
        """PlatformIO alone would not relink for the linker script."""
        written = write_sample(M4, tmp_path / "a")
        image = build_project(written, M4)
        for path in ("linker/memory.ld", "src/main.cpp"):
            before = image.elf.read_bytes()
            text = (tmp_path / "a" / path).read_text()
            text = text.replace("__stack_size = 2048", "__stack_size = 4096")
            (tmp_path / "a" / path).write_text(text.replace("== '?'", "== '!'"))
            image = build_project(written, M4)

            assert image.elf.read_bytes() != before, path
            assert image.sections[".stack"] == 4096

    def test_a_damaged_elf_is_built_again(self, built: Built) -> None:
        """As left by a crash: PlatformIO's own records say it is fine."""
        written, image = built(M4)
        whole = image.elf.read_bytes()
        image.elf.write_bytes(whole[:1000])

        assert build_project(written, M4).elf.read_bytes() == whole


class TestSharedObjects:
    pytestmark = needs_compiler

    def test_another_project_compiles_only_what_was_generated(
        self, tmp_path: Path, built: Built
    ) -> None:
        built(NUCLEO)
        image = build_project(write_sample(NUCLEO, tmp_path / "b", pte=b"other model"), NUCLEO)
        lines = image.log_path.read_text().splitlines()

        compiled = {line.split("/", 3)[3] for line in lines if line.startswith("Compiling")}
        assert compiled == {f"src/{name}.o" for name in ("app_config", "board_config", "model_pte")}

    def test_another_set_of_sources_in_the_same_folder_compiles_only_what_is_new(
        self, tmp_path: Path, firmware: Path
    ) -> None:
        """PlatformIO wipes the build folder then; what is shared comes from the cache."""

        def compiled() -> set[str]:
            image = build_project(write_sample(M4, tmp_path / "a"), M4)
            lines = image.log_path.read_text().splitlines()
            paths = [line.split("/", 3)[3] for line in lines if line.startswith("Compiling")]
            return {path.split("/", 1)[1] for path in paths if not path.startswith("src/")}

        compiled()
        (firmware / "kernels" / "more.h").write_text("int more();\n")
        (firmware / "kernels" / "more.cpp").write_text(
            "#include <kernels/more.h>\nint more() { return 1; }\n"
        )
        main = firmware / "app" / "main.cpp"
        without = main.read_text()
        main.write_text(
            without.replace("<kernels/sum.h>", "<kernels/sum.h>\n#include <kernels/more.h>")
        )

        assert compiled() == {"mcugen_kernels/kernels/more.o"}
        main.write_text(without)
        assert compiled() == set()
        assert not (tmp_path / "a/lib/mcugen_kernels/kernels/more.cpp").exists()

    def test_a_project_without_kernels_builds(self, tmp_path: Path, firmware: Path) -> None:
        """A library of headers alone, or of nothing."""
        main = firmware / "app" / "main.cpp"
        main.write_text(
            main.read_text()
            .replace("#include <kernels/sum.h>\n", "")
            .replace("mcugen::sum(config.pte, config.pte_bytes)", "config.pte[0]")
        )
        image = build_project(write_sample(M4, tmp_path / "a"), M4)

        assert [path.name for path in (tmp_path / "a/lib/mcugen_kernels").iterdir()] == [
            "library.json"
        ]
        assert SAMPLE_PTE in image.elf.read_bytes()

    def test_boards_with_the_same_core_share_all_but_board_support(
        self, tmp_path: Path, built: Built
    ) -> None:
        built(NUCLEO)
        image = build_project(write_sample(M4, tmp_path / "b"), M4)
        retrieved = [
            line.split("`")[1].split("/", 4)[4].split("'")[0]
            for line in image.log_path.read_text().splitlines()
            if line.startswith("Retrieved")
        ]

        assert "mcugen_kernels/kernels/sum_scalar.o" in retrieved
        assert "mcugen_runtime/ops/ops.o" in retrieved
        assert not [path for path in retrieved if "/bsp/stm32f4/" in path]

    def test_two_models_never_mix(self, tmp_path: Path) -> None:
        """A cache shared between projects once gave a build that said SUCCESS and held the old
        model. Same sizes, same names, same board, back and forth in one project and across two."""
        models = {"a": b"A" * 1000, "b": b"B" * 1000}
        for folder, model in (("x", "a"), ("y", "b"), ("x", "b"), ("x", "a")):
            image = build_project(write_sample(M4, tmp_path / folder, pte=models[model]), M4)
            elf = image.elf.read_bytes()

            assert models[model] in elf
            assert models["b" if model == "a" else "a"][:900] not in elf
            assert image.firmware_id.encode() in elf

    def test_a_changed_header_is_not_taken_from_the_cache(
        self, tmp_path: Path, firmware: Path, built: Built
    ) -> None:
        _, first = built(M4)
        kernel = firmware / "kernels" / "sum.h"
        kernel.write_text(kernel.read_text() + "#define MCUGEN_SUM_FACTOR 33\n")
        source = firmware / "kernels" / "sum_scalar.cpp"
        source.write_text(source.read_text().replace("* 31", "* MCUGEN_SUM_FACTOR"))
        build_project(write_sample(M4, tmp_path / "b"), M4)
        kernel.write_text(kernel.read_text().replace("33", "35"))
        third = build_project(write_sample(M4, tmp_path / "c"), M4)

        assert "Compiling .pio/build/qemu-m4" in third.log_path.read_text()
        assert any(
            line.startswith("Compiling") and line.endswith("kernels/sum_scalar.o")
            for line in third.log_path.read_text().splitlines()
        )
        assert third.elf.read_bytes() != first.elf.read_bytes()

    def test_can_be_switched_off(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MCUGEN_OBJECT_CACHE", "off")
        image = build_project(write_sample(M4, tmp_path / "a"), M4)

        assert "from cache" not in image.log_path.read_text()


class TestFailures:
    @pytest.mark.parametrize(
        ("system", "command"),
        [
            ("debian", "sudo apt install gcc-arm-none-eabi"),
            ("macos", "brew install --cask gcc-arm-embedded"),
        ],
    )
    def test_missing_compiler_is_named_with_how_to_get_it(
        self, system: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mcugen.base.install.this_system", lambda: system)
        written = write_sample(M4, tmp_path / "a")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolMissingError) as caught:
            build_project(written, M4)

        assert caught.value.message == "arm-none-eabi-g++ is not on PATH"
        assert command in (caught.value.hint or "")

    def test_a_compiler_that_does_not_run_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_program(tmp_path / "bin", toolchain.COMPILER, "exit 3\n")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

        with pytest.raises(ToolMissingError, match="does not run"):
            build_project(write_sample(M4, tmp_path / "a"), M4)

    @pytest.mark.toolchain
    def test_plain_pio_without_a_compiler_says_so_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PlatformIO's own answer, offline, is a minute of silence and an empty error."""
        write_sample(M4, tmp_path / "a")
        path_without(monkeypatch, tmp_path / "bin", toolchain.COMPILER)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "platformio", "run", "-d", tmp_path / "a"],
            env=platformio.pio_environment(),
            capture_output=True,
            text=True,
        )

        if "registry cannot be reached" not in done.stderr + done.stdout:
            pytest.skip("PlatformIO's registry answers here")
        assert done.returncode != 0
        assert "apt install gcc-arm-none-eabi" in done.stdout + done.stderr
        assert time.monotonic() - started < 20

    @pytest.mark.toolchain
    def test_compiler_errors_are_shown_and_the_log_is_named(
        self, tmp_path: Path, firmware: Path
    ) -> None:
        (firmware / "app" / "broken.cpp").write_text("int x = no_such_name;\n")
        with pytest.raises(BuildError) as caught:
            build_project(write_sample(M4, tmp_path / "a"), M4)

        assert "broken.cpp:1:9: error: 'no_such_name' was not declared" in caught.value.message
        assert caught.value.log_path == tmp_path / "a/.pio/mcugen-build.log"
        assert "no_such_name" in caught.value.log_path.read_text()
        assert not (tmp_path / "a/.pio/build/qemu-m4/firmware.elf").exists()

    @pytest.mark.toolchain
    def test_an_image_that_does_not_fit_says_by_how_much(self, tmp_path: Path) -> None:
        pte = bytes(600 * 1024)
        with pytest.raises(DoesNotFitError, match=r"region 'flash' by [0-9,]+ B"):
            build_project(write_sample(NUCLEO, tmp_path / "a", pte=pte), NUCLEO)

    @pytest.mark.toolchain
    def test_a_static_constructor_is_an_error(self, tmp_path: Path, firmware: Path) -> None:
        (firmware / "app" / "constructor.cpp").write_text(
            "int f();\nint f() { return 1; }\n"
            "struct S { S() { value = f(); } volatile int value; };\n"
            "S s;\nextern int main();\n"
        )
        startup = firmware / "port" / "cortex_m" / "startup.cpp"
        startup.write_text(
            startup.read_text().replace("  main();", "  extern char s[];\n  s[0] = 1;\n  main();")
        )

        with pytest.raises(BuildError, match="static constructor"):
            build_project(write_sample(M4, tmp_path / "a"), M4)

    @pytest.mark.toolchain
    def test_ctrl_c_ends_everything_and_the_next_build_works(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = shutil.which(toolchain.COMPILER)
        marker = tmp_path / "compiling"
        fake_program(
            tmp_path / "bin",
            toolchain.COMPILER,
            f'case "$*" in *app_config.cpp*) echo $$ > {marker}; sleep 600;; esac\n'
            f'exec {real} "$@"\n',
        )
        written = write_sample(M4, tmp_path / "a")

        def press_ctrl_c() -> None:
            while not (marker.exists() and marker.read_text()):
                time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
            threading.Thread(target=press_ctrl_c, daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                build_project(written, M4)
        compiler = int(marker.read_text())
        time.sleep(0.2)

        assert (
            not Path(f"/proc/{compiler}").exists()
            or "Z" in Path(f"/proc/{compiler}/stat").read_text().rpartition(")")[2]
        )
        assert build_project(write_sample(M4, tmp_path / "a"), M4).elf.is_file()

    @pytest.mark.toolchain
    def test_a_build_that_does_not_end_is_ended(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = shutil.which(toolchain.COMPILER)
        fake_program(
            tmp_path / "bin",
            toolchain.COMPILER,
            f'case "$*" in *app_config.cpp*) sleep 600;; esac\nexec {real} "$@"\n',
        )
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        monkeypatch.setattr(build, "BUILD_TIMEOUT_S", 4.0)

        with pytest.raises(BuildError, match="no end after 4 s"):
            build_project(write_sample(M4, tmp_path / "a"), M4)


def test_environment_keeps_the_users_core_dir_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLATFORMIO_BUILD_FLAGS and the like would change the image behind the project's back."""
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", "/somewhere")
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-O0")
    monkeypatch.setenv("PLATFORMIO_BUILD_CACHE_DIR", "/shared")
    monkeypatch.setenv("CPATH", "/other/include")
    environment = platformio.pio_environment()

    assert environment["PLATFORMIO_CORE_DIR"] == "/somewhere"
    assert not {"PLATFORMIO_BUILD_FLAGS", "PLATFORMIO_BUILD_CACHE_DIR", "CPATH"} & set(environment)


class TestUpload:
    pytestmark = needs_compiler

    def test_without_a_probe_shows_what_openocd_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        written = write_sample(NUCLEO, tmp_path / "a b")
        image = build_project(written, NUCLEO)
        for version, named in (("0.12.0", "adapter serial"), ("0.11.0", "hla_serial")):
            fake_program(
                tmp_path / "bin",
                "openocd",
                f'echo "Open On-Chip Debugger {version}"\n[ "$1" = --version ] && exit 0\n'
                'for a in "$@"; do echo "<$a>"; done\necho "Error: open failed"\nexit 1\n',
            )
            with pytest.raises(FlashError) as caught:
                upload(written, NUCLEO, simulate=False, serial="066A FF")

            assert "Error: open failed" in caught.value.message
            assert "--simulate" in (caught.value.hint or "")
            assert caught.value.log_path is not None
            arguments = [
                line for line in caught.value.log_path.read_text().splitlines() if line[:1] == "<"
            ]
            assert arguments == [
                "<-f>",
                "<board/st_nucleo_f4.cfg>",
                "<-c>",
                "<reset_config srst_only srst_nogate connect_assert_srst>",
                "<-c>",
                f"<{named} 066A FF>",
                "<-c>",
                f"<program {{{image.elf}}} verify reset exit>",
            ]

    def test_plain_pio_uploads_without_building_what_it_has_built(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_program(tmp_path / "bin", "openocd", 'for a in "$@"; do echo "<$a>"; done\n')
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        write_sample(NUCLEO, tmp_path / "a")
        pio = [sys.executable, "-m", "platformio", "run"]
        elf = tmp_path / "a/.pio/build/nucleo_f446re/firmware.elf"

        def run(*targets: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*pio, *(word for target in targets for word in ("-t", target))],
                cwd=tmp_path / "a",
                env=platformio.pio_environment(),
                capture_output=True,
                text=True,
            )

        early = run("nobuild", "upload")
        built = run()
        before = elf.stat().st_mtime_ns
        late = run("nobuild", "upload")

        assert early.returncode != 0 and "build it first" in early.stderr
        assert built.returncode == 0
        assert late.returncode == 0, late.stdout + late.stderr
        assert f"<program {{{elf}}} verify reset exit>" in late.stdout
        assert elf.stat().st_mtime_ns == before

    def test_missing_openocd_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = write_sample(NUCLEO, tmp_path / "a")
        path_without(monkeypatch, tmp_path / "bin", "openocd")

        with pytest.raises(ToolMissingError, match="openocd is not on PATH"):
            upload(written, NUCLEO, simulate=False)

    @needs_qemu[0]
    @needs_qemu[1]
    def test_the_same_image_runs_on_the_simulator(self, built: Built) -> None:
        written, image = built(NUCLEO)
        before = image.elf.read_bytes()
        upload(written, NUCLEO, simulate=True)
        state = written.root / ".mcugen-qemu.json"
        try:
            answer = ask(state)
            status = json.loads(state.read_text())
        finally:
            subprocess.run([sys.executable, SESSION, "stop", "--state", state], check=True)

        assert answer == f"{written.firmware_id} {model_sum(SAMPLE_PTE)}"
        assert image.elf.read_bytes() == before
        assert status["elf_sha256"] == hashlib.sha256(before).hexdigest()
        # Neither PlatformIO nor the session left anything that counts as a change.
        assert write_sample(NUCLEO, written.root) == written


@needs_compiler[0]
@needs_compiler[1]
def test_a_project_builds_with_plain_pio(tmp_path: Path, caches: Path) -> None:
    """Handed over to somebody without mcugen: an empty home, nothing of ours in the environment."""
    write_sample(NUCLEO, tmp_path / "a")
    home = tmp_path / "empty"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "platformio", "run"],
        cwd=tmp_path / "a",
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert SAMPLE_PTE in (tmp_path / "a/.pio/build/nucleo_f446re/firmware.elf").read_bytes()
    assert (home / ".cache" / "mcugen" / "objects").is_dir()


class TestQemuSession:
    pytestmark = needs_both

    @pytest.fixture
    def elf(self, built: Built) -> Path:
        return built(M4)[1].elf

    @pytest.fixture
    def session(self, tmp_path: Path) -> Iterator[object]:
        state = tmp_path / "state.json"

        def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, SESSION, command, "--state", state, *map(str, arguments)],
                capture_output=True,
                text=True,
                timeout=60,
            )

        yield run
        run("stop")

    def test_survives_reconnects(self, tmp_path: Path, elf: Path, session) -> None:
        started = session("start", "--elf", elf, "--machine", "mps2-an386")
        answers = {ask(tmp_path / "state.json") for _ in range(5)}

        assert started.returncode == 0, started.stderr
        assert len(answers) == 1
        assert json.loads(session("status").stdout)["machine"] == "mps2-an386"

    def test_an_older_qemu_says_what_is_needed(self, tmp_path: Path, elf: Path, session) -> None:
        """Debian 12 has 7.2, which has no machine for the boards with an STM32L4."""
        fake = tmp_path / "bin" / "qemu-system-arm"
        fake.parent.mkdir()
        fake.write_text("#!/bin/sh\necho QEMU emulator version 7.2.22 '(Debian 1:7.2)'\n")
        fake.chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
            told = session(
                "start", "--elf", elf, "--machine", "b-l475e-iot01a", "--min-version", "10.0"
            )

        assert told.returncode == 1
        assert f"b-l475e-iot01a needs QEMU 10.0 or newer; {fake} is 7.2." in told.stderr
        assert "-t bookworm-backports" in told.stderr

    def test_a_second_start_ends_the_first(self, tmp_path: Path, elf: Path, session) -> None:
        session("start", "--elf", elf, "--machine", "mps2-an386")
        first = json.loads((tmp_path / "state.json").read_text())
        session("start", "--elf", elf, "--machine", "mps2-an386")
        second = json.loads((tmp_path / "state.json").read_text())

        assert first["pid"] != second["pid"]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", first["port"]), timeout=5)
        assert ask(tmp_path / "state.json")

    def test_stop_ends_it_and_may_be_repeated(self, tmp_path: Path, elf: Path, session) -> None:
        session("start", "--elf", elf, "--machine", "mps2-an386")

        assert session("stop").stdout == "stopped\n"
        assert session("stop").stdout == "no session\n"
        assert session("status").returncode == 1
        assert not (tmp_path / "state.json").exists()

    def test_never_ends_a_process_that_is_not_its_own(self, tmp_path: Path, session) -> None:
        """A state file may be older than the machine's last boot."""
        with subprocess.Popen(["sleep", "60"]) as other:
            (tmp_path / "state.json").write_text(
                json.dumps({"pid": other.pid, "started": "1", "port": 1, "url": ""})
            )
            stopped = session("stop")

            assert stopped.stdout == "no session\n"
            assert other.poll() is None
            other.kill()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--elf", "ELF", "--machine", "mps2-an999"], "unsupported machine type"),
            (["--elf", "no-such-file", "--machine", "mps2-an386"], "cannot read the image"),
            (["--elf", __file__, "--machine", "mps2-an386"], "not an ELF file"),
            (["--elf", "ELF", "--machine", "mps2-an386", "--extra=-nonsense"], "invalid option"),
        ],
    )
    def test_says_why_it_does_not_start(
        self, elf: Path, session, arguments: list[str], message: str
    ) -> None:
        done = session("start", *[str(elf) if a == "ELF" else a for a in arguments])

        assert done.returncode == 1
        assert message in done.stderr
        assert session("status").returncode == 1

    def test_missing_qemu_is_named(
        self, tmp_path: Path, elf: Path, session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        done = session("start", "--elf", elf, "--machine", "mps2-an386")

        assert done.returncode == 1
        assert "apt install qemu-system-arm" in done.stderr


def test_link_to_nothing_in_a_project_is_no_error(tmp_path: Path) -> None:
    """Emacs marks a file that is being edited by such a link."""
    (tmp_path / "main.cpp").write_text("int main() {}")
    before = stamp.tree_digest(tmp_path)
    (tmp_path / ".#main.cpp").symlink_to("someone@somewhere.42")

    assert stamp.tree_digest(tmp_path) != before
