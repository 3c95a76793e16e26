# SPDX-License-Identifier: BSD-3-Clause
"""From a quantized program to a `.pte`."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError, LoweringError
from mcugen.base.explain import explain, first_line
from mcugen.base.quiet import quiet
from mcugen.boards.spec import Isa
from mcugen.export.changes import graph_changes
from mcugen.export.lowering_report import IO_KINDS, LoweringReport, OperatorReport
from mcugen.export.model_operators import EDGES, model_operators
from mcugen.export.provenance import layer_of, line_of, place

if TYPE_CHECKING:
    from mcugen.export.quantize import QuantizedProgram

#: What the quantizer takes and the firmware would compute in plain integers, too. Where all else
#: stands with int8 tensors, it copies or selects.
_ARITHMETIC = frozenset(
    f"aten::{name}"
    for name in (
        *("add", "addmm", "avg_pool2d", "bmm", "div", "linear", "log", "log10", "log1p", "log2"),
        *("mean", "mm", "mul", "rsqrt", "sigmoid", "silu", "sqrt", "sub", "tanh"),
    )
)


def lower(
    quantized: QuantizedProgram,
    *,
    cpu: str,
    isa: Isa | None = None,
    io: str = "int8",
    verbose: bool = False,
) -> tuple[bytes, LoweringReport]:
    """Return the `.pte` as the exporter writes it, and the report.

    Args:
        quantized: the converted program.
        cpu: "cortex-m4"; the file depends on it.
        isa: what the kernels may use, if not the most that `cpu` has.
        io: "int8": inputs and outputs are the quantized tensors; "float": float32.

    Raises LoweringError if ExecuTorch cannot lower it; ConfigError for an unknown cpu.
    """
    if io not in IO_KINDS:
        raise ConfigError(f"unknown io '{io}': one of {', '.join(IO_KINDS)}")
    with quiet(verbose=verbose), warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")
        try:
            return _lower(quantized, cpu, isa, io)
        except (LoweringError, ConfigError):
            raise
        except Exception as error:  # ExecuTorch raises many types
            raise LoweringError(
                f"{quantized.name}: ExecuTorch cannot lower it for {cpu}: {explain(error)}",
                hint="--verbose shows ExecuTorch's own messages.",
            ) from error


def _target(cpu: str, isa: Isa | None) -> Any:
    from executorch.backends.cortex_m.library import cmsis_nn
    from executorch.backends.cortex_m.target_config import CortexMTargetConfig

    try:
        config = CortexMTargetConfig.from_target_string(cpu)
        if isa is None:
            return config
        return CortexMTargetConfig(cpu=config.cpu, isa=getattr(cmsis_nn.Backend, isa.name))
    except ValueError as error:
        raise ConfigError(f"ExecuTorch has no target {cpu} ({isa}): {first_line(error)}") from error


def _lower(
    quantized: QuantizedProgram, cpu: str, isa: Isa | None, io: str
) -> tuple[bytes, LoweringReport]:
    from executorch.backends.cortex_m.edge_compile_config import cortex_m_edge_compile_config
    from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
    from executorch.exir import ExecutorchBackendConfig, to_edge

    from mcugen.export.passes.manager import lowering_passes

    target = _target(cpu, isa)
    edge = to_edge(quantized.program, compile_config=cortex_m_edge_compile_config())
    if io == "int8":
        edge = _quantize_io(quantized.name, edge)
    edge._edge_programs["forward"] = CortexMPassManager(
        edge.exported_program(), passes=lowering_passes(), target_config=target
    ).transform()
    executorch = edge.to_executorch(ExecutorchBackendConfig(extract_delegate_segments=True))
    program = executorch.exported_program()
    operators = tuple(_operator_reports(program, quantized))
    became = model_operators(quantized.traced, quantized.captured, operators)
    report = LoweringReport(
        model=quantized.name,
        cpu=cpu,
        isa=target.backend.name.lower(),
        io=io,
        operators=operators,
        calibration=quantized.calibration,
        calibration_samples=quantized.calibration_samples,
        calibration_random=quantized.calibration_random,
        channels_last=True,
        notes=quantized.notes,
        model_operators=became,
        changes=quantized.changes + graph_changes(quantized.traced, quantized.captured, became),
    )
    return bytes(executorch.buffer), report


def _quantize_io(name: str, edge: Any) -> Any:
    """Remove the float edges: every float input and output becomes the int8 tensor behind it."""
    from executorch.exir.passes.quantize_io_pass import QuantizeInputs, QuantizeOutputs

    program = edge.exported_program()
    graph = program.graph_module.graph
    placeholders = {node.name: node for node in graph.nodes if node.op == "placeholder"}
    inputs, outputs = [], []
    for index, node_name in enumerate(program.graph_signature.user_inputs):
        node = placeholders[node_name]
        if not node.meta["val"].is_floating_point():
            continue
        users = list(node.users)
        if not users:
            raise LoweringError(
                f"{name}: nothing that the model returns depends on its input '{node_name}'",
                hint="Leave it out of forward()'s arguments, or build with --io float.",
            )
        if len(users) != 1 or "quantize_per_tensor" not in str(users[0].target):
            what = " and ".join(
                f"{user.target} in {place(layer_of(user), line_of(user))}" for user in users
            )
            raise LoweringError(
                f"{name}: input {index} cannot be int8: it goes into {what}, "
                "which is not quantized",
                hint="Build with --io float.",
            )
        inputs.append(index)
    for index, node in enumerate(graph.output_node().args[0]):
        if not node.meta["val"].is_floating_point():
            continue
        if "dequantize_per_tensor" not in str(node.target):
            raise LoweringError(
                f"{name}: output {index} cannot be int8: it comes from {node.target} in "
                f"{place(layer_of(node), line_of(node))}, which is not quantized",
                hint="Build with --io float.",
            )
        outputs.append(index)
    return edge.transform([QuantizeInputs(edge, inputs), QuantizeOutputs(edge, outputs)])


def _operator_reports(program: Any, quantized: QuantizedProgram) -> list[OperatorReport]:
    import torch

    from mcugen.export.provenance import short_name

    reports = []
    for node in program.graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue  # Allocations, views and tuple elements are no instructions.
        namespace, operator, overload = str(node.target).split(".")
        name = f"{namespace}::{operator}.{overload}"
        origin = _origin(node)
        int8 = name in EDGES or not _touches_float(node)
        if int8 and origin in quantized.sources and origin not in quantized.unquantized:
            _refuse_lost_scale(node, name, quantized.name)
        reason = None
        if not int8:
            reason = quantized.unquantized.get(origin)
            if reason is None and origin in quantized.sources:
                reason = (
                    f"{short_name(quantized.sources[origin])} was quantized, but lowering found no "
                    "int8 operator for it"
                )
            reason = reason or "it works on a tensor that was left in float"
        reports.append(
            OperatorReport(
                operator=name,
                layer=layer_of(node),
                source=short_name(quantized.sources.get(origin, "")),
                int8=int8,
                reason=reason,
                node=origin,
                line=line_of(node),
            )
        )
    return reports


def _refuse_lost_scale(node: Any, name: str, model: str) -> None:
    """Raise LoweringError if a quantized layer became an operator that knows no scale.

    mcugen.passes mends what is known to end so; this is for the rest, which would compute nonsense.
    """
    if name.partition(".")[0] in _ARITHMETIC and _takes_int8(node):
        raise LoweringError(
            f"{model}: {name} in {place(layer_of(node), line_of(node))} would compute "
            "with quantized values without their scale: ExecuTorch's lowering found no int8 "
            "operator for it",
            hint="Replace the layer, or write it in another way: as a module of its own, say.",
        )


def _origin(node: Any) -> str:
    """Return the name of the captured graph's node that `node` was made from."""
    history = node.meta.get("from_node") or []
    return history[0].name if history else ""


def _takes_int8(node: Any) -> bool:
    """Return whether an input is int8: quantized values are; wider integers are indices."""
    import torch

    values = (arg.meta.get("val") for arg in node.all_input_nodes)
    return any(isinstance(v, torch.Tensor) and v.dtype is torch.int8 for v in values)


def _touches_float(node: Any) -> bool:
    import torch

    values: list[Any] = [node.meta.get("val")]
    values += [arg.meta.get("val") for arg in node.all_input_nodes]
    flat = [v for value in values for v in (value if isinstance(value, (list, tuple)) else [value])]
    return any(
        isinstance(v, torch.Tensor) and v.is_floating_point() and math.prod(v.shape) for v in flat
    )
