# SPDX-License-Identifier: BSD-3-Clause
"""The references, in a process of their own: torch is loaded once, and may crash.

Requests and replies are pickles behind their length (u64) on stdin and stdout. A request is
(name of a function below, arguments); the reply ("ok", result) or ("error", text).
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from op_case import OpCase, Out, T

Answer = list[bytes] | str  #: the results in memory order, or why there are none


def build(cases: Sequence[OpCase]) -> Any:
    """Return the build_pte.Batch of `cases`."""
    import build_pte

    return build_pte.build_pte(cases)


def expect(cases: Sequence[OpCase]) -> list[tuple[OpCase, Answer]]:
    """Return each case with the shapes of its outputs, and what the reference gives."""
    found: list[tuple[OpCase, Answer]] = []
    on_runtime: list[int] = []
    for case in cases:
        try:
            # Our linear layer is the wheel's, with its multipliers in another place.
            if (
                case.op.startswith(("cortex_m::", "mcugen::quantized_linear."))
                or "_in_place" in case.op
            ):
                found.append(_cortex_m(case))
                continue
            if case.op.startswith("mcugen::"):
                found.append((case, _own(case)))
                continue
            case = _shaped(case)
            if not _host_runtime_defines(case):
                try:
                    found.append((case, _torch(case)))
                    continue
                except Exception:
                    if case.op not in _host_operators():
                        raise
            on_runtime.append(len(found))
            found.append((case, "not run"))
        except Exception as error:
            found.append((case, f"no reference: {type(error).__name__}: {error}"))
    answers = _host_runtime([found[index][0] for index in on_runtime])
    for index, answer in zip(on_runtime, answers, strict=True):
        case = found[index][0]
        if isinstance(answer, str):
            # Some layouts and types it refuses where torch computes, and so do we.
            try:
                answer = _torch(case)
            except Exception as error:
                answer = f"{answer}; torch: {type(error).__name__}: {error}"
        found[index] = (case, answer)
    return found


def _host_runtime_defines(case: OpCase) -> bool:
    """Whether the host runtime has the operator, and defines it for the layouts.

    Of layouts other than contiguous some of its operators take no notice: they pair elements, or
    walk along a dimension, as if memory were contiguous.
    """
    if case.op not in _host_operators():
        return False
    # Operators on layouts themselves are for such tensors.
    return case.op.startswith("dim_order_ops::") or all(
        each.order is None or tuple(each.order) == tuple(range(len(each.order)))
        for each in [*_tensors(case.args), *case.outs]
    )


@cache
def _host_operators() -> frozenset[str]:
    from executorch.runtime import Runtime

    return frozenset(Runtime.get().operator_registry.operator_names)


def _tensors(arguments: Sequence[Any]) -> list[T]:
    found = []
    for argument in arguments:
        if isinstance(argument, T):
            found.append(argument)
        elif isinstance(argument, list | tuple):
            found += _tensors(argument)
    return found


def _torch_tensor(tensor: T) -> Any:
    """A torch tensor with the strides of the case's memory order."""
    import torch

    memory = tensor.array.transpose(tensor.dim_order)
    back = [int(axis) for axis in np.argsort(tensor.dim_order)]
    return torch.from_numpy(np.array(memory, order="C", copy=True)).permute(back)


def _torch_argument(value: Any) -> Any:
    if isinstance(value, T):
        return _torch_tensor(value)
    if isinstance(value, list | tuple):
        return [_torch_argument(each) for each in value]
    return value


def _shaped(case: OpCase) -> OpCase:
    """Fill in the outputs' shapes with those torch's own operator gives."""
    if all(out.shape is not None for out in case.outs):
        return case
    from mcugen.program import operator_table

    if not operator_table.operator(case.op).outputs:
        return replace(case, outs=tuple(replace(out, shape=()) for out in case.outs))
    return replace(
        case,
        outs=tuple(
            replace(out, shape=tuple(tensor.shape)) if out.shape is None else out
            for out, tensor in zip(case.outs, _torch_outs(case), strict=True)
        ),
    )


def _torch(case: OpCase) -> list[bytes]:
    """Return what torch's own operator gives."""
    results = []
    for out, tensor in zip(case.outs, _torch_outs(case), strict=True):
        if tuple(tensor.shape) != out.shape:
            raise ValueError(f"torch gives {tuple(tensor.shape)}, the case {out.shape}")
        array = np.ascontiguousarray(tensor.numpy())
        results.append(T(array, out.order).memory())
    return results


def _torch_outs(case: OpCase) -> list[Any]:
    """Call torch's out variant; contiguous where it has no code for the layout."""
    try:
        return _call_torch(case)
    except NotImplementedError:
        return _call_torch(replace(case, args=_contiguous(case.args)))


def _contiguous(arguments: Any) -> Any:
    if isinstance(arguments, T):
        return T(arguments.array)
    if isinstance(arguments, list | tuple):
        return type(arguments)(_contiguous(each) for each in arguments)
    return arguments


def _call_torch(case: OpCase) -> list[Any]:
    import torch

    namespace, _, rest = case.op.partition("::")
    name, _, overload = rest.partition(".")
    packet = getattr(getattr(torch.ops, namespace), name)
    given = [_torch_argument(each) for each in case.args]
    if namespace == "quantized_decomposed":
        # The library of out variants crashes on other layouts; these are defined in Python.
        plain = overload.removesuffix("out").removesuffix("_").lower() or "default"
        if plain in packet.overloads():
            return _call_functional(getattr(packet, plain), given)
    function = getattr(packet, overload or "default")
    if case.op == "aten::view_copy.out":  # some reshapes of other layouts torch only copies
        given[0] = given[0].contiguous()
    if case.op.startswith("aten::index"):  # masks of uint8 are masks of bool, if an older form
        given = [
            [each.bool() if each is not None and each.dtype == torch.uint8 else each for each in g]
            if isinstance(g, list)
            else g
            for g in given
        ]
    outs = [torch.empty(0, dtype=getattr(torch, out.dtype)) for out in case.outs]
    positional, keywords = [], {}
    written = list(outs)
    for argument in function._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = written if "List" in str(argument.type) else written.pop(0)
        elif given:
            value = _typed(argument, given.pop(0), torch)
        else:
            continue
        if argument.kwarg_only:
            keywords[argument.name] = value
        else:
            positional.append(value)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*positional, **keywords)
    return outs


def _call_functional(function: Any, given: list[Any]) -> list[Any]:
    import torch

    positional, keywords = [], {}
    for argument, value in zip(function._schema.arguments, given, strict=False):
        value = _typed(argument, value, torch)
        if argument.kwarg_only:
            keywords[argument.name] = value
        else:
            positional.append(value)
    with torch.no_grad():
        result = function(*positional, **keywords)
    return list(result) if isinstance(result, list | tuple) else [result]


def _typed(argument: Any, value: Any, torch: Any) -> Any:
    """A `.pte` holds a dtype as a number."""
    if argument.name in ("dtype", "out_dtype") and isinstance(value, int):
        from mcugen.program.artifact import DTYPES

        return getattr(torch, DTYPES[value][0])
    if argument.name in ("layout", "memory_format", "device") and isinstance(value, int):
        return None
    return value


def _host_runtime(cases: Sequence[OpCase]) -> list[Answer]:
    """Run the cases on the wheel's host runtime: all in one program, else each in its own."""
    if not cases:
        return []
    together = _run_on_host(cases)
    if not isinstance(together, str):
        return list(together)
    if len(cases) == 1:
        return [together]
    half = len(cases) // 2
    return _host_runtime(cases[:half]) + _host_runtime(cases[half:])


def _run_on_host(cases: Sequence[OpCase]) -> list[list[bytes]] | str:
    """Run in a fork: some calls bring the process down, and torch takes seconds to load."""
    batch = build(cases)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(_execute(batch.pte))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reply = pipe.read()
    _, status = os.waitpid(child, 0)
    if status or not reply:
        return "the host runtime crashes"
    if reply[:1] != b"+":
        return f"the host runtime refuses it: {reply[1:].decode()}"
    return batch.split(reply[1:])


def _execute(pte: bytes) -> bytes:
    """Return "+" and the output, or "-" and why there is none."""
    from executorch.runtime import Runtime

    try:
        method = Runtime.get().load_program(pte).load_method("forward")
        assert method is not None
        (output,) = method.execute([])
    except Exception as error:
        return b"-" + str(error).encode()
    return b"+" + output.numpy().tobytes()


# -- cortex_m


def _cortex_m(case: OpCase) -> tuple[OpCase, Answer]:
    import cortex_m_reference

    args = [_torch_argument(each) for each in case.args]
    result = cortex_m_reference.compute(case.op, args)
    out = case.outs[0]
    shape = tuple(result.shape)
    if out.shape is not None and out.shape != shape:
        raise ValueError(f"the reference gives {shape}, the case {out.shape}")
    out = Out(out.dtype, shape, out.order)
    array = np.ascontiguousarray(result.numpy())
    return replace(case, outs=(out,)), [T(array.astype(out.dtype), out.order).memory()]


# -- mcugen


def _own(case: OpCase) -> list[bytes]:
    """Return what the host reference gives: nobody else has these operators."""
    from mcugen.program.reference.operators import register
    from mcugen.program.reference.registry import COMPUTED

    register()
    arguments = [_torch_argument(each) for each in case.args]
    results = COMPUTED[case.op.removesuffix(".out")](*arguments)
    if not isinstance(results, tuple):
        [out] = case.outs
        assert (tuple(results.shape), str(results.dtype)) == (out.shape, f"torch.{out.dtype}")
        return [T(results.numpy(), out.order).memory()]
    shapes = [(tuple(each.shape), str(each.dtype)) for each in results]
    assert shapes == [(out.shape, f"torch.{out.dtype}") for out in case.outs], shapes
    return [each.numpy().tobytes() for each in results[:-1]]  # without scratch


# -- networks


def network(seed: int) -> Any:
    """Return the networks.Network of `seed`."""
    import networks

    return networks.export(seed)


FUNCTIONS: dict[str, Callable[..., Any]] = {"build": build, "expect": expect, "network": network}


def main() -> None:
    gc.set_threshold(100_000, 50, 100)  # as tests/conftest.py has it, and says why
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the replies
    requests = sys.stdin.buffer
    import torch

    torch.set_num_threads(1)
    import executorch.kernels.quantized  # noqa: F401 (registers its operators in the host runtime)

    while head := requests.read(8):
        (size,) = struct.unpack("<Q", head)
        function, arguments = pickle.loads(requests.read(size))
        try:
            reply: tuple[str, Any] = ("ok", FUNCTIONS[function](*arguments))
        except Exception:
            reply = ("error", traceback.format_exc())
        data = pickle.dumps(reply)
        replies.write(struct.pack("<Q", len(data)) + data)
        replies.flush()


if __name__ == "__main__":
    main()
