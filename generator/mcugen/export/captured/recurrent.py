# SPDX-License-Identifier: BSD-3-Clause
"""nn.LSTM, nn.GRU, nn.RNN and their cells as one operator per layer and direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import GraphModule, Node

from mcugen.export import recurrent_operators  # noqa: F401 (registers them)
from mcugen.export.captured.edit import ATEN, Editor, is_tensor, value_of

_OPS = torch.ops.mcugen
#: torch's operator to ours, and what ours takes besides.
_LAYERS: dict[Any, tuple[str, tuple[bool, ...]]] = {
    ATEN.lstm.input: ("lstm", ()),
    ATEN.gru.input: ("gru", ()),
    ATEN.rnn_tanh.input: ("rnn", (False,)),
    ATEN.rnn_relu.input: ("rnn", (True,)),
}
_CELLS: dict[Any, tuple[str, tuple[bool, ...]]] = {
    ATEN.lstm_cell.default: ("lstm", ()),
    ATEN.gru_cell.default: ("gru", ()),
    ATEN.rnn_tanh_cell.default: ("rnn", (False,)),
    ATEN.rnn_relu_cell.default: ("rnn", (True,)),
}
_RECURRENT = frozenset(getattr(_OPS, kind).default for kind in ("lstm", "gru", "rnn"))
#: What hands a state on as it is.
VIEWS = frozenset(
    {
        ATEN.cat.default,
        ATEN.select.int,
        ATEN.slice.Tensor,
        ATEN.squeeze.default,
        ATEN.squeeze.dim,
        ATEN.stack.default,
        ATEN.unsqueeze.default,
        ATEN.view.default,
        ATEN.reshape.default,
        ATEN.transpose.int,
        ATEN.permute.default,
        ATEN.contiguous.default,
        ATEN.clone.default,
        ATEN.alias.default,
    }
)


@dataclass(frozen=True)
class _Ran:
    """The nodes of one layer and direction."""

    output: Node
    hidden: Node
    cell: Node | None
    last: Node  #: the state after the last step as one of the outputs


def replace_recurrent(module: GraphModule) -> None:
    """Replace every recurrent layer whose parameters are constants.

    Left to the exporter, a layer is unrolled: each of its steps is a dozen operators.
    """
    editor = Editor(module)
    for node in list(module.graph.nodes):
        if node.target in _LAYERS:
            _replace_layer(editor, node)
        elif node.target in _CELLS:
            _replace_cell(editor, node)
    module.graph.eliminate_dead_code()
    module.recompile()


def _replace_layer(editor: Editor, node: Node) -> None:
    kind, extra = _LAYERS[node.target]
    source, states, parameters, has_biases, layers, dropout, train, both, batch_first = node.args
    directions = 2 if both else 1
    per_run = 4 if has_biases else 2
    assert isinstance(parameters, (list, tuple))
    if len(parameters) != per_run * layers * directions or (train and dropout):  # type: ignore[operator]
        return  # projections, and what is random
    if not all(each.op == "get_attr" for each in parameters):  # type: ignore[union-attr]
        return
    states = list(states) if kind == "lstm" else [states]  # type: ignore[arg-type]
    ran: list[_Ran] = []
    for layer in range(layers):  # type: ignore[arg-type]
        here = []
        for direction in range(directions):
            index = layer * directions + direction
            starts = [_start(editor, node, each, index) for each in states]
            own = parameters[index * per_run : (index + 1) * per_run]
            here.append(
                _run(
                    editor,
                    node,
                    kind,
                    source,
                    starts,
                    own,
                    (bool(direction), bool(batch_first), *extra),
                )
            )
        ran += here
        source = here[0].output
        if directions == 2:
            outputs = [each.output for each in here]
            source = editor.call(node, ATEN.cat.default, outputs, -1)
    for user in list(node.users):
        assert user.target.__name__ == "getitem"  # type: ignore[union-attr]
        if user.args[1] == 0:
            user.replace_all_uses_with(source)  # type: ignore[arg-type]
        elif user.args[1] == 1:
            _replace_states(editor, user, [(each.hidden, each.last) for each in ran])
        else:
            _replace_states(editor, user, [(each.cell, each.cell) for each in ran])  # type: ignore[misc]
        editor.graph.erase_node(user)
    editor.graph.erase_node(node)


def _replace_cell(editor: Editor, node: Node) -> None:
    kind, extra = _CELLS[node.target]
    source, states, *parameters = node.args
    parameters = [each for each in parameters if each is not None]
    if not all(each.op == "get_attr" for each in parameters):  # type: ignore[union-attr]
        return
    states = list(states) if kind == "lstm" else [states]  # type: ignore[arg-type]
    starts = [None if _is_zero(editor, each) else each for each in states]
    sequence = editor.call(node, ATEN.unsqueeze.default, source, 0)
    ran = _run(editor, node, kind, sequence, starts, parameters, (False, False, *extra))
    if kind != "lstm":
        _choose(node, ran.hidden, ran.last)
        editor.graph.erase_node(node)
        return
    for user in list(node.users):
        if user.args[1] == 0:
            _choose(user, ran.hidden, ran.last)
        else:
            user.replace_all_uses_with(ran.cell)  # type: ignore[arg-type]
        editor.graph.erase_node(user)
    editor.graph.erase_node(node)


def _start(editor: Editor, before: Node, states: Any, index: int) -> Node | None:
    """Return the state [N, H] that one layer and direction starts with, None for zeros."""
    if _is_zero(editor, states):
        return None
    return editor.call(before, ATEN.select.int, states, 0, index)


def _is_zero(editor: Editor, state: Node) -> bool:
    return state.op == "get_attr" and not bool(editor.attribute(state).any())


def _run(
    editor: Editor,
    before: Node,
    kind: str,
    source: Any,
    starts: list[Node | None],
    parameters: Any,
    options: tuple[bool, ...],
) -> _Ran:
    """Insert one layer in one direction."""
    weight_ih, weight_hh, *biases = parameters
    bias = editor.constant(before, _bias(editor, kind, weight_hh, biases))
    call = editor.call(
        before,
        getattr(_OPS, kind).default,
        source,
        *starts,
        weight_ih,
        weight_hh,
        bias,
        *options,
    )
    results = [_item(editor, before, call, index) for index in range(1 + len(starts))]
    reverse, batch_first = options[:2]
    axis = int(batch_first)
    last = editor.call(before, ATEN.select.int, results[0], axis, 0 if reverse else -1)
    return _Ran(results[0], results[1], results[2] if kind == "lstm" else None, last)


def _item(editor: Editor, before: Node, call: Node, index: int) -> Node:
    import operator

    return editor.call(before, operator.getitem, call, index)


def _bias(editor: Editor, kind: str, weight_hh: Node, biases: list[Node]) -> torch.Tensor:
    """Return the biases as our operators take them."""
    units = editor.attribute(weight_hh).shape[1]
    rows = editor.attribute(weight_hh).shape[0]
    of_input, of_state = (
        (editor.attribute(each) for each in biases)
        if biases
        else (torch.zeros(rows), torch.zeros(rows))
    )
    if kind != "gru":
        return of_input + of_state
    gates = of_input[: 2 * units] + of_state[: 2 * units]
    return torch.cat([gates, of_input[2 * units :], of_state[2 * units :]])


def _replace_states(editor: Editor, states: Node, ran: list[tuple[Node, Node]]) -> None:
    """Replace the states [layers * directions, N, H] of all that ran, for each of their users."""
    for user in list(states.users):
        keeps = hands_on(user)
        if user.target is ATEN.select.int and user.args[1] in (0, -value_of(states).dim()):
            hidden, last = ran[user.args[2]]  # type: ignore[index]
            if all(hands_on(each) for each in user.users):
                user.replace_all_uses_with(hidden)
            else:
                _choose(user, hidden, last)
            editor.graph.erase_node(user)
            continue
        pieces = [
            editor.call(states, ATEN.unsqueeze.default, hidden if keeps else last, 0)
            for hidden, last in ran
        ]
        whole = pieces[0] if len(pieces) == 1 else editor.call(states, ATEN.cat.default, pieces, 0)
        user.replace_input_with(states, whole)


def _choose(node: Node, hidden: Node, last: Node) -> None:
    """Give those that hand `node` on the state as it is, and others the int8 output."""
    for user in list(node.users):
        user.replace_input_with(node, hidden if hands_on(user) else last)


def hands_on(user: Node) -> bool:
    """Whether a user gives what it takes to the outside, or to another layer as its state."""
    if user.op == "output" or user.target in _RECURRENT or user.target in (*_LAYERS, *_CELLS):
        return True
    if user.target not in VIEWS or not is_tensor(user):
        return False
    return bool(user.users) and all(hands_on(each) for each in user.users)
