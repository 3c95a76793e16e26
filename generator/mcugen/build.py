# SPDX-License-Identifier: BSD-3-Clause
"""FirmwareProject → BuiltImage, by PlatformIO; and the image onto a board or into QEMU."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcugen.boards import BoardSpec, MemoryKind
from mcugen.cache import cache_dir, file_sha256
from mcugen.errors import BuildError, DoesNotFitError, FlashError, McugenError
from mcugen.project import FirmwareProject, finish_interrupted_write, read_manifest
from mcugen.toolchain import COMPILER, OPENOCD, QEMU, find_tool

BUILD_TIMEOUT_S = 900.0
UPLOAD_TIMEOUT_S = 180.0
_STAMP_SCHEMA = 1
_POOLS = (".planned_memory", ".method_pool", ".temp_pool", ".io_pool", ".stack")
# Not part of what is built: results, caches, and what PlatformIO and Python leave behind.
_IGNORED_DIRS = frozenset({".pio", ".git", "__pycache__", "staged"})
_IGNORED_FILES = re.compile(r"^(\.mcugen-qemu\.json.*|\.piopm|platforms\.lock|.*\.md)$")
# Taken out of the environment: each changes what is built, or where, behind the project's back.
_SCRUBBED = frozenset(
    {
        *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "GCC_EXEC_PREFIX"),
        *("SCONSFLAGS", "MCUGEN_UPLOAD_PROTOCOL", "MCUGEN_PROBE_SERIAL"),
    }
)
_KEPT_PLATFORMIO = frozenset(
    {"PLATFORMIO_CORE_DIR", "PLATFORMIO_PACKAGES_DIR", "PLATFORMIO_RUN_JOBS"}
)
_ERROR_LINE = re.compile(
    r"(^|[\s:])((fatal )?error:|Error:)|undefined reference|multiple definition of|overflowed by|"
    r"/ld(\.bfd)?: (?!warning)|\*\*\* \["
)
# What PlatformIO prints for each source, compiled or taken from the object cache.
_OBJECT_LINE = re.compile(r"^(Compiling|Retrieved) .*\.o\b")
_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")


@dataclass(frozen=True)
class BuiltImage:
    """An ELF, what it takes of the board's memory, and how it was made."""

    elf: Path
    bin: Path | None  #: None where code and model lie apart and a flat image would fill the gap
    flash_bytes: int  #: everything that is loaded, `.data`'s initial values included
    ram_bytes: int  #: everything in RAM, stack and pools included
    engine_bytes: int  #: `.text` + `.rodata`, without the model
    model_bytes: int
    static_ram_bytes: int  #: RAM beyond planned, method, temp, I/O and stack
    sections: dict[str, int]
    toolchain: str
    flags: str
    log_path: Path
    firmware_id: str
    project: FirmwareProject


def build_project(
    project: FirmwareProject,
    board: BoardSpec,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    verbose: bool = False,
) -> BuiltImage:
    """Build the project, or find that nothing has changed since it was built.

    Args:
        progress: called as progress(what, done, total) for each source compiled.

    Raises ToolMissingError, DoesNotFitError, BuildError.
    """
    compiler = find_tool(COMPILER)
    finish_interrupted_write(project.root)
    build_dir = project.root / ".pio" / "build" / project.env_name
    log_path = project.root / ".pio" / "mcugen-build.log"
    log_path.parent.mkdir(exist_ok=True)
    stamp_path = build_dir / "mcugen-stamp.json"
    elf = build_dir / "firmware.elf"
    with _lock(project.root / ".pio" / "mcugen.lock"):
        stamp = {
            "schema": _STAMP_SCHEMA,
            "tree": _tree_digest(project.root),
            "compiler": [str(compiler.path), compiler.description],
        }
        if not _is_built(stamp_path, stamp, elf):
            stamp_path.unlink(missing_ok=True)
            # Always linked anew: a damaged image looks finished to PlatformIO.
            elf.unlink(missing_ok=True)
            arguments = ["run", "-d", str(project.root), "-e", project.env_name]
            arguments += ["-v"] if verbose else []
            sources = [p for p in project.manifest if p.endswith((".c", ".cpp", ".S"))]
            on_line = _object_counter(progress, len(sources))

            def compile_and_link() -> None:
                _run_pio(
                    arguments, log_path, BUILD_TIMEOUT_S, _explain_build_failure, on_line=on_line
                )

            try:
                compile_and_link()
                if not _holds_project(elf, project):
                    # Never seen; if build files ever lie, start over rather than ship the lie.
                    shutil.rmtree(build_dir)
                    compile_and_link()
            except BaseException:
                # An image that may be half linked must not look like a finished one.
                elf.unlink(missing_ok=True)
                raise
            if not _holds_project(elf, project):
                raise BuildError(f"{elf} does not hold this project's model", log_path=log_path)
            stamp["elf"] = file_sha256(elf)
            _write_json(stamp_path, stamp)
        image = _read_image(elf, project, board, log_path)
    if image.sections.get(".init_array"):
        raise BuildError(
            "the image has static constructors (.init_array is not empty)", log_path=log_path
        )
    return image


def upload(
    project: FirmwareProject,
    board: BoardSpec,
    *,
    simulate: bool,
    probe_serial: str | None = None,
) -> None:
    """Put the built image on the board, or start it on the board's QEMU machine.

    QEMU runs on in the background; `.mcugen-qemu.json` in the project says where its console is.

    Raises ToolMissingError, FlashError (with the tool's last lines).
    """
    find_tool(COMPILER)
    simulate = simulate or board.simulated_only
    if simulate and board.qemu is None:
        raise FlashError(f"{board.id} has no QEMU machine")
    find_tool(QEMU if simulate else OPENOCD)
    environment = {"MCUGEN_UPLOAD_PROTOCOL": "qemu" if simulate else "openocd"}
    if probe_serial is not None:
        environment["MCUGEN_PROBE_SERIAL"] = probe_serial
    log_path = project.root / ".pio" / "mcugen-upload.log"
    log_path.parent.mkdir(exist_ok=True)
    arguments = ["run", "-d", str(project.root), "-e", project.env_name, "-t", "upload"]

    def explain(lines: Sequence[str], why: str) -> McugenError:
        what = "QEMU could not be started" if simulate else f"{board.name} could not be flashed"
        hint = None if simulate or board.qemu is None else "Without a board: --simulate."
        text = "\n".join(_telling_lines(lines))
        return FlashError(f"{what} ({why}):\n{text}", hint=hint)

    with _lock(project.root / ".pio" / "mcugen.lock"):
        _run_pio(arguments, log_path, UPLOAD_TIMEOUT_S, explain, environment=environment)


def pio_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for PlatformIO: quiet, no network, nothing that changes the build."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _SCRUBBED
        and (not name.startswith("PLATFORMIO_") or name in _KEPT_PLATFORMIO)
    }
    environment.setdefault("PLATFORMIO_CORE_DIR", str(cache_dir() / "platformio"))
    environment.setdefault("MCUGEN_OBJECT_CACHE", str(cache_dir() / "objects"))
    environment |= {
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PYTHONUNBUFFERED": "1",
        # Compiler messages are read for "error:".
        "LC_ALL": "C.UTF-8",
    }
    return environment | dict(extra or {})


def _run_pio(
    arguments: Sequence[str],
    log_path: Path,
    timeout_s: float,
    explain: Callable[[Sequence[str], str], McugenError],
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run PlatformIO to its end, its output into `log_path`.

    Args:
        explain: (lines, how it ended) → the error to raise when it fails.
        environment: added to `pio_environment()`.
    """
    command = [sys.executable, "-m", "platformio", *arguments]
    full_environment = pio_environment(environment)
    Path(full_environment["PLATFORMIO_CORE_DIR"]).mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    timed_out = threading.Event()
    with open(log_path, "w", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        process = subprocess.Popen(
            command,
            env=full_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that compilers can be ended with it
        )

        def give_up() -> None:
            timed_out.set()
            _end_group(process)

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        assert process.stdout is not None
        try:
            # Read to the end whatever happens: PlatformIO hangs for good on a closed pipe.
            for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace"):
                log.write(line)
                lines.append(line.rstrip())
                if on_line is not None:
                    on_line(line)
            status = process.wait()
        except BaseException:
            _end_group(process)
            raise
        finally:
            timer.cancel()
    if timed_out.is_set():
        error = explain(lines, f"no end after {timeout_s:.0f} s")
    elif status != 0:
        error = explain(lines, f"exit status {status}")
    else:
        return
    error.log_path = log_path
    raise error


def _object_counter(
    progress: Callable[[str, int, int], None] | None, total: int
) -> Callable[[str], None] | None:
    if progress is None:
        return None
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        if _OBJECT_LINE.match(line):
            done = min(done + 1, total)
            progress("compiling", done, total)

    return on_line


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End PlatformIO and everything it started. GCC and ld remove half-written files on SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _explain_build_failure(lines: Sequence[str], why: str) -> McugenError:
    overflows = [match for line in lines if (match := _OVERFLOW.search(line))]
    if overflows:
        text = "; ".join(f"region '{m[1]}' by {int(m[2]):,} B" for m in overflows)
        return DoesNotFitError(
            f"the linked image is too big: {text}",
            hint="Take a smaller model, or a board with more memory.",
        )
    return BuildError(f"the build failed ({why}):\n" + "\n".join(_telling_lines(lines)))


def _telling_lines(lines: Sequence[str], limit: int = 12) -> list[str]:
    """Return the lines that name errors; the last lines if none does."""
    told = [line for line in lines if _ERROR_LINE.search(line)]
    # The compiler's first errors matter, the rest follow from them.
    return told[:limit] if told else [line for line in lines if line.strip()][-limit:]


def _is_built(stamp_path: Path, stamp: Mapping[str, Any], elf: Path) -> bool:
    try:
        recorded = json.loads(stamp_path.read_text(encoding="utf-8"))
        return bool(recorded == {**stamp, "elf": file_sha256(elf)})
    except (OSError, ValueError):
        return False


def _tree_digest(root: Path) -> str:
    """Return a hash of every file of the project, edited or not, ours or the user's."""
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _IGNORED_DIRS)
        for name in sorted(names):
            if not _IGNORED_FILES.match(name):
                path = Path(folder, name)
                digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
                # An editor's lock file may be a link to nothing.
                content = file_sha256(path) if path.is_file() else "no file"
                digest.update(content.encode())
    return digest.hexdigest()


def _holds_project(elf: Path, project: FirmwareProject) -> bool:
    """Tell whether the image holds the very model and id the project was generated with."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    manifest = read_manifest(project.root)
    try:
        with open(elf, "rb") as file:
            image = ELFFile(file)
            constants = image.get_section_by_name(".rodata")
            if constants is None or project.firmware_id.encode() not in constants.data():
                return False
            if not manifest["pte_bytes"]:
                return True  # a runner: its model comes later
            model = image.get_section_by_name(".model_pte")
            if model is None:
                return False
            pte = model.data()[: manifest["pte_bytes"]]
            return bool(hashlib.sha256(pte).hexdigest() == manifest["pte_sha256"])
    except (OSError, ELFError):
        return False


def _read_image(
    elf: Path, project: FirmwareProject, board: BoardSpec, log_path: Path
) -> BuiltImage:
    from elftools.elf.constants import SH_FLAGS
    from elftools.elf.elffile import ELFFile

    sections: dict[str, int] = {}
    flash_bytes = ram_bytes = 0
    with open(elf, "rb") as file:
        for section in ELFFile(file).iter_sections():
            size = section["sh_size"]
            if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC or size == 0:
                continue
            sections[section.name] = size
            if section["sh_type"] != "SHT_NOBITS":
                flash_bytes += size
            if any(
                region.kind is MemoryKind.RAM and region.start <= section["sh_addr"] < region.end
                for region in board.regions
            ):
                ram_bytes += size
    bin_path = elf.with_suffix(".bin")
    compiler = find_tool(COMPILER)
    return BuiltImage(
        elf=elf,
        bin=bin_path if bin_path.is_file() else None,
        flash_bytes=flash_bytes,
        ram_bytes=ram_bytes,
        engine_bytes=sections.get(".text", 0) + sections.get(".rodata", 0),
        model_bytes=read_manifest(project.root)["pte_bytes"],
        static_ram_bytes=ram_bytes - sum(sections.get(name, 0) for name in _POOLS),
        sections=sections,
        toolchain=f"{compiler.name} {compiler.version}",
        flags=" ".join((*board.machine_flags, "-Os", "(kernels: -O2)", "-ffp-contract=off")),
        log_path=log_path,
        firmware_id=project.firmware_id,
        project=project,
    )


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one build or upload at a time work in a project."""
    import fcntl

    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
