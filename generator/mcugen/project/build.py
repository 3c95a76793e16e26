# SPDX-License-Identifier: BSD-3-Clause
"""Compile a project, or find that nothing has changed; read what came out."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mcugen.base.errors import BuildError
from mcugen.base.files import writing_to
from mcugen.base.locks import locked
from mcugen.base.toolchain import COMPILER, find_tool
from mcugen.boards.spec import BoardSpec, MemoryKind
from mcugen.program.level import Level
from mcugen.project.manifest import FirmwareProject, read_manifest
from mcugen.project.place import finish_interrupted_write
from mcugen.project.platformio import (
    BUILD_TIMEOUT_S,
    explain_build_failure,
    object_counter,
    run_pio,
)
from mcugen.project.stamp import (
    is_built,
    libraries_changed,
    make_stamp,
    record_build,
    record_libraries,
)

_POOLS = (".planned_memory", ".method_pool", ".temp_pool", ".io_pool", ".stack")


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
    with writing_to(project.root):
        log_path.parent.mkdir(exist_ok=True)
    stamp_path = build_dir / "mcugen-stamp.json"
    elf = build_dir / "firmware.elf"
    libraries = project.root / ".pio" / "mcugen-libraries.json"
    with locked(project.root / ".pio" / "mcugen.lock"):
        stamp = make_stamp(project.root, compiler)
        changed = libraries_changed(libraries)
        if changed is not False or not is_built(stamp_path, stamp, elf):
            if changed:
                # SCons does not look at the toolchain's headers.
                shutil.rmtree(build_dir, ignore_errors=True)
            stamp_path.unlink(missing_ok=True)
            record_libraries(libraries, compiler, board.machine_flags)
            # Always linked anew: a damaged image looks finished to PlatformIO.
            elf.unlink(missing_ok=True)
            arguments = ["run", "-d", str(project.root), "-e", project.env_name]
            arguments += ["-v"] if verbose else []
            sources = [p for p in project.manifest if p.endswith((".c", ".cpp", ".S"))]
            on_line = object_counter(progress, len(sources))

            explain = partial(explain_build_failure, project.root)

            def compile_and_link() -> None:
                run_pio(arguments, log_path, BUILD_TIMEOUT_S, explain, on_line=on_line)

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
            record_build(stamp_path, stamp, elf)
        image = _read_image(elf, project, board, log_path)
    if image.sections.get(".init_array"):
        raise BuildError(
            "the image has static constructors (.init_array is not empty)", log_path=log_path
        )
    return image


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
    manifest = read_manifest(project.root)
    # At size those of convolutions are built as the rest is.
    kernels = "-Os and -O2" if manifest.get("optimize") == Level.SIZE else "-O2"
    return BuiltImage(
        elf=elf,
        bin=bin_path if bin_path.is_file() else None,
        flash_bytes=flash_bytes,
        ram_bytes=ram_bytes,
        engine_bytes=sections.get(".text", 0) + sections.get(".rodata", 0),
        model_bytes=manifest["pte_bytes"],
        static_ram_bytes=ram_bytes - sum(sections.get(name, 0) for name in _POOLS),
        sections=sections,
        toolchain=f"{compiler.name} {compiler.version}",
        flags=" ".join((*board.machine_flags, "-Os", f"(kernels: {kernels})", "-ffp-contract=off")),
        log_path=log_path,
        firmware_id=project.firmware_id,
        project=project,
    )
