# SPDX-License-Identifier: BSD-3-Clause
"""The suite's figures: build, run and trace each case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import DeviceError, DoesNotFitError
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with
from mcugen.cli.suite.cases import Case
from mcugen.cli.suite.compared import (
    STACK,
    goals,
    judged,
    published,
    published_calls,
    published_instructions,
)
from mcugen.flow.building import Built, build_artifact, check_compiler, make_artifact
from mcugen.flow.profiling import profiled
from mcugen.flow.settings import Settings
from mcugen.flow.verifying import first_sample

if TYPE_CHECKING:
    from pathlib import Path

    from mcugen.cli.terminal import Terminal

#: Of a case in the JSON, beside its figures: what `profile` says of each call.
_CALL_KEYS = (
    "layer",
    "operator",
    "macs",
    "instructions",
    "macs_per_instruction",
    "share",
    "estimated_cycles",
    "kernel",
)


def suite_document(cases: Sequence[Case], root: Path, terminal: Terminal) -> dict[str, Any]:
    """Measure all cases; return the document.

    Args:
        root: the project's folder; images are built in mcugen_out/suite-*, and found there again.

    Raises ToolMissingError, ExportError, BuildError, DeviceError; OutputMismatchError where the
    device's output is not the host reference's.
    """
    from mcugen.base.toolchain import COMPILER, QEMU, find_tool

    check_compiler()
    qemu = find_tool(QEMU)
    cells = []
    for number, case in enumerate(cases):
        terminal.stage(
            f"{case.network} on {case.board.id}, {case.level} ({number + 1} of {len(cases)})"
        )
        cells.append(_cell(case, root, terminal))
    return {
        "schema": "mcugen.suite/1",
        "toolchain": f"{COMPILER} {find_tool(COMPILER).version}",
        "qemu": qemu.version,
        "counting": "instructions of Method::execute() in QEMU -icount shift=0, int8 input and "
        "output; estimated cycles from a trace of the same, without wait states",
        "published": {"stack": STACK, "source": published()[STACK]["source"]},
        "cells": cells,
        "goals": judged(cells),
        "goals_source": goals()["source"],
    }


def _cell(case: Case, root: Path, terminal: Terminal) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "network": case.network,
        "board": case.board.id,
        "cpu": case.board.cpu,
        "level": case.level.value,
    }
    settings = _settings(case, root)
    artifact, lowering = make_artifact(settings, terminal)
    try:
        built = build_artifact(settings, artifact, lowering, terminal, remember=False)
    except DoesNotFitError as error:
        return cell | {"fits": False, "reason": error.message}
    return cell | {"fits": True} | _figures(settings, built, terminal)


def _settings(case: Case, root: Path) -> Settings:
    from mcugen.cli.config import Config
    from mcugen.project.last_build import out_dir

    place = out_dir(root) / f"suite-{case.network}-{case.board.id}-{case.level}"
    # What an mcugen.toml says is for one's own model.
    options = Options(
        model=case.network,
        board=case.board.id,
        simulate=True,
        output=place,
        optimize=case.level.value,
    )
    return resolve_with(options, Config(root=root))


def _figures(settings: Settings, built: Built, terminal: Terminal) -> dict[str, Any]:
    from mcugen.device.inference import infer
    from mcugen.device.verify import compare, require_passed
    from mcugen.flow.report.documents import firmware_section
    from mcugen.flow.report.profile import profile_section

    sample = first_sample(built, terminal)
    inputs = sample.inputs[0]
    with profiled(settings, built, terminal) as session:
        outputs, ticks = infer(session.client, built.artifact, inputs)
        # What an image costs that computes something else is no figure.
        require_passed(compare(built.artifact, [inputs], sample.expected, [outputs]))
        instructions = session.counted(ticks)
        result = session.profile(inputs)
        traced = profile_section(result, session.counted(result.ticks), session.resolution)
        info = session.client.info()
    if abs(result.instructions - instructions) > 3 * session.resolution:
        raise DeviceError(
            f"the trace has {result.instructions:,} instructions, the device counted "
            f"{instructions:,}"
        )
    firmware = firmware_section(built.board, built.plan, built.image, info)
    macs = built.artifact.macs
    theirs = published_instructions(built.artifact.name, built.board.cpu)
    per_call = published_calls(
        built.artifact.name, built.board.cpu, [each["macs"] for each in traced["calls"]]
    )
    roles = ("planned_bytes", "method_bytes", "temp_bytes", "static_ram_bytes")
    return {
        "instructions": instructions,
        "estimated_cycles": result.estimated_cycles,
        "estimated_cycles_range": result.cycles_range,
        "macs": macs,
        "macs_per_instruction": round(macs / instructions, 4),
        "published_instructions": theirs,
        "ratio": round(instructions / theirs, 4) if theirs else None,
        # As published: planned, method, temp and static, without input, output and stack.
        "ram_bytes": sum(firmware[role] for role in roles),
        "ram": {role: firmware[role] for role in (*roles, "io_bytes", "stack_peak_bytes")},
        "engine_bytes": firmware["engine_bytes"],
        "flash": {name: firmware[f"{name}_bytes"] for name in ("engine", "model", "flash")},
        "runtime_instructions": result.runtime_instructions,
        "calls": [
            {key: call[key] for key in _CALL_KEYS} | {"published_instructions": other}
            for call, other in zip(traced["calls"], per_call, strict=True)
        ],
    }
