# SPDX-License-Identifier: BSD-3-Clause
"""One inference on a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mcugen.device.protocol.client import Client

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact

#: One inference's inputs or outputs: each tensor's bytes in its own memory order.
TensorBytes = tuple[bytes, ...]
Advance = Callable[[], None]


def nothing() -> None:
    pass


def infer(client: Client, artifact: PteArtifact, inputs: TensorBytes) -> tuple[TensorBytes, int]:
    """Run one inference; return the outputs and the raw ticks."""
    for index, data in enumerate(inputs):
        client.write_input(index, data)
    ticks = client.execute()
    outputs = tuple(
        client.read_output(index, spec.nbytes) for index, spec in enumerate(artifact.outputs)
    )
    return outputs, ticks
