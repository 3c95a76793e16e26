# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte`, its memory plan and a board → a complete PlatformIO project.

The same inputs give the same bytes, wherever the project lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.boards.spec import BoardSpec
from mcugen.program import operator_table
from mcugen.program.memory import STACK_BYTES
from mcugen.project import fill, render
from mcugen.project.board_json import board_json, env_name
from mcugen.project.c_array import c_byte_array
from mcugen.project.contexts import Context, LibraryContext, RunnerConfigContext
from mcugen.project.copied import C10, KERNELS, PLATFORM, RUNTIME, copied_files, header_closure
from mcugen.project.manifest import FirmwareProject
from mcugen.project.place import place_project

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan
    from mcugen.project.upstream import UpstreamRuntime

APP_CONFIG = "src/app_config.cpp"


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


def project_files(
    artifact: PteArtifact,
    plan: MemoryPlan,
    board: BoardSpec,
    runtime: UpstreamRuntime | None = None,
) -> dict[str, bytes]:
    """Return path → contents of all files but the manifest, with an empty firmware id."""
    contexts: dict[str, Context] = {
        "linker/memory.ld": fill.linker_context(plan, board),
        APP_CONFIG: fill.app_config_context(artifact, plan, ""),
        "src/operators.cpp": fill.operators_context(artifact),
        "README.md": fill.readme_context(artifact, plan, board, env_name(board)),
    }
    files = _board_files(board, contexts, store="embedded", full=artifact.full_runtime)
    files["src/model_pte.c"] = c_byte_array(
        artifact.pte,
        name=fill.MODEL_ARRAY,
        section=".model_pte",
        what=f"Model {artifact.name!a}",
    ).encode()
    return files if runtime is None else _with_upstream(files, artifact, plan, board, runtime)


def _app_config(
    artifact: PteArtifact, plan: MemoryPlan, firmware_id: str, runtime: UpstreamRuntime | None
) -> bytes:
    context = fill.app_config_context(artifact, plan, firmware_id)
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
    from mcugen.project import upstream

    license_path = f"{RUNTIME}/executorch/LICENSE"
    license_text = files[license_path]
    files = upstream.without_ours(files, runtime_root=RUNTIME)
    del files["src/operators.cpp"]
    headers = header_closure(list(files.values()))
    runtime.check_headers(headers)
    files |= {f"{RUNTIME}/{path}": data for path, data in headers.items()}
    files[license_path] = license_text
    files[APP_CONFIG] = _app_config(artifact, plan, "", runtime)
    linker = replace(fill.linker_context(plan, board), constructors=True)
    ini = replace(fill.platformio_context(board, env_name(board)), kernels=False)
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
    table = fill.named_operators_context(operator_table.names())
    contexts: dict[str, Context] = {
        "linker/memory.ld": fill.runner_linker_context(board, STACK_BYTES),
        APP_CONFIG: RunnerConfigContext(firmware_id, len(table.operators)),
        "src/operators.cpp": table,
        "README.md": fill.runner_readme_context(board, env_name(board)),
    }
    return _board_files(board, contexts, store="runner")


def _board_files(
    board: BoardSpec, contexts: Mapping[str, Context], *, store: str, full: bool = False
) -> dict[str, bytes]:
    """Return what `contexts` render to, and all that projects for this board have in common.

    store: the folder in firmware/app that says where the model comes from.
    full: the model needs all of the runtime, and inputs and outputs that are numbers.
    """
    files = {
        path: data
        for path, data in copied_files(board).items()
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
        files[scalars("runner")] = copied_files(board)[scalars("runner")]
    contexts = {
        **contexts,
        "platformio.ini": fill.platformio_context(board, env_name(board)),
        "src/board_config.cpp": fill.board_config_context(board),
        f"{RUNTIME}/library.json": _runtime_library(flags),
        f"{KERNELS}/library.json": LibraryContext(
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


def _runtime_library(flags: tuple[str, ...]) -> LibraryContext:
    return LibraryContext(
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
            f"-I{C10}",
            "-DEXECUTORCH_INTERNAL_FLATBUFFERS=0",
            "-DET_LOG_ENABLED=0",
            "-Wno-unused-parameter",
            *flags,
        ),
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
