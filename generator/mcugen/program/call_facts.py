# SPDX-License-Identifier: BSD-3-Clause
"""The kernel calls of a program one by one: operator, tensors, cost; and in which order they run.

Calls are numbered over all chains in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mcugen.program.artifact import DTYPES, PteArtifact
from mcugen.program.calls import call_macs
from mcugen.program.operator_table import PRIM, operator
from mcugen.program.values import call_name, tensor_bytes


@dataclass(frozen=True)
class CallTensor:
    """A tensor among a call's arguments."""

    name: str  #: in the operator's schema: "weight"
    shape: tuple[int, ...]  #: as the program has it; logical
    dtype: str  #: numpy's name
    nbytes: int
    constant: bool  #: its bytes come with the `.pte`

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class CallFacts:
    """One kernel call of a program."""

    number: int  #: among all kernel calls
    operator: str  #: "cortex_m::quantized_conv2d.out"
    function: str  #: of the firmware, in namespace mcugen::ops
    macs: int  #: multiply-accumulates
    inputs: tuple[CallTensor, ...]  #: tensors that are read, constants among them
    outputs: tuple[CallTensor, ...]
    own: int | None  #: among the calls that are not symbolic arithmetic; None for one that is


@dataclass(frozen=True)
class CallSequence:
    """A program's calls, and which of them may follow which."""

    calls: tuple[CallFacts, ...]
    #: By (chain, instruction): the number of the call there, or where a jump may lead.
    _kinds: tuple[tuple[tuple[str, int], ...], ...]

    @cached_property
    def _positions(self) -> dict[int, tuple[int, int]]:
        return {
            value: (chain, index)
            for chain, kinds in enumerate(self._kinds)
            for index, (kind, value) in enumerate(kinds)
            if kind == "call"
        }

    @property
    def straight(self) -> tuple[int | None, ...] | None:
        """Of each instruction in order the number of its call, or None; None: there are jumps."""
        kinds = [each for chain in self._kinds for each in chain]
        if any(kind == "jump" for kind, _ in kinds):
            return None
        return tuple(value if kind == "call" else None for kind, value in kinds)

    def layers(self, names: Sequence[str]) -> tuple[str | None, ...]:
        """Return the layer of each call: "" of one that is symbolic arithmetic; None: not known.

        Args:
            names: of each call that is none; of another length: not known.
        """
        if len(names) != sum(each.own is not None for each in self.calls):
            return (None,) * len(self.calls)
        return tuple("" if each.own is None else names[each.own] for each in self.calls)

    def after(self, number: int | None) -> tuple[CallFacts, ...]:
        """Return the calls one of which runs next after call `number`; None: at the start.

        More than one where the program branches in between, the one without a jump first.
        """
        reached = dict.fromkeys(self._reached(number))
        return tuple(self.calls[each] for each in reached if each is not None)

    def may_end(self, number: int | None) -> bool:
        """Return whether the program may end after call `number` without another."""
        return None in self._reached(number)

    def _reached(self, number: int | None) -> Iterator[int | None]:
        chain, index = (0, -1) if number is None else self._positions[number]
        pending, seen = [(chain, index + 1)], set()
        while pending:
            chain, index = place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            if chain >= len(self._kinds):
                yield None
                continue
            if index >= len(self._kinds[chain]):
                pending.append((chain + 1, 0))
                continue
            kind, value = self._kinds[chain][index]
            if kind == "call":
                yield value
                continue
            if kind == "jump":
                pending.append((chain, value))
            pending.append((chain, index + 1))


def call_sequence(artifact: PteArtifact) -> CallSequence:
    """Return the kernel calls of a checked program."""
    from mcugen.program.container import deserialize, find_method

    file = deserialize(artifact.pte, name=artifact.name)
    return sequence_of(find_method(file.program, name=artifact.name))


def sequence_of(plan: Any) -> CallSequence:
    """Return the kernel calls of an ExecutionPlan of executorch.exir.schema."""
    calls: list[CallFacts] = []
    kinds = []
    own = 0
    for chain in plan.chains:
        row: list[tuple[str, int]] = []
        for instruction in chain.instructions:
            each = instruction.instr_args
            match type(each).__name__:
                case "KernelCall":
                    is_own = not call_name(plan, each).startswith(PRIM)
                    row.append(("call", len(calls)))
                    calls.append(_facts(plan, each, len(calls), own if is_own else None))
                    own += is_own
                case "JumpFalseCall":
                    row.append(("jump", int(each.destination_instruction)))
                case _:
                    row.append(("other", 0))
        kinds.append(tuple(row))
    return CallSequence(tuple(calls), tuple(kinds))


def _facts(plan: Any, call: Any, number: int, own: int | None) -> CallFacts:
    name, args = call_name(plan, call), list(call.args)
    called = operator(name)
    inputs: list[CallTensor] = []
    outputs: list[CallTensor] = []
    for argument, index in zip(called.arguments, args, strict=False):
        for item in _tensors(plan, index):
            tensor = plan.values[item].val
            known = CallTensor(
                argument.name,
                tuple(tensor.sizes),
                DTYPES[int(tensor.scalar_type)][0],
                tensor_bytes(tensor),
                tensor.allocation_info is None and bool(tensor.data_buffer_idx),
            )
            (outputs if argument.written else inputs).append(known)
    return CallFacts(
        number,
        name,
        called.function,
        call_macs(plan, name, args),
        tuple(inputs),
        tuple(outputs),
        own,
    )


def _tensors(plan: Any, index: int) -> list[int]:
    value = plan.values[index].val
    match type(value).__name__:
        case "Tensor":
            return [index]
        case "TensorList" | "OptionalTensorList":
            return [item for item in value.items if item != -1]
    return []
