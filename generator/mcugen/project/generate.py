# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte`, its memory plan and a board → a complete PlatformIO project.

The same inputs give the same bytes, wherever the project lies.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.boards.spec import BoardSpec
from mcugen.program.level import Level
from mcugen.project.contents import model_contents, upstream_contents
from mcugen.project.manifest import FirmwareProject
from mcugen.project.place import place_project
from mcugen.project.render import render_project

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact
    from mcugen.program.memory import MemoryPlan
    from mcugen.project.upstream.prefix import UpstreamRuntime


def write_project(
    artifact: PteArtifact,
    plan: MemoryPlan,
    board: BoardSpec,
    root: Path,
    *,
    runtime: UpstreamRuntime | None = None,
    level: Level = Level.BALANCED,
) -> FirmwareProject:
    """Write the project into `root` (made if absent) and return it.

    runtime: ExecuTorch's own libraries instead of our runtime, operators and kernels.
    level: what the image is made for.

    Raises TemplateError if a file there was edited, or is not ours, and would be overwritten.
    """
    contents = (
        model_contents(artifact, plan, board, level)
        if runtime is None
        else upstream_contents(artifact, plan, board, runtime)
    )
    return place_project(
        render_project(contents),
        board,
        root,
        model_name=artifact.name,
        pte_bytes=len(artifact.pte),
        pte_sha256=artifact.sha256,
        inputs=artifact.inputs,
        outputs=artifact.outputs,
        notes=artifact.notes,
        level=level,
    )
