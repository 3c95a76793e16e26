# SPDX-License-Identifier: BSD-3-Clause
"""Trace a module, and put the graph into the form that quantization takes for granted."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import QuantizationError
from mcugen.base.explain import explain
from mcugen.export.io_names import with_plain_outputs
from mcugen.export.provenance import line_of

if TYPE_CHECKING:
    import torch


#: In the graph's `meta`: the TracedOperators that it stands for.
TRACED = "mcugen_traced"


def capture(name: str, module: Any, inputs: tuple[torch.Tensor, ...]) -> Any:
    """Return `module` as a graph of ATen operators for settle_lows, and after it for prepare_pt2e.

    Traced as the user's code runs, in PyTorch's own memory order: there every view in it is legal.
    Then, in this order: no operator writes to a tensor that another one sees, what depends on
    parameters only is computed, recurrent layers and norms by a sample's own statistics are one
    operator each, masks and writes are selections, batch norm is in a layer or one of its own, and
    images lie in memory as the device's operators want them.

    Raises QuantizationError if torch cannot trace it, or if it keeps state.
    """
    from mcugen.export.captured.attention import replace_attention
    from mcugen.export.captured.channels import settle_channels
    from mcugen.export.captured.computed_weights import settle_computed_weights
    from mcugen.export.captured.constants import fold_constants
    from mcugen.export.captured.curves import replace_curves
    from mcugen.export.captured.gates import fold_hardsigmoids
    from mcugen.export.captured.layouts import settle_layouts
    from mcugen.export.captured.masked_parts import replace_masked_parts
    from mcugen.export.captured.masked_softmax import replace_masked_softmax
    from mcugen.export.captured.masks import replace_masks
    from mcugen.export.captured.norms import settle_norms
    from mcugen.export.captured.one_dimension import lift_signals
    from mcugen.export.captured.origins import mark_operators
    from mcugen.export.captured.paddings import settle_paddings
    from mcugen.export.captured.pools import settle_pools
    from mcugen.export.captured.products import settle_products
    from mcugen.export.captured.recurrent import replace_recurrent
    from mcugen.export.captured.reductions import settle_reductions
    from mcugen.export.captured.sample_norms import replace_sample_norms
    from mcugen.export.captured.training import refuse_training
    from mcugen.export.captured.writes import replace_writes

    program = trace(name, module, inputs)
    refuse_training(name, program)
    _refuse_state(name, program)
    traced = mark_operators(program)
    # This makes the graph functional, too. Observers put into one that is not would see a tensor
    # before a write that changes it.
    graph = program.run_decompositions(_in_parts()).module(check_guards=False)
    with_plain_outputs(graph)
    for node in graph.graph.nodes:
        # Provenance starts here: reports look an operator up by its name in this graph.
        node.meta.pop("from_node", None)
    for rewrite in (
        replace_masked_parts,
        fold_constants,
        replace_recurrent,
        replace_writes,
        replace_masked_softmax,
        replace_attention,
        functools.partial(settle_computed_weights, name),
        settle_products,
        replace_sample_norms,
        replace_curves,
        replace_masks,
        fold_constants,
        settle_paddings,
        lift_signals,
        settle_pools,
        settle_reductions,
        settle_channels,
        settle_norms,
        fold_hardsigmoids,
        settle_layouts,
    ):
        rewrite(graph)
    graph.graph.eliminate_dead_code()
    graph.graph.lint()
    graph.recompile()
    graph.meta[TRACED] = traced
    return graph


def _in_parts() -> dict[Any, Any]:
    """Return decompositions of what lowering would take apart after the quantizer has seen it."""
    import torch
    from torch._decomp import get_decompositions
    from torch._export.utils import _get_decomp_for_cia

    aten = torch.ops.aten
    table = get_decompositions([aten.glu, aten.lerp, aten.addcmul, aten.addcdiv])
    composite = (aten.einsum.default, aten.clip.default)
    return {**table, **{operator: _get_decomp_for_cia(operator) for operator in composite}}


def trace(name: str, module: Any, inputs: tuple[torch.Tensor, ...], *, strict: bool = True) -> Any:
    """Return torch's exported program of a module.

    Args:
        strict: by Dynamo, and as Python runs only if that fails; or the other way round, which
            takes less time and cannot tell layers from each other as well.

    Raises QuantizationError if torch can do neither.
    """
    import torch

    try:
        return torch.export.export(module, inputs, strict=strict)
    except Exception as strict_error:
        try:
            return torch.export.export(module, inputs, strict=not strict)
        except Exception:
            raise QuantizationError(
                f"{name}: torch.export cannot trace it: {explain(strict_error)}",
                hint="Run it with --verbose for torch's own explanation.",
            ) from strict_error


def _refuse_state(name: str, captured: Any) -> None:
    """Raise QuantizationError if the model changes buffers: PT2E takes them for constants.

    It folds what is read from such a buffer into the program, so that the state would never change.
    """
    changed = sorted(_changed_buffers(captured).items())
    if changed:
        names = [f"'{name}' ({line})" if line else f"'{name}'" for name, line in changed]
        what = f"buffer{'s' * (len(names) > 1)} {', '.join(names)}"
        raise QuantizationError(
            f"{name}: its forward() changes {what}; quantization would freeze what is there",
            hint="Keep the state outside: as an input and an output. Or export the model in float, "
            "with ExecuTorch's to_edge and InitializedMutableBufferPass, and build the .pte.",
        )


def _changed_buffers(captured: Any) -> dict[str, str | None]:
    """Return the buffers that a captured program writes to, itself or through views, and where."""
    # Captured programs are not functional: the signature does not tell.
    buffers = captured.graph_signature.inputs_to_buffers
    changed: dict[str, str | None] = {}
    for node in captured.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if schema is None or not schema.is_mutable:
            continue
        for argument, value in zip(schema.arguments, node.args, strict=False):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            while not isinstance(value, (list, tuple)) and value.op == "call_function":
                source = getattr(value.target, "_schema", None)
                aliases = source is not None and any(r.alias_info for r in source.returns)
                if not aliases or not value.args:
                    break
                value = value.args[0]
            if getattr(value, "name", None) in buffers:
                changed.setdefault(buffers[value.name], line_of(node))
    return changed
