# SPDX-License-Identifier: BSD-3-Clause
"""Norms by the statistics of each sample (layer, group, instance, RMS) as two operators of ours."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export.captured.edit import ATEN, Editor, arguments_of, is_float, is_tensor, value_of
from mcugen.export.norm_operators import GROUP_NORM, LAYER_NORM
from mcugen.program.norm_limits import MOST_ELEMENTS


def replace_sample_norms(module: GraphModule) -> None:
    """Put mcugen::layer_norm or group_norm in the place of torch's, where parameters are constants.

    Instance norm with running statistics becomes the batch norm that it is. Left as they are, in
    float: norms of more elements together than the device's operators take, and such without
    numbers.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        rewrite = _REWRITES.get(node.target)
        if rewrite is None:
            continue
        given = arguments_of(node)
        source = given["input"]
        if not is_float(source) or 0 in value_of(source).shape:
            continue
        if not all(_is_constant(given.get(name)) for name in ("weight", "bias")):
            continue
        other = rewrite(editor, node, given)
        if other is not None:
            editor.replace_first(node, other)
    module.graph.eliminate_dead_code()
    module.recompile()


def _is_constant(parameter: Any) -> bool:
    return parameter is None or parameter.op == "get_attr"


def _uses_statistics(node: Node) -> bool:
    return not is_tensor(node) and any(user.args[1] != 0 for user in node.users)


def _layer(editor: Editor, node: Node, given: dict[str, Any]) -> Node | None:
    shape = given["normalized_shape"]
    if _uses_statistics(node) or math.prod(shape) > MOST_ELEMENTS:
        return None
    eps = given.get("eps")
    if eps is None:  # RMS norm's own
        eps = 1e-5 if node.target is ATEN.layer_norm.default else torch.finfo(torch.float32).eps
    mean = node.target is not ATEN.rms_norm.default
    parameters = (given.get("weight"), given.get("bias"))
    return editor.call(node, LAYER_NORM, given["input"], *parameters, len(shape), mean, eps)


def _group(editor: Editor, node: Node, given: dict[str, Any]) -> Node | None:
    groups = given["num_groups"] if "num_groups" in given else given["group"]
    if _uses_statistics(node):
        return None
    return _in_groups(editor, node, given, groups)


def _instance(editor: Editor, node: Node, given: dict[str, Any]) -> Node | None:
    if given["use_input_stats"]:
        return _in_groups(editor, node, given, value_of(given["input"]).shape[1])
    statistics = (given["running_mean"], given["running_var"])
    if not all(each is not None and each.op == "get_attr" for each in statistics):
        return None
    batch_norm = ATEN._native_batch_norm_legit_no_training.default
    parameters = (given["weight"], given["bias"], *statistics, given["momentum"], given["eps"])
    norm = editor.call(node, batch_norm, given["input"], *parameters)
    return editor.call(node, operator.getitem, norm, 0)


def _in_groups(editor: Editor, node: Node, given: dict[str, Any], groups: int) -> Node | None:
    """Insert a group norm: of images and signals as they are, of others as images."""
    source = given["input"]
    shape = list(value_of(source).shape)
    if len(shape) < 2 or math.prod(shape[1:]) // groups > MOST_ELEMENTS:
        return None
    is_other = len(shape) not in (3, 4)
    if is_other:
        image = (
            [*shape[:2], math.prod(shape[2:-1]), shape[-1]] if len(shape) > 4 else [*shape, 1, 1]
        )
        source = editor.call(node, ATEN.reshape.default, source, image)
    parameters = (given.get("weight"), given.get("bias"))
    norm = editor.call(node, GROUP_NORM, source, *parameters, groups, given.get("eps", 1e-5))
    return editor.call(node, ATEN.reshape.default, norm, shape) if is_other else norm


_REWRITES: dict[Any, Callable[[Editor, Node, dict[str, Any]], Node | None]] = {
    ATEN.layer_norm.default: _layer,
    ATEN.native_layer_norm.default: _layer,
    ATEN.rms_norm.default: _layer,
    ATEN.group_norm.default: _group,
    ATEN.native_group_norm.default: _group,
    ATEN.instance_norm.default: _instance,
}
