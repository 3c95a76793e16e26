# SPDX-License-Identifier: BSD-3-Clause
"""A checked `.pte` and what later stages need to know about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from mcugen.base import cache
from mcugen.base.errors import PteError
from mcugen.boards.spec import Isa

#: ScalarType of the schema to (numpy name, bytes per element).
DTYPES: dict[int, tuple[str, int]] = {
    0: ("uint8", 1),
    1: ("int8", 1),
    2: ("int16", 2),
    3: ("int32", 4),
    4: ("int64", 8),
    5: ("float16", 2),
    6: ("float32", 4),
    7: ("float64", 8),
    11: ("bool", 1),
    28: ("uint32", 4),
    29: ("uint64", 8),
    27: ("uint16", 2),
}
_NHWC = (0, 2, 3, 1)
_ITEM_BYTES = {name: size for name, size in DTYPES.values()}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of the method."""

    name: str  #: of forward()'s argument, of a dict's key; "input0" where it is not known
    shape: tuple[int, ...]  #: logical, e.g. (1, 3, 32, 32) in NCHW
    dim_order: tuple[int, ...]  #: axes from outermost to innermost in memory: (0, 2, 3, 1) is NHWC
    dtype: str  #: numpy's name
    scale: float | None  #: real = scale * (q - zero_point); None when float or not recorded
    zero_point: int | None
    planned: bool  #: lives in planned memory; False: the caller provides its bytes
    #: Of an input that is a number: what the program was traced with, the only value it takes.
    fixed: float | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]

    @property
    def memory_shape(self) -> tuple[int, ...]:
        """The shape in memory order: (1, 32, 32, 3) for an NHWC image."""
        return tuple(self.shape[axis] for axis in self.dim_order)

    @property
    def memory_order(self) -> str:
        """How the elements lie in memory, in words. Axes of size 1 make no difference."""
        order = [axis for axis in self.dim_order if self.shape[axis] != 1]
        if order == sorted(order):
            return "that of the shape, the last axis side by side"
        if len(self.shape) == 4 and order == [axis for axis in _NHWC if self.shape[axis] != 1]:
            memory = ", ".join(str(self.shape[axis]) for axis in _NHWC)
            return f"N, H, W, C = [{memory}], the channels of a pixel side by side (channels-last)"
        memory = ", ".join(map(str, self.memory_shape))
        return f"axes {', '.join(map(str, self.dim_order))} of the shape = [{memory}]"


@dataclass(frozen=True)
class OperatorUse:
    """One operator of the program and how often it is called."""

    name: str  #: "cortex_m::quantized_conv2d.out"
    calls: int
    int8: bool  #: False: works on float data in between, a fallback
    layers: tuple[str, ...] = ()  #: names of the model's modules, where known


@dataclass(frozen=True)
class PlannedMemory:
    """How planned memory was planned anew (`program/planning`)."""

    exported_bytes: int  #: of the exporter's plan
    bound_bytes: int | None  #: no plan has less; None: the exporter's plan was kept
    #: Instructions that are gone, as they were numbered before: copies, and what another does.
    dropped_calls: tuple[int, ...]
    #: Of the latter: which of them another does besides its own, as numbered before.
    joined_calls: tuple[tuple[int, int], ...] = ()
    #: Those that another does not, as numbered before, in the order they are made; (): as before.
    order: tuple[int, ...] = ()

    def layers(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return the layers of the instructions that are left, of those that there were.

        Of one that does what two did: "first + second".
        """
        names = list(before)
        for first, second in self.joined_calls:
            if second < len(names):
                names[second] = f"{names[first]} + {names[second]}"
        order = range(len(names)) if not self.order else self.order
        return tuple(names[i] for i in order if i < len(names) and i not in self.dropped_calls)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PlannedMemory:
        """Rebuild what `vars` described."""
        joined = tuple(
            (int(first), int(second)) for first, second in document.get("joined_calls", ())
        )
        dropped = tuple(document["dropped_calls"])
        order = tuple(document.get("order", ()))
        return cls(**{**document, "dropped_calls": dropped, "joined_calls": joined, "order": order})


@dataclass(frozen=True)
class PteArtifact:
    """A checked and stripped `.pte` and all that later stages need to know about it."""

    pte: bytes
    name: str
    sha256: str  #: of `pte`
    source_sha256: str  #: of the file before stripping
    method_name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: tuple[OperatorUse, ...]
    planned_buffers: tuple[int, ...]  #: bytes of each memory-planned buffer, from memory id 1 on
    method_bytes: int  #: what loading the method takes from the method allocator
    temp_bytes: int  #: the largest scratch any call takes from the temp allocator
    macs: int  #: multiply-accumulates per inference
    isa: Isa | None  #: None: unknown, a user's `.pte`
    io: str | None  #: "int8", "float", or None for a mixture
    executorch_version: str
    stripped_bytes: int  #: how much smaller `pte` is than the file it was made from
    softmax_output: (
        bool  #: output 0 holds a classifier's logits: softmax turns it into probabilities
    )
    profile_model: str  #: what the MLPerf Tiny command `profile%` answers: "ic01", or the name
    keeps_state: bool = False  #: an inference may depend on those before it: mutable buffers
    full_runtime: bool = False  #: needs what MCUGEN_RUNTIME_FULL adds to the firmware's runtime
    notes: tuple[str, ...] = ()  #: what was done to the model that its author may not expect
    least_stack_bytes: int = 0  #: where the runtime is not ours and its need is not known
    planned: PlannedMemory | None = None  #: None: as the exporter planned it
    own_runtime: bool = True  #: False: `method_bytes` and `temp_bytes` are estimates, upwards

    def to_json(self) -> dict[str, Any]:
        """Return everything but the bytes of the `.pte`, as JSON-able values."""
        document = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name != "pte"
        }
        document["inputs"] = [vars(spec) for spec in self.inputs]
        document["outputs"] = [vars(spec) for spec in self.outputs]
        document["operators"] = [vars(use) for use in self.operators]
        document["planned"] = vars(self.planned) if self.planned else None
        document["isa"] = self.isa.value if self.isa else None
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any], pte: bytes) -> PteArtifact:
        """Rebuild what `to_json` described; raises PteError if `pte` is not the one described."""
        if cache.sha256_hex(pte) != document["sha256"]:
            raise PteError(f"{document['name']}: the .pte does not match its description")
        values = dict(document)
        values["inputs"] = tuple(_spec_from_json(spec) for spec in document["inputs"])
        values["outputs"] = tuple(_spec_from_json(spec) for spec in document["outputs"])
        values["operators"] = tuple(
            OperatorUse(use["name"], use["calls"], use["int8"], tuple(use["layers"]))
            for use in document["operators"]
        )
        values["planned_buffers"] = tuple(document["planned_buffers"])
        values["notes"] = tuple(document.get("notes", ()))  # not in an earlier mcugen's
        planned = document.get("planned")
        values["planned"] = PlannedMemory.from_json(planned) if planned else None
        values["isa"] = Isa(document["isa"]) if document["isa"] else None
        return cls(pte=pte, **values)


def _spec_from_json(spec: dict[str, Any]) -> TensorSpec:
    return TensorSpec(
        **{**spec, "shape": tuple(spec["shape"]), "dim_order": tuple(spec["dim_order"])}
    )
