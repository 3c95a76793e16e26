# SPDX-License-Identifier: BSD-3-Clause
"""Run a `.pte` on the host, instruction by instruction."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mcugen.base import cache
from mcugen.base.errors import ConfigError, PteError, UnsupportedOperatorError
from mcugen.base.quiet import quiet
from mcugen.program.artifact import DTYPES, PteArtifact, TensorSpec
from mcugen.program.container import deserialize, find_method
from mcugen.program.reference.numbers import NUMBERS
from mcugen.program.reference.operators import Operators
from mcugen.program.values import call_name, number_of, tensor_bytes

if TYPE_CHECKING:
    import torch

#: Files whose change makes kept outputs stale.
SOURCES = ("program/reference",)
#: As the device: a loop in a file ends (MCUGEN_MAX_INSTRUCTIONS).
_MAX_INSTRUCTIONS = 1 << 20
Progress = Callable[[str, int, int], None]


def run_reference(
    artifact: PteArtifact, inputs: Sequence[np.ndarray | bytes]
) -> tuple[np.ndarray, ...]:
    """Return every output of one inference.

    Args:
        artifact: whose `pte` bytes are run, exactly those the device holds.
        inputs: one per method input: the tensor's dtype, in memory order (NHWC for an image) or as
            raw bytes.

    Raises ConfigError for inputs of the wrong number, dtype or size.
    """
    return Reference(artifact).run(inputs)


def reference_outputs(
    artifact: PteArtifact, inputs: Sequence[np.ndarray], *, progress: Progress | None = None
) -> tuple[np.ndarray, ...]:
    """Return every output for a batch of samples, run in order; kept on disk.

    Args:
        artifact: whose `pte` bytes are run.
        inputs: one array per method input: [n, *memory shape], of its dtype.
        progress: called as progress(what, done, total).

    Returns one array per method output: [n, *memory shape].
    """
    count = len(inputs[0]) if inputs else 0
    if count == 0 or any(len(values) != count for values in inputs):
        raise ConfigError("the host reference needs the same number of samples for each input")
    key = cache.make_key(
        what="reference outputs",
        pte=artifact.sha256,
        inputs=[cache.sha256_hex(np.ascontiguousarray(values).tobytes()) for values in inputs],
        source=cache.source_hash(SOURCES),
        versions=cache.package_versions(("torch",)),
    )
    kept = cache.load("reference", key)
    if kept is not None:
        return tuple(
            np.load(io.BytesIO(kept[f"output{i}.npy"]), allow_pickle=False)
            for i in range(len(artifact.outputs))
        )
    reference = Reference(artifact)
    rows = []
    for index in range(count):
        if progress and index % 16 == 0:
            progress("host reference", index, count)
        rows.append(reference.run([values[index] for values in inputs]))
    if progress:
        progress("host reference", count, count)
    outputs = tuple(np.stack(column) for column in zip(*rows, strict=True))
    files = {}
    for i, values in enumerate(outputs):
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        files[f"output{i}.npy"] = buffer.getvalue()
    cache.store("reference", key, files)
    return outputs


class Reference:
    """A loaded program: buffers allocated, instructions decoded."""

    def __init__(self, artifact: PteArtifact) -> None:
        with quiet():
            import torch

        self._torch = torch
        self.artifact = artifact
        file = deserialize(artifact.pte, name=artifact.name)
        plan = find_method(file.program, name=artifact.name)
        self.plan = plan
        self.planned = [
            torch.zeros(size, dtype=torch.uint8) for size in plan.non_const_buffer_sizes
        ]
        self._constants = file.program.constant_buffer
        self._initial = file.mutable_data
        self._storage: dict[int, torch.Tensor] = {}  # value index to its bytes in memory order
        self._values: list[Any] = [None] * len(plan.values)
        for index, value in enumerate(plan.values):
            if type(value.val).__name__ == "Tensor":
                self._values[index] = self._tensor(index, value.val)
            else:
                self._values[index] = number_of(value.val)
        self._inputs = list(plan.inputs)
        self._outputs = list(plan.outputs)
        self._operators = Operators(torch)
        self._steps = [
            self._step(position, instruction.instr_args)
            for position, instruction in enumerate(plan.chains[0].instructions)
        ]

    def _tensor(self, index: int, tensor: Any) -> torch.Tensor:
        """Return a view with logical shape onto the bytes the memory plan gives the tensor."""
        torch = self._torch
        nbytes = tensor_bytes(tensor)
        data = b""
        if tensor.allocation_info is not None:
            start = tensor.allocation_info.memory_offset
            storage = self.planned[tensor.allocation_info.memory_id][start : start + nbytes]
            if tensor.data_buffer_idx:
                data = self._initial[tensor.data_buffer_idx].storage
        else:
            storage = torch.zeros(nbytes, dtype=torch.uint8)
            if tensor.data_buffer_idx:
                data = self._constants[tensor.data_buffer_idx].storage
        if data and nbytes:
            storage.copy_(torch.frombuffer(bytearray(data[:nbytes]), dtype=torch.uint8))
        self._storage[index] = storage
        return self._laid_out(tensor, storage)

    def _laid_out(self, tensor: Any, storage: torch.Tensor) -> torch.Tensor:
        """Return `storage` as a tensor of the program."""
        torch = self._torch
        name, item = DTYPES[int(tensor.scalar_type)]
        dtype = getattr(torch, name)
        if tensor_bytes(tensor) == 0:
            return torch.zeros(tuple(tensor.sizes), dtype=dtype)
        strides = [0] * len(tensor.sizes)
        step = 1
        for axis in reversed(tensor.dim_order):
            strides[axis] = step
            step *= max(tensor.sizes[axis], 1)
        # Overlapping views of one buffer, as in the device's planned memory.
        return storage.view(dtype).as_strided(
            tuple(tensor.sizes), strides, storage.storage_offset() // item
        )

    def _value(self, index: int) -> Any:
        """Return what a value is now; a list is made of what its items are now."""
        value = self.plan.values[index].val
        match type(value).__name__:
            case "String":
                return value.string_val
            case "BoolList" | "DoubleList":
                return list(value.items)
            case "IntList" | "TensorList":
                return [self._values[item] for item in value.items]
            case "OptionalTensorList":
                return [self._values[item] if item != -1 else None for item in value.items]
        return self._values[index]

    # --- instructions ---

    def _step(self, position: int, instruction: Any) -> Callable[[], int]:
        """Return a call that does one instruction and returns the position of the next."""
        following = position + 1
        match type(instruction).__name__:
            case "MoveCall":
                source, target = instruction.move_from, instruction.move_to

                def move() -> int:
                    self._values[target] = self._values[source]
                    if source in self._storage:
                        self._storage[target] = self._storage[source]
                    return following

                return move
            case "JumpFalseCall":
                condition = instruction.cond_value_index
                destination = int(instruction.destination_instruction)

                def jump() -> int:
                    value = self._values[condition]
                    # A tensor counts as false if any of its elements is.
                    return following if bool(self._torch.as_tensor(value).all()) else destination

                return jump
            case "FreeCall":
                return lambda: following
        call = self._call(call_name(self.plan, instruction), list(instruction.args))

        def run() -> int:
            call()
            return following

        return run

    def _call(self, name: str, args: list[int]) -> Callable[[], None]:
        compute = NUMBERS.get(name)
        if compute is not None:

            def number() -> None:
                values = [self._value(index) for index in args[:-1]]
                try:
                    self._values[args[-1]] = compute(*values)
                except ArithmeticError as error:
                    raise PteError(f"{self.artifact.name}: {name}: {error}") from error

            return number
        if name.startswith("executorch_prim::et_view"):
            return lambda: self._view(args[0], args[-1])
        if name.startswith("executorch_prim::"):
            raise UnsupportedOperatorError(f"the host reference has no operator {name}")
        if self._is_fixed(args):
            return self._operators.bind(name, [self._value(index) for index in args])
        # Where values change, arguments are what they are when the call is reached.
        self._operators.bind(name, [self._value(index) for index in args])  # refuses what it lacks
        return lambda: self._operators.bind(name, [self._value(index) for index in args])()

    def _is_fixed(self, args: list[int]) -> bool:
        """Whether the arguments of a call are the same each time: no instruction changes them."""
        items = [
            item
            for index in args
            if type(self.plan.values[index].val).__name__
            in ("IntList", "TensorList", "OptionalTensorList")
            for item in self.plan.values[index].val.items
        ]
        return self._changed.isdisjoint((*args, *items))

    @functools.cached_property
    def _changed(self) -> frozenset[int]:
        """The values that moves, views and arithmetic on numbers make others."""
        changed = set()
        for instruction in self.plan.chains[0].instructions:
            arguments = instruction.instr_args
            if type(arguments).__name__ == "MoveCall":
                changed.add(arguments.move_to)
            elif type(arguments).__name__ == "KernelCall":
                name = call_name(self.plan, arguments)
                if name in NUMBERS or name.startswith("executorch_prim::"):
                    changed.add(arguments.args[-1])
        return frozenset(changed)

    def _view(self, source: int, target: int) -> None:
        """Give a tensor the memory of another one, in its own shape."""
        self._storage[target] = self._storage[source]
        self._values[target] = self._laid_out(self.plan.values[target].val, self._storage[source])

    # --- an inference ---

    def run(
        self,
        inputs: Sequence[np.ndarray | bytes],
        *,
        on_step: Callable[[int], None] | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Run one inference; see `run_reference`.

        on_step: called with the position of each instruction once it is done.
        """
        torch = self._torch
        if len(inputs) != len(self._inputs):
            raise ConfigError(
                f"{self.artifact.name} takes {len(self._inputs)} inputs, got {len(inputs)}"
            )
        for spec, index, value in zip(self.artifact.inputs, self._inputs, inputs, strict=True):
            if isinstance(value, np.ndarray) and value.dtype != np.dtype(spec.dtype):
                raise ConfigError(f"{spec.name} is {spec.dtype}, got {value.dtype}")
            data = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
            if len(data) != spec.nbytes:
                raise ConfigError(f"{spec.name} takes {spec.nbytes:,} B, got {len(data):,} B")
            if spec.fixed is not None:
                if data != np.array(spec.fixed, spec.dtype).tobytes():
                    raise ConfigError(f"{spec.name} is not the value that was traced, {spec.fixed}")
            elif data:
                self._storage[index].copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        # These operators are too small to share out: a second thread only waits for the first.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                self._run_steps(on_step)
        finally:
            torch.set_num_threads(threads)
        return tuple(
            self._output(spec, index)
            for spec, index in zip(self.artifact.outputs, self._outputs, strict=True)
        )

    def computed(self, index: int) -> torch.Tensor:
        """Return a copy of the tensor that a value is now."""
        tensor: torch.Tensor = self._values[index]
        return tensor.clone()

    def _run_steps(self, on_step: Callable[[int], None] | None) -> None:
        position = left = 0
        while position < len(self._steps):
            done = position
            position = self._steps[position]()
            if on_step is not None:
                on_step(done)
            left += 1
            if left > _MAX_INSTRUCTIONS:
                raise PteError(
                    f"{self.artifact.name} does not end: {_MAX_INSTRUCTIONS:,} instructions"
                )

    def _output(self, spec: TensorSpec, index: int) -> np.ndarray:
        if index in self._storage:
            data = self._storage[index].numpy().tobytes()
        else:
            data = np.array(self._values[index] if spec.nbytes else [], spec.dtype).tobytes()
        return np.frombuffer(data, np.dtype(spec.dtype)).reshape(spec.memory_shape)
