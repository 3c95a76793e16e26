# SPDX-License-Identifier: BSD-3-Clause
"""What a project holds: what every template places, and everything that is copied.

Three kinds: a model with mcugen's runtime, a model with ExecuTorch's own libraries (`--runtime`),
and the runner, which has no model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcugen.base.resources import templates_dir
from mcugen.boards.spec import BoardSpec
from mcugen.program import checked_calls
from mcugen.program.forms import call_forms, left_out
from mcugen.program.level import Level
from mcugen.program.memory import stack_bytes
from mcugen.program.operator_table import Operator, names, operator
from mcugen.project import copied, fill
from mcugen.project.board_json import board_json
from mcugen.project.c_array import c_byte_array
from mcugen.project.contexts import AppConfigContext, Context, RunnerConfigContext
from mcugen.project.forms import HEADER as FORMS
from mcugen.project.forms import forms_header
from mcugen.project.headers import header_closure
from mcugen.project.libraries import (
    ARCHIVES,
    KERNELS,
    RUNTIME,
    kernels_library,
    library_path,
    runtime_library,
)
from mcugen.project.linker import linker_context, runner_linker_context
from mcugen.project.model_io import model_io_context
from mcugen.project.needed import needed_sources

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan
    from mcugen.project.upstream.prefix import UpstreamRuntime

PLATFORM = "mcugen/platforms/mcugen-cortexm"
MAIN = "src/main.cpp"
MODEL_IO = "include/model_io.h"
#: All of firmware/runtime/platform/config.h: for what needs it, or what nobody has checked.
_FULL_RUNTIME = "-DMCUGEN_RUNTIME_FULL=1"
#: What the firmware need not check of a model that this package has checked.
_CHECKED_HERE = tuple(
    f"-DMCUGEN_{each}=0" for each in ("CHECK_OUTPUTS", "CHECK_PROGRAM", "VERIFY_PROGRAM")
)

#: Errors and faults by their codes alone.
_SMALL = ("-DMCUGEN_LOG_ENABLED=0", "-DMCUGEN_FAULT_WORDS=0")
#: The CRC of the model at boot, and of frames, in half the speed, for 960 bytes.
_SMALL_CRC = ("-DMCUGEN_CRC_TABLE_BITS=4",)
#: The loops around those in assembler as small as the rest, too.
_SMALL_KERNELS = ("-DMCUGEN_SMALL_KERNELS=1",)


@dataclass(frozen=True)
class ProjectContents:
    """Everything a project holds but its manifest, by path in the project."""

    config: AppConfigContext | RunnerConfigContext  #: src/app_config.cpp, without firmware id
    templates: Mapping[str, Context]  #: the other files that come from templates
    generated: Mapping[str, bytes]  #: what comes from no template: model, board description
    copied: Mapping[str, bytes]


def model_contents(
    artifact: PteArtifact, plan: MemoryPlan, board: BoardSpec, level: Level = Level.BALANCED
) -> ProjectContents:
    """Return the project of a model: of the operators and kernels, what it calls and takes."""
    called = [operator(name) for name in sorted({use.name for use in artifact.operators})]
    flags = (
        *((_FULL_RUNTIME,) if artifact.full_runtime else ()),
        *_CHECKED_HERE,
        *(f"-D{name}=0" for name in checked_calls.left_out(artifact)),
        *(_SMALL if level is Level.SIZE else ()),
        *(_SMALL_CRC if level is not Level.SPEED else ()),
    )
    config = fill.app_config_context(artifact, plan)
    templates: dict[str, Context] = {
        "linker/memory.ld": linker_context(plan, board),
        "platformio.ini": fill.platformio_context(board),
        "src/board_config.cpp": fill.board_config_context(board),
        "src/operators.cpp": fill.operators_context(called),
        "README.md": fill.readme_context(artifact, plan, board),
        MODEL_IO: model_io_context(artifact),
        f"{RUNTIME}/library.json": runtime_library(*flags),
        f"{KERNELS}/library.json": kernels_library(
            *(_SMALL_KERNELS if level is Level.SIZE else ())
        ),
    }
    sources = {**_application(artifact, board), **copied.runtime_sources()}
    main = copied.main_source()
    callers = [main, *sources.values(), *_template_texts(config, templates)]
    sources |= needed_sources(copied.operator_sources(board), _files(called), callers)
    generated = {**_model(artifact), **_board_file(board)}
    if FORMS in sources:
        unused = left_out(call_forms(artifact, board, level))
        generated[library_path(FORMS)] = forms_header(sources[FORMS], unused)
    return _contents(config, templates, generated, sources, {MAIN: main})


def upstream_contents(
    artifact: PteArtifact, plan: MemoryPlan, board: BoardSpec, runtime: UpstreamRuntime
) -> ProjectContents:
    """Return the project of a model with ExecuTorch's own runtime, operators and kernels.

    Of ours it has the operators that ExecuTorch does not have.

    Raises UnsupportedOperatorError, ToolMissingError if those are not of the headers' version.
    """
    linked = runtime.link([use.name for use in artifact.operators])
    ours = [operator(name) for name in linked.ours]
    config = fill.app_config_context(artifact, plan, own_operators=False)
    templates: dict[str, Context] = {
        "linker/memory.ld": linker_context(plan, board, constructors=True),
        "platformio.ini": fill.platformio_context(board, kernels=bool(ours)),
        "src/board_config.cpp": fill.board_config_context(board),
        "src/operators.cpp": fill.upstream_kernels_context(linked.kernels, ours),
        "README.md": fill.readme_context(artifact, plan, board),
        MODEL_IO: model_io_context(artifact),
        f"{RUNTIME}/library.json": runtime_library("-DMCUGEN_UPSTREAM=1", kernels=bool(ours)),
    }
    archives = {f"{ARCHIVES}/{archive.path.name}": archive for archive in linked.archives}
    description = _board_file(
        board,
        archives_whole=[path for path, archive in archives.items() if archive.whole],
        archives=[path for path, archive in archives.items() if not archive.whole],
    )
    sources = {**_application(artifact, board), **copied.upstream_headers()}
    if ours:
        templates[f"{KERNELS}/library.json"] = kernels_library()
        callers = _template_texts(config, templates)
        sources |= needed_sources(copied.operator_sources(board), _files(ours), callers)
    contents = _contents(
        config,
        templates,
        {**_model(artifact), **description},
        sources,
        {
            **copied.upstream_sources(),
            **{path: archive.path.read_bytes() for path, archive in archives.items()},
        },
    )
    runtime.check_headers(
        path.removeprefix(f"{RUNTIME}/")
        for path in contents.copied
        if path.startswith(f"{RUNTIME}/executorch/") and path.endswith(".h")
    )
    return contents


def runner_contents(board: BoardSpec) -> ProjectContents:
    """Return the project of the generic image: all operators, no model."""
    operators = [operator(name) for name in names()]
    templates: dict[str, Context] = {
        "linker/memory.ld": runner_linker_context(board, stack_bytes(names(), full_runtime=True)),
        "platformio.ini": fill.platformio_context(board),
        "src/board_config.cpp": fill.board_config_context(board),
        "src/operators.cpp": fill.operators_context(operators),
        "README.md": fill.runner_readme_context(board),
        f"{RUNTIME}/library.json": runtime_library(_FULL_RUNTIME),
        f"{KERNELS}/library.json": kernels_library(),
    }
    sources = {
        **copied.application_sources(board, store="runner", scalars="runner"),
        **copied.runtime_sources(),
        **copied.operator_sources(board),
    }
    config = RunnerConfigContext("", len(operators))
    return _contents(config, templates, _board_file(board), sources, {MAIN: copied.main_source()})


def _contents(
    config: AppConfigContext | RunnerConfigContext,
    templates: Mapping[str, Context],
    generated: Mapping[str, bytes],
    sources: Mapping[str, bytes],
    others: Mapping[str, bytes],
) -> ProjectContents:
    """Add what goes with every project, and the headers of ExecuTorch that it needs.

    sources: copied into the libraries, by the name they are included by.
    others: copied to where their names say, `MAIN` among them.
    """
    texts = _template_texts(config, templates)
    others_of_ours = [data for path, data in others.items() if path.endswith(".cpp")]
    headers = header_closure([*sources.values(), *others_of_ours, *texts])
    libraries = {
        **{library_path(name): data for name, data in {**sources, **headers}.items()},
        f"{RUNTIME}/executorch/LICENSE": copied.executorch_license(),
    }
    platform = {f"{PLATFORM}/{name}": data for name, data in copied.platform_files().items()}
    everything = {**copied.common_files(), **platform, **libraries, **others}
    return ProjectContents(config, templates, generated, everything)


def _template_texts(config: Context, templates: Mapping[str, Context]) -> list[bytes]:
    """Return the templates themselves: they include what their outputs do."""
    return [
        (templates_dir() / context.template).read_bytes()
        for context in (config, *templates.values())
    ]


def _application(artifact: PteArtifact, board: BoardSpec) -> dict[str, bytes]:
    scalars = "runner" if artifact.full_runtime else "embedded"
    return copied.application_sources(board, store="embedded", scalars=scalars)


def _model(artifact: PteArtifact) -> dict[str, bytes]:
    text = c_byte_array(
        artifact.pte,
        name=fill.MODEL_ARRAY,
        section=".model_pte",
        what=f"Model {artifact.name!a}",
    )
    return {"src/model_pte.c": text.encode()}


def _board_file(board: BoardSpec, **archives: Sequence[str]) -> dict[str, bytes]:
    description = board_json(board)
    description["build"] |= archives
    text = json.dumps(description, indent=2) + "\n"
    return {f"{PLATFORM}/boards/{board.id}.json": text.encode()}


def _files(operators: Iterable[Operator]) -> list[str]:
    return [f"ops/{operator.file}" for operator in operators]
