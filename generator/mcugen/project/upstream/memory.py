# SPDX-License-Identifier: BSD-3-Clause
"""Memory for ExecuTorch's own runtime and kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mcugen.program.kept_arguments import arguments_bytes

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact

# Upstream's runtime was seen to take 1.01 to 1.04 times what ours does (docs/upstream.md).
_METHOD_NUMERATOR, _METHOD_DENOMINATOR = 5, 4
_METHOD_EXTRA_BYTES = 512
#: 165 to 212 B were seen. The scratch of CMSIS-NN is a planned tensor of the model.
TEMP_BYTES = 1024
#: 4,516 B were seen; one frame of `_clone_dim_order` at -O3 has 3,484 B.
STACK_BYTES = 8192


def with_room(artifact: PteArtifact) -> PteArtifact:
    """Return the artifact with memory for upstream's runtime and kernels, estimated upwards."""
    kept = artifact.method_bytes + arguments_bytes(artifact)
    method_bytes = -(-kept * _METHOD_NUMERATOR // _METHOD_DENOMINATOR)
    return replace(
        artifact,
        method_bytes=method_bytes + _METHOD_EXTRA_BYTES,
        temp_bytes=max(artifact.temp_bytes, TEMP_BYTES),
        least_stack_bytes=STACK_BYTES,
        own_runtime=False,
    )
