# SPDX-License-Identifier: BSD-3-Clause
"""Whether what a factory made can be quantized at all; said before anything slow. Imports torch."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from mcugen.base.errors import ConfigError

#: Of modules whose weights are integers already.
_QUANTIZED = ("torch.ao.nn.quantized", "torch.nn.quantized", "torch.ao.nn.intrinsic.quantized")


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """Return the module that torch.compile or a data-parallel wrapper was put around."""
    if isinstance(module, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
        return unwrapped(module.module)
    inner = getattr(module, "_orig_mod", None)
    return unwrapped(inner) if isinstance(inner, torch.nn.Module) else module


def copied(module: Any) -> Any:
    """Return a deep copy; a graph's is made by parts of torch that torch itself warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return copy.deepcopy(module)


def apart(inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return example inputs none of which is another one: torch's tracer takes such for one."""
    seen: set[int] = set()
    found = []
    for value in inputs:
        found.append(value.clone() if id(value) in seen else value)
        seen.add(id(value))
    return tuple(found)


def check_made(module: torch.nn.Module, inputs: Sequence[torch.Tensor], where: str) -> None:
    """Raise ConfigError, naming what it is, for a module or example inputs that cannot be used."""
    if isinstance(module, torch.jit.ScriptModule):
        raise ConfigError(
            f"{where}: a TorchScript module, which torch.export does not take",
            hint="Return the torch.nn.Module that it was made of.",
        )
    for name, each in module.named_modules():
        if type(each).__module__.startswith(_QUANTIZED):
            raise ConfigError(
                f"{where}: layer {name or type(each).__name__} is quantized already",
                hint="Return the model in float32: mcugen quantizes it for the device.",
            )
    check_tensors(module, inputs, where)
    _check_count(module, inputs, where)


def check_tensors(module: torch.nn.Module, inputs: Sequence[torch.Tensor], where: str) -> None:
    """Raise ConfigError for tensors without values, elsewhere than on the CPU, or not finite."""
    tensors = [(f"example input {index}", value) for index, value in enumerate(inputs)]
    for what, value in tensors:
        if value.layout is not torch.strided:
            raise ConfigError(f"{where}: {what} is sparse", hint="Give it with .to_dense().")
        if value.numel() == 0:
            raise ConfigError(f"{where}: {what} has no elements: its shape is {list(value.shape)}")
    parameters = [(f"parameter '{name}'", value) for name, value in module.named_parameters()]
    buffers = [(f"buffer '{name}'", value) for name, value in module.named_buffers()]
    for what, value in (*tensors, *parameters, *buffers):
        if value.device.type == "meta":
            raise ConfigError(
                f"{where}: {what} is on the device 'meta', where tensors have no values",
                hint="Build the model on the CPU and load its weights.",
            )
        if value.device.type != "cpu":
            raise ConfigError(
                f"{where}: {what} is on the device '{value.device}'; quantization runs on the CPU",
                hint="Return module.cpu(), and example inputs with .cpu().",
            )
    for what, value in parameters:  # a buffer may be a mask of -inf
        if isinstance(value, torch.nn.parameter.UninitializedParameter):
            continue
        if value.layout is not torch.strided:
            continue
        bad = int((~value.isfinite()).sum())
        if bad:
            raise ConfigError(
                f"{where}: {bad} of {value.numel()} values of {what} are NaN or infinite",
                hint="Its training diverged, or what was loaded is not what was saved.",
            )


def _check_count(module: torch.nn.Module, inputs: Sequence[torch.Tensor], where: str) -> None:
    """Raise ConfigError if forward() cannot be called with as many tensors: samples, say."""
    try:
        signature = inspect.signature(module.forward)
    except (TypeError, ValueError):  # code that Python does not know the arguments of
        return
    try:
        signature.bind(*inputs)
    except TypeError as error:
        hint = (
            "example_inputs is a tuple of tensors, one per argument of forward(), in its order; "
            "give keyword-only arguments a default."
        )
        if len(inputs) > 1 and all(value.shape == inputs[0].shape for value in inputs):
            hint = (
                "Are these samples? Return (module, (torch.zeros(1, 3, 32, 32),), samples), the "
                "second being one example of what forward() takes."
            )
        raise ConfigError(
            f"{where} returned {len(inputs)} example inputs for forward{signature}: {error}",
            hint=hint,
        ) from None
