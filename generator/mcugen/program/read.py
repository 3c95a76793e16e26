# SPDX-License-Identifier: BSD-3-Clause
"""Read a `.pte`: check it, strip it, describe it; kept by the file's sha256.

Nothing here imports torch until a file is really parsed: the deserializer that comes with the
executorch wheel does (2 to 3 s).
"""

from __future__ import annotations

import copy
import json
import struct

from mcugen.base import cache
from mcugen.base.errors import ExportError, PteError
from mcugen.program import calls, runtime_layout, state
from mcugen.program.artifact import PteArtifact
from mcugen.program.container import cause, check_container, deserialize, find_method
from mcugen.program.describe import (
    io_kind,
    looks_like_logits,
    needs_full_runtime,
    operator_uses,
    tensor_spec,
)
from mcugen.program.strip import strip
from mcugen.program.structure import check_structure
from mcugen.program.validate import check_plan, check_supported

#: Files whose change makes a kept result stale.
SOURCES = ("program",)


def read_pte(data: bytes, *, name: str) -> PteArtifact:
    """Return the checked, stripped and described form of a `.pte`.

    Args:
        data: the file's bytes.
        name: what to call the model.

    Raises PteError, naming the cause, for a file that is not a usable `.pte`;
    UnsupportedOperatorError for operators the firmware does not have.
    """
    check_container(data, name=name)
    key = cache.make_key(
        what="read_pte",
        pte=cache.sha256_hex(data),
        name=name,
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("executorch",)),
    )
    kept = cache.load("pte", key)
    if kept is not None:
        try:
            return PteArtifact.from_json(json.loads(kept["artifact.json"]), kept["model.pte"])
        except (KeyError, TypeError, ValueError, PteError, RecursionError):
            pass  # Written by something else: read the file again.
    artifact = _read(data, name)
    cache.store(
        "pte",
        key,
        {
            "model.pte": artifact.pte,
            "artifact.json": json.dumps(artifact.to_json(), sort_keys=True).encode(),
        },
    )
    return artifact


def _read(data: bytes, name: str) -> PteArtifact:
    file = deserialize(data, name=name)
    try:
        plan = find_method(file.program, name=name)
        check_supported(file, name)
        for each in file.program.execution_plan:
            check_plan(each, file, name)
        calls.check_calls(plan)
        stripped = strip(data, name=name)
        check_structure(stripped, name=name)
        program = deserialize(stripped, name=name).program
        plan = find_method(program, name=name)
        inputs = tuple(tensor_spec(program, plan, "input", i) for i in range(len(plan.inputs)))
        outputs = tuple(tensor_spec(program, plan, "output", i) for i in range(len(plan.outputs)))
        return PteArtifact(
            pte=stripped,
            name=name,
            sha256=cache.sha256_hex(stripped),
            source_sha256=cache.sha256_hex(data),
            method_name=plan.name,
            inputs=inputs,
            outputs=outputs,
            operators=operator_uses(plan),
            planned_buffers=tuple(plan.non_const_buffer_sizes[1:]),
            method_bytes=runtime_layout.method_allocator_bytes(program, plan.name),
            temp_bytes=0,  # arrange() knows for which kernels
            macs=calls.macs(plan),
            isa=None,
            io=io_kind(inputs, outputs),
            executorch_version=cache.package_versions(("executorch",))["executorch"],
            stripped_bytes=len(data) - len(stripped),
            softmax_output=looks_like_logits(plan, inputs, outputs),
            profile_model=name,
            keeps_state=state.keeps_state(plan),
            full_runtime=needs_full_runtime(plan),
        )
    except ExportError as error:
        if not error.message.startswith(f"{name}:"):
            named = copy.copy(error)
            named.args = (f"{name}: {error.message}",)
            named.message = named.args[0]
            raise named from error
        raise
    except (struct.error, IndexError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise PteError(f"{name}: damaged: {cause(error)}") from error
