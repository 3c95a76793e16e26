# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte`, its memory plan and a board → a complete PlatformIO project on disk.

The same inputs give the same bytes, wherever the project lies. Writing is all or nothing: files are
staged inside the project and renamed into place, and what was interrupted between two renames is
finished by the next call. Unchanged files are not touched, so PlatformIO does not rebuild them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mcugen import operators, render
from mcugen.boards import BoardSpec, Isa, MemoryKind
from mcugen.c_array import c_byte_array
from mcugen.cache import cache_dir, sha256_hex
from mcugen.errors import TemplateError
from mcugen.memory import STACK_BYTES
from mcugen.resources import (
    executorch_dir,
    executorch_include_dir,
    firmware_dir,
    templates_dir,
)

if TYPE_CHECKING:
    from mcugen.memory import MemoryPlan
    from mcugen.pte import PteArtifact
    from mcugen.upstream import UpstreamRuntime

MANIFEST = "mcugen/manifest.json"
PLATFORM = "mcugen/platforms/mcugen-cortexm"
RUNTIME = "lib/mcugen_runtime"
KERNELS = "lib/mcugen_kernels"
APP_CONFIG = "src/app_config.cpp"
_MANIFEST_SCHEMA = 1
_STAGED = "mcugen/staged"
_COMMIT = f"{_STAGED}/commit.json"
_SOURCE_SUFFIXES = frozenset({".c", ".cpp", ".h", ".inc", ".S"})
# Where a header inside executorch/ is looked up: as the firmware's include paths do.
_C10 = "executorch/runtime/core/portable_type/c10"
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


@dataclass(frozen=True)
class FirmwareProject:
    """A project on disk, as generated."""

    root: Path
    manifest: Mapping[str, str]  #: path (with /) → sha256
    firmware_id: str  #: 16 hex digits, of everything in the project
    board_id: str
    model_name: str
    env_name: str


def write_project(
    artifact: PteArtifact,
    plan: MemoryPlan,
    board: BoardSpec,
    root: Path,
    *,
    runtime: UpstreamRuntime | None = None,
) -> FirmwareProject:
    """Write the project into `root` (made if absent) and return it.

    runtime: ExecuTorch's own libraries instead of our runtime, operators and kernels.

    Raises TemplateError if a file there was edited, or is not ours, and would be overwritten.
    """
    files = project_files(artifact, plan, board, runtime)
    firmware_id = firmware_id_of(files)
    files[APP_CONFIG] = _app_config(artifact, plan, firmware_id, runtime)
    return place_project(
        files,
        board,
        root,
        firmware_id=firmware_id,
        model_name=artifact.name,
        pte_bytes=len(artifact.pte),
        pte_sha256=artifact.sha256,
    )


def place_project(
    files: dict[str, bytes],
    board: BoardSpec,
    root: Path,
    *,
    firmware_id: str,
    model_name: str,
    pte_bytes: int = 0,
    pte_sha256: str = "",
) -> FirmwareProject:
    """Write `files` and their manifest into `root`. pte_bytes: 0 for an image without a model."""
    manifest = {path: sha256_hex(data) for path, data in sorted(files.items())}
    document = {
        "schema": _MANIFEST_SCHEMA,
        "board": board.id,
        "env": env_name(board),
        "model": model_name,
        "pte_bytes": pte_bytes,
        "pte_sha256": pte_sha256,
        "firmware_id": firmware_id,
        "files": manifest,
    }
    root = root.absolute()
    if root.exists() and not root.is_dir():
        raise TemplateError(f"{root} is a file, not a folder")
    finish_interrupted_write(root)
    old = _old_manifest(root)
    _refuse_foreign_files(root, files, old)
    stale = [path for path in old if path not in files]
    files[MANIFEST] = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
    _write_all(root, files, stale)
    return FirmwareProject(
        root=root,
        manifest=manifest,
        firmware_id=firmware_id,
        board_id=board.id,
        model_name=model_name,
        env_name=env_name(board),
    )


@contextlib.contextmanager
def project_lock(root: Path) -> Iterator[None]:
    """Let one process at a time write and build the project in `root`; the others wait.

    The lock lies in the cache: a project's folder is put in place as a whole.
    """
    import fcntl

    folder = cache_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / sha256_hex(str(root.resolve()).encode())[:16], "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load_project(root: Path) -> FirmwareProject:
    """Return the project that was written to `root`. Raises TemplateError if there is none."""
    finish_interrupted_write(root)
    document = read_manifest(root)
    return FirmwareProject(
        root=root.absolute(),
        manifest=document["files"],
        firmware_id=document["firmware_id"],
        board_id=document["board"],
        model_name=document["model"],
        env_name=document["env"],
    )


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the manifest of the project in `root`. Raises TemplateError if there is none."""
    try:
        document = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(
            f"{root} is not a project of mcugen: {MANIFEST} cannot be read",
            hint="Make one with: mcugen build MODEL --board BOARD",
        ) from error
    except ValueError as error:
        raise _bad_manifest(root) from error
    if (
        not isinstance(document, dict)
        or document.get("schema") != _MANIFEST_SCHEMA
        or not isinstance(document.get("files"), dict)
    ):
        raise _bad_manifest(root)
    return document


def env_name(board: BoardSpec) -> str:
    """Return the name of the project's PlatformIO environment."""
    return board.id


def project_files(
    artifact: PteArtifact,
    plan: MemoryPlan,
    board: BoardSpec,
    runtime: UpstreamRuntime | None = None,
) -> dict[str, bytes]:
    """Return path → contents of all files but the manifest, with an empty firmware id."""
    contexts: dict[str, render.Context] = {
        "linker/memory.ld": render.linker_context(plan, board),
        APP_CONFIG: render.app_config_context(artifact, plan, ""),
        "src/operators.cpp": render.operators_context(artifact),
        "README.md": render.readme_context(artifact, plan, board, env_name(board)),
    }
    files = _board_files(board, contexts, store="embedded", full=artifact.full_runtime)
    files["src/model_pte.c"] = c_byte_array(
        artifact.pte,
        name=render.MODEL_ARRAY,
        section=".model_pte",
        what=f"Model {artifact.name!a}",
    ).encode()
    return files if runtime is None else _with_upstream(files, artifact, plan, board, runtime)


def _app_config(
    artifact: PteArtifact, plan: MemoryPlan, firmware_id: str, runtime: UpstreamRuntime | None
) -> bytes:
    context = render.app_config_context(artifact, plan, firmware_id)
    if runtime is not None:
        # Without a table the runtime asks its registry, which upstream's libraries fill.
        context = replace(context, num_operators=0)
    return render.render(context).encode()


def _with_upstream(
    files: dict[str, bytes],
    artifact: PteArtifact,
    plan: MemoryPlan,
    board: BoardSpec,
    runtime: UpstreamRuntime,
) -> dict[str, bytes]:
    from mcugen import upstream

    license_path = f"{RUNTIME}/executorch/LICENSE"
    license_text = files[license_path]
    files = upstream.without_ours(files, runtime_root=RUNTIME)
    del files["src/operators.cpp"]
    headers = header_closure(list(files.values()))
    runtime.check_headers(headers)
    files |= {f"{RUNTIME}/{path}": data for path, data in headers.items()}
    files[license_path] = license_text
    files[APP_CONFIG] = _app_config(artifact, plan, "", runtime)
    linker = replace(render.linker_context(plan, board), constructors=True)
    ini = replace(render.platformio_context(board, env_name(board)), kernels=False)
    library = replace(_runtime_library(()), dependencies=())
    files["linker/memory.ld"] = render.render(linker).encode()
    files["platformio.ini"] = render.render(ini).encode()
    files[f"{RUNTIME}/library.json"] = render.render(library).encode()
    description = board_json(board)
    for key, whole in (("archives_whole", True), ("archives", False)):
        description["build"][key] = [
            f"{upstream.FOLDER}/{archive.path.name}"
            for archive in runtime.archives
            if archive.whole is whole
        ]
    files[f"{PLATFORM}/boards/{board.id}.json"] = (
        json.dumps(description, indent=2) + "\n"
    ).encode()
    for archive in runtime.archives:
        files[f"{upstream.FOLDER}/{archive.path.name}"] = archive.path.read_bytes()
    return files


def runner_files(board: BoardSpec, firmware_id: str = "") -> dict[str, bytes]:
    """Return path → contents of the generic image's project, but its manifest."""
    table = render.named_operators_context(operators.names())
    contexts: dict[str, render.Context] = {
        "linker/memory.ld": render.runner_linker_context(board, STACK_BYTES),
        APP_CONFIG: render.RunnerConfigContext(firmware_id, len(table.operators)),
        "src/operators.cpp": table,
        "README.md": render.runner_readme_context(board, env_name(board)),
    }
    return _board_files(board, contexts, store="runner")


def _board_files(
    board: BoardSpec, contexts: Mapping[str, render.Context], *, store: str, full: bool = False
) -> dict[str, bytes]:
    """Return what `contexts` render to, and all that projects for this board have in common.

    store: the folder in firmware/app that says where the model comes from.
    full: the model needs all of the runtime, and inputs and outputs that are numbers.
    """
    files = {
        path: data
        for path, data in _copied_files(board).items()
        if not path.startswith(f"{RUNTIME}/app/")
        or path.count("/") == 3
        or f"/app/{store}/" in path
    }
    flags: tuple[str, ...] = ()
    if store == "runner":
        # A model that nobody has checked: runtime/platform/config.h.
        flags = ("-DMCUGEN_RUNTIME_FULL=1",)
    elif full:
        flags = ("-DMCUGEN_RUNTIME_FULL=1", "-DMCUGEN_CHECK_OUTPUTS=0")
        scalars = f"{RUNTIME}/app/{{}}/scalars.cpp".format
        del files[scalars("embedded")]
        files[scalars("runner")] = _copied_files(board)[scalars("runner")]
    contexts = {
        **contexts,
        "platformio.ini": render.platformio_context(board, env_name(board)),
        "src/board_config.cpp": render.board_config_context(board),
        f"{RUNTIME}/library.json": _runtime_library(flags),
        f"{KERNELS}/library.json": render.LibraryContext(
            name="mcugen_kernels",
            version=_version(),
            description="Integer and float kernels for bare-metal Cortex-M",
            license="BSD-3-Clause",
            dependencies=(),
            # The hot kernels ask for -O2 themselves; what they share (requantize) is one function.
            flags=("-Os", "-finline-limit=6"),
        ),
    }
    for path, context in contexts.items():
        files[path] = render.render(context).encode()
    files[f"{PLATFORM}/boards/{board.id}.json"] = (
        json.dumps(board_json(board), indent=2) + "\n"
    ).encode()
    return files


def _runtime_library(flags: tuple[str, ...]) -> render.LibraryContext:
    return render.LibraryContext(
        name="mcugen_runtime",
        version=_version(),
        description="ExecuTorch's C++ API for bare-metal Cortex-M, with drivers and server",
        license="BSD-3-Clause",
        dependencies=("mcugen_kernels",),
        # The macro: a header of ExecuTorch tests it undefined, which -Wundef remarks on.
        # ET_LOG_ENABLED: no texts for the assertions in ExecuTorch's headers; our own error
        # lines do not depend on it (runtime/platform/fail.h). Its log.h then has parameters
        # without use. No loop here is hot, and an invariant kept in a register costs pushes.
        flags=(
            "-Os",
            "-fno-move-loop-invariants",
            f"-I{_C10}",
            "-DEXECUTORCH_INTERNAL_FLATBUFFERS=0",
            "-DET_LOG_ENABLED=0",
            "-Wno-unused-parameter",
            *flags,
        ),
    )


def board_json(board: BoardSpec) -> dict[str, Any]:
    """Return PlatformIO's description of the board, in ststm32's format with our builder's keys."""
    upload: dict[str, Any] = {
        "maximum_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.FLASH),
        "maximum_ram_size": sum(r.size_bytes for r in board.regions if r.kind is MemoryKind.RAM),
        "protocol": render.upload_protocol(board),
        "protocols": ["openocd", "stlink"] if board.probe else [],
    }
    debug: dict[str, Any] = {}
    if board.probe is not None:
        upload["openocd_args"] = list(board.probe.openocd_args)
    if board.qemu is not None:
        upload["protocols"].append("qemu")
        upload["qemu"] = {
            "machine": board.qemu.machine,
            "cpu": board.qemu.cpu,
            "serial_index": board.qemu.serial_index,
            "extra_args": list(board.qemu.extra_args),
        }
        debug["qemu_machine"] = board.qemu.machine
    build: dict[str, Any] = {
        "cpu": board.cpu,
        "mcu": board.mcu.lower(),
        "f_cpu": f"{board.clock_hz}L",
        "float_abi": board.float_abi,
        "ldscript": "linker/memory.ld",
        "machine_flags": list(board.machine_flags),
        # For bsp/ only: everything else compiles alike for all boards with this core.
        "bsp_defines": dict(board.defines),
        # One flat image can hold code and model.
        "single_image": board.region_for("code") == board.region_for("model"),
    }
    if board.fpu is not None:
        build["fpu"] = board.fpu
    return {
        "name": board.name,
        "vendor": board.vendor,
        "url": board.url,
        "build": build,
        "upload": upload,
        "debug": debug,
    }


def header_closure(sources: Sequence[bytes]) -> dict[str, bytes]:
    """Return the ExecuTorch headers that `sources` need, directly or not: path → contents.

    Paths are relative to ExecuTorch's include root. Every `#include` counts, taken or not, so the
    result does not depend on macros; names that are not in the wheel are the toolchain's.
    """
    root = executorch_include_dir()
    found: dict[str, bytes] = {}
    queue = [(PurePosixPath(), data) for data in sources]
    while queue:
        folder, data = queue.pop()
        for match in _INCLUDE.finditer(data):
            name = match[2].decode(errors="replace")
            places = [PurePosixPath(name), PurePosixPath(_C10) / name]
            if match[1] == b'"':
                places.insert(0, folder / name)
            for place in places:
                path = os.path.normpath(place.as_posix()).replace(os.sep, "/")
                if path in found:
                    break
                contents = _header(path) if path.startswith("executorch/") else None
                if contents is not None:
                    found[path] = contents
                    queue.append((PurePosixPath(path).parent, contents))
                    break
    assert all((root / path).is_file() for path in found)
    return found


def finish_interrupted_write(root: Path) -> None:
    """Complete, or drop, what an earlier call left when it was killed in the middle."""
    if (root / _COMMIT).is_file():
        _commit(root)
    elif (root / _STAGED).is_dir():
        shutil.rmtree(root / _STAGED)


@cache
def _header(path: str) -> bytes | None:
    file = executorch_include_dir() / path
    return file.read_bytes() if file.is_file() else None


@cache
def _copied_files(board: BoardSpec) -> Mapping[str, bytes]:
    """Return what is copied as it lies: firmware, platform, headers, licenses."""
    firmware = firmware_dir()
    files: dict[str, bytes] = {}
    for folder in ("runtime", "ops", "app", "port/cortex_m", f"bsp/{board.bsp}"):
        for path in _sources(firmware / folder):
            files[f"{RUNTIME}/{path.relative_to(firmware).as_posix()}"] = path.read_bytes()
    for path in (firmware / "port").glob("*.h"):
        files[f"{RUNTIME}/port/{path.name}"] = path.read_bytes()
    files["src/main.cpp"] = files.pop(f"{RUNTIME}/app/main.cpp", b"")
    for path in _sources(firmware / "kernels"):
        if _kernel_variant_runs_on(path.stem, board.isa):
            files[f"{KERNELS}/{path.relative_to(firmware).as_posix()}"] = path.read_bytes()
    for path in sorted((firmware / "platform").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md":
            files[f"{PLATFORM}/{path.relative_to(firmware / 'platform').as_posix()}"] = (
                path.read_bytes()
            )
    generated = b"#include <executorch/runtime/kernel/operator_registry.h>\n"
    for header, data in header_closure([*files.values(), generated]).items():
        files[f"{RUNTIME}/{header}"] = data
    files[f"{RUNTIME}/executorch/LICENSE"] = _executorch_license()
    files[".gitignore"] = (templates_dir() / "gitignore").read_bytes()
    files["LICENSE"] = (templates_dir() / "LICENSE").read_bytes()
    files["include/README.md"] = (templates_dir() / "include_readme.md").read_bytes()
    return files


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SOURCE_SUFFIXES)


def _kernel_variant_runs_on(stem: str, isa: Isa) -> bool:
    """Tell whether the compiler accepts the file: a variant's guard is an #error."""
    if stem.endswith("_mve"):
        return isa is Isa.MVE
    if stem.endswith("_dsp"):
        return isa is not Isa.SCALAR
    return True


def _executorch_license() -> bytes:
    """Return the license text of the installed executorch wheel."""
    for folder in executorch_dir().parent.glob("executorch-*.dist-info"):
        for path in (folder / "licenses" / "LICENSE", folder / "LICENSE"):
            if path.is_file():
                return path.read_bytes()
    raise TemplateError(
        "the executorch package has no LICENSE file, and its headers must not be copied without it",
        hint="Reinstall executorch.",
    )


def _version() -> str:
    try:
        return metadata.version("mcugen")
    except metadata.PackageNotFoundError:
        return "0.0.0"


def firmware_id_of(files: Mapping[str, bytes]) -> str:
    """Return 16 hex digits that stand for all of a project with an empty firmware id."""
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        # Lengths first: no two different sets of files can give the same stream.
        digest.update(f"{len(path)} {path} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:16]


def _bad_manifest(root: Path) -> TemplateError:
    return TemplateError(
        f"{root / MANIFEST} is damaged or of another version of mcugen",
        hint="Generate into another folder, or delete this one first.",
    )


def _old_manifest(root: Path) -> Mapping[str, str]:
    if not (root / MANIFEST).exists():
        return {}
    files: dict[str, str] = read_manifest(root)["files"]
    for path in files:
        # A manifest is a file anyone may edit: it must not lead out of the project.
        if path != os.path.normpath(path) or path.startswith(("/", "..")) or "\\" in path:
            raise _bad_manifest(root)
    return files


def _refuse_foreign_files(root: Path, files: Mapping[str, bytes], old: Mapping[str, str]) -> None:
    """Raise TemplateError if writing would destroy something that mcugen did not write."""
    edited: list[str] = []
    foreign: list[str] = []
    for path in sorted({*files, *old}):
        try:
            on_disk = sha256_hex((root / path).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise TemplateError(f"{root / path} cannot be read: {error.strerror}") from error
        if on_disk == old.get(path) or (path in files and on_disk == sha256_hex(files[path])):
            continue
        (edited if path in old else foreign).append(path)
    for paths, what, hint in (
        (
            edited,
            "was edited since mcugen wrote it",
            "Keep the edit: generate elsewhere with -o DIR. Drop it: delete the file.",
        ),
        (
            foreign,
            "is in the way and was not written by mcugen",
            "Choose an empty folder with -o DIR.",
        ),
    ):
        if paths:
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            raise TemplateError(f"{root / paths[0]} {what}{more}", hint=hint)


def _write_all(root: Path, files: Mapping[str, bytes], stale: Sequence[str]) -> None:
    changed = {p: d for p, d in sorted(files.items()) if not _holds(root / p, d)}
    if not changed and not any((root / path).exists() for path in stale):
        return
    if not root.exists():
        _write_new(root, files)
        return
    staged = root / _STAGED
    try:
        for path, data in changed.items():
            target = staged / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        plan = {"replace": list(changed), "remove": list(stale)}
        (staged / "commit.new").write_text(json.dumps(plan), encoding="utf-8")
        with _interrupts_deferred():
            os.replace(staged / "commit.new", root / _COMMIT)
            _commit(root)
    except BaseException:
        if not (root / _COMMIT).exists():  # else the next call completes it
            shutil.rmtree(staged, ignore_errors=True)
        raise


def _write_new(root: Path, files: Mapping[str, bytes]) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        staged.chmod(0o755)
        for path, data in files.items():
            (staged / path).parent.mkdir(parents=True, exist_ok=True)
            (staged / path).write_bytes(data)
        os.replace(staged, root)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _commit(root: Path) -> None:
    """Do what commit.json says. May be repeated after any interruption."""
    plan = json.loads((root / _COMMIT).read_text(encoding="utf-8"))
    for path in plan["remove"]:
        (root / path).unlink(missing_ok=True)
        for parent in (root / path).parents:
            if parent == root or not _remove_if_empty(parent):
                break
    # The manifest goes last: until then, an edit check sees the old one.
    for path in sorted(plan["replace"], key=lambda path: path == MANIFEST):
        source = root / _STAGED / "files" / path
        if source.exists():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, root / path)
    (root / _COMMIT).unlink()
    shutil.rmtree(root / _STAGED)


def _remove_if_empty(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
        return True
    return False


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Let Ctrl-C and a polite kill wait for the few milliseconds of the renames."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _frame: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for caught in received:
            signal.raise_signal(caught)
