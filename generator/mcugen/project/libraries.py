# SPDX-License-Identifier: BSD-3-Clause
"""How PlatformIO builds the two libraries of a project."""

from __future__ import annotations

from importlib import metadata

from mcugen.project.contexts import LibraryContext
from mcugen.project.headers import C10

RUNTIME = "lib/mcugen_runtime"
KERNELS = "lib/mcugen_kernels"
ARCHIVES = "lib/executorch"  #: ExecuTorch's own, with `--runtime`


def library_path(source: str) -> str:
    """Return where in a project a source of the firmware goes: "kernels/gather.h", "ops/ops.h"."""
    return f"{KERNELS if source.startswith('kernels/') else RUNTIME}/{source}"


def kernels_library(*flags: str) -> LibraryContext:
    """Return the context of the kernels' library.json."""
    return LibraryContext(
        name="mcugen_kernels",
        version=version(),
        description="Integer and float kernels for bare-metal Cortex-M",
        license="BSD-3-Clause",
        dependencies=(),
        # The hot kernels ask for -O2 themselves; what they share (requantize) is one function.
        flags=("-Os", "-finline-limit=6", *flags),
    )


def runtime_library(*flags: str, kernels: bool = True) -> LibraryContext:
    """Return the context of the runtime's library.json. kernels: whether it calls ours."""
    return LibraryContext(
        name="mcugen_runtime",
        version=version(),
        description="ExecuTorch's C++ API for bare-metal Cortex-M, with drivers and server",
        license="BSD-3-Clause",
        dependencies=("mcugen_kernels",) if kernels else (),
        # ET_LOG_ENABLED: no texts for the assertions in ExecuTorch's headers; our own error
        # lines do not depend on it (runtime/platform/fail.h). Its log.h then has parameters
        # without use. No loop here is hot, and an invariant kept in a register costs pushes.
        flags=(
            "-Os",
            "-fno-move-loop-invariants",
            f"-I{C10}",
            "-DET_LOG_ENABLED=0",
            "-Wno-unused-parameter",
            *flags,
        ),
    )


def version() -> str:
    """Return the version of the installed mcugen."""
    try:
        return metadata.version("mcugen")
    except metadata.PackageNotFoundError:
        return "0.0.0"
