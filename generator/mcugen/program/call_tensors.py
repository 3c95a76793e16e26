# SPDX-License-Identifier: BSD-3-Clause
"""Whether the tensors of a call are what its operator takes: element types, memory order, shapes.

The firmware's operators check each call when it is reached (`firmware/ops/*.cpp`) and end the
inference with InvalidArgument (0x12). What can be known of that from the program is found here,
before anything is compiled. What an operator takes stands in the tables beside its source: `takes`,
`within` and `shape` (firmware/ops/README.md); shapes of that name are the functions of SHAPES.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mcugen.program import conv_words, norm_limits
from mcugen.program.artifact import DTYPES
from mcugen.program.conv_words import ConvForm
from mcugen.program.operator_table import Operator
from mcugen.program.window import Window

#: Sets of element types, as firmware/ops/elements.h has them.
_COMPUTE = ("float32", "uint8", "int8", "int32", "int64", "bool")
_DTYPES = {
    "compute": _COMPUTE,
    "copy": (*_COMPUTE, "int16", "float16", "float64"),
}
_NHWC = (0, 2, 3, 1)
_MOST_AXES = 8  # kMaxDims


class Refused(Exception):
    """Why the operator would refuse a call."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Call:
    """A call's arguments by the names of its operator's schema. Missing ones are None."""

    def __init__(self, plan: Any, called: Operator, args: Sequence[int]) -> None:
        self.called = called
        self._plan = plan
        self._values = {
            argument.name: plan.values[index].val
            for argument, index in zip(called.arguments, args, strict=False)
        }

    def tensor(self, name: str) -> Any:
        """Return a tensor, None for an argument that is none."""
        value = self._values.get(name)
        return value if type(value).__name__ == "Tensor" else None

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(self._values[name].sizes)

    def nhwc(self, name: str) -> tuple[int, ...]:
        """Return an image's sizes in memory order."""
        sizes = self.sizes(name)
        if "image" not in self.called.takes[name]:
            return sizes
        return tuple(sizes[axis] for axis in _NHWC)

    def integer(self, name: str) -> int | None:
        """Return an int, None for another value."""
        value = self._values.get(name)
        return int(value.int_val) if value is not None and hasattr(value, "int_val") else None

    def boolean(self, name: str) -> bool:
        """Return a bool."""
        return bool(self._values[name].bool_val)

    def ints(self, name: str) -> list[int]:
        """Return an int[]."""
        return [int(self._plan.values[item].val.int_val) for item in self._values[name].items]

    def has_ints(self, name: str) -> bool:
        """Whether the operator has such an argument, and it is an int[]."""
        return type(self._values.get(name)).__name__ == "IntList"

    def pair(self, name: str) -> tuple[int, int]:
        """Return an int[] of one or two entries as height and width."""
        values = self.ints(name)
        if len(values) not in (1, 2):
            raise Refused(f"'{name}' has {len(values)} entries, not 1 or 2")
        return values[0], values[-1]

    @property
    def is_static(self) -> bool:
        """Whether all shapes are known now."""
        tensors = [self.tensor(argument.name) for argument in self.called.arguments]
        return all(int(getattr(each, "shape_dynamism", 0)) == 0 for each in tensors if each)


def check(plan: Any, called: Operator, args: Sequence[int], *, changed: frozenset[int]) -> None:
    """Raise Refused if the device would refuse this call.

    changed: values that are others when the call is reached; nothing is known of them.
    """
    call = Call(plan, called, args)
    for argument, index in zip(called.arguments, args, strict=False):
        if index in changed:
            continue
        tensor = call.tensor(argument.name)
        if tensor is not None and argument.name in called.takes:
            _check_tensor(argument.name, tensor, called.takes[argument.name])
        limits, value = called.within.get(argument.name), call.integer(argument.name)
        if limits is not None and value is not None and not limits[0] <= value <= limits[1]:
            why = f"'{argument.name}' is {value}, it takes {limits[0]} to {limits[1]}"
            apart = ": the ranges of its tensors are too far apart"
            raise Refused(why + apart * argument.name.endswith("shift"))
    low, high = call.integer("activation_min"), call.integer("activation_max")
    if low is not None and high is not None and low > high:
        raise Refused(f"no value is in its limits, {low} to {high}")
    if called.shape is not None and call.is_static and changed.isdisjoint(args):
        SHAPES[called.shape](call)


def lies_as(tensor: Any, order: Sequence[int]) -> bool:
    """Whether memory has a tensor's axes in this order; an axis of one element is anywhere."""
    sizes = tensor.sizes
    return [axis for axis in tensor.dim_order if sizes[axis] != 1] == [
        axis for axis in order if sizes[axis] != 1
    ]


def _check_tensor(name: str, tensor: Any, words: str) -> None:
    """Check a tensor against "int8 image", "float32|int8 contiguous", "copy"."""
    kinds, *orders = words.split()
    if len(tensor.sizes) > _MOST_AXES:
        raise Refused(f"'{name}' has {len(tensor.sizes)} axes, at most {_MOST_AXES} are taken")
    dtype = _dtype(tensor)
    allowed = [each for kind in kinds.split("|") for each in _DTYPES.get(kind, (kind,))]
    if dtype not in allowed:
        raise Refused(f"'{name}' is {dtype}, it takes {' or '.join(allowed)}")
    for order in orders:
        if order == "contiguous" and not lies_as(tensor, range(len(tensor.sizes))):
            raise Refused(f"'{name}' {_layout(tensor)}; it takes one in the order of its axes")
        if order in ("image", "nhwc"):
            if len(tensor.sizes) != 4:
                raise Refused(f"'{name}' has {len(tensor.sizes)} axes, it takes an image of 4")
            if min(tensor.sizes) < 1:
                raise Refused(f"'{name}' of shape {list(tensor.sizes)} is empty")
            wanted = _NHWC if order == "image" else range(4)
            if not lies_as(tensor, wanted):
                raise Refused(f"'{name}' {_layout(tensor)}; it takes N, H, W, C")


def _dtype(tensor: Any) -> str:
    return DTYPES[int(tensor.scalar_type)][0]


def _layout(tensor: Any) -> str:
    memory = [tensor.sizes[axis] for axis in tensor.dim_order]
    return f"of shape {list(tensor.sizes)} lies in memory as {memory}"


# --- shapes ---


def _agree(condition: bool, call: Call) -> None:
    if not condition:
        shapes = ", ".join(
            f"{argument.name} {list(call.sizes(argument.name))}"
            for argument in call.called.arguments
            if call.tensor(argument.name) is not None
        )
        raise Refused(f"the shapes do not go together: {shapes}")


def _same(call: Call) -> None:
    """One input, one output, of one shape and memory order."""
    source, out = call.tensor(call.called.arguments[0].name), call.tensor("out")
    _agree(source.sizes == out.sizes, call)
    if not lies_as(out, source.dim_order):
        raise Refused(f"the input {_layout(source)}, the output as another")


def _edge(call: Call) -> None:
    """Between float and the integers that 'dtype' names."""
    _same(call)
    dtype = call.integer("dtype")
    named = DTYPES.get(dtype, ("another type", 0))[0] if dtype is not None else None
    kinds = {_dtype(call.tensor(name)) for name in ("input", "out")}
    if named is not None and kinds != {"float32", named}:
        raise Refused(f"'dtype' is {named}, the tensors are {' and '.join(sorted(kinds))}")


def _one_type(call: Call) -> None:
    """What copies, and divides, does not convert."""
    tensors = {
        argument.name: _dtype(call.tensor(argument.name))
        for argument in call.called.arguments
        if call.tensor(argument.name) is not None
    }
    if len(set(tensors.values())) > 1:
        kinds = ", ".join(f"{name} {dtype}" for name, dtype in tensors.items())
        raise Refused(f"the element types differ: {kinds}")


def _copy(call: Call) -> None:
    _one_type(call)
    _agree(call.sizes("self") == call.sizes("out"), call)
    if call.has_ints("dim_order"):
        order, out = call.ints("dim_order"), call.tensor("out")
        if sorted(order) != list(range(len(out.sizes))) or not lies_as(out, order):
            raise Refused(f"'out' lies as {list(out.dim_order)}, 'dim_order' is {order}")


def _divide(call: Call) -> None:
    _one_type(call)
    _broadcast(call)


def _choose(call: Call) -> None:
    """Operands of any two types, in an output that holds both."""
    kinds = {_dtype(call.tensor(name)) for name in ("self", "other")}
    out = _dtype(call.tensor("out"))
    if ("float32" in kinds and out != "float32") or (out == "bool" and kinds != {"bool"}):
        raise Refused(f"the operands are {' and '.join(sorted(kinds))}, the output is {out}")
    _broadcast(call)


def _lookup(call: Call) -> None:
    _same(call)
    _agree(_elements(call.sizes("lut")) == 256, call)


def _softmax(call: Call) -> None:
    _same(call)
    rank, axis = len(call.sizes("input")), call.integer("dim")
    if axis is not None and not -rank <= axis < rank:
        raise Refused(f"'dim' is {axis}, the tensor has {rank} axes")


def _broadcast(call: Call) -> None:
    out = call.sizes("out")
    inputs = [call.sizes("self"), call.sizes("other")]
    padded = [(1,) * (len(out) - len(sizes)) + sizes for sizes in inputs]
    _agree(
        all(len(sizes) == len(out) for sizes in padded)
        and all(
            max(column) == size and set(column) <= {1, size}
            for *column, size in zip(*padded, out, strict=True)
        ),
        call,
    )


def _windows(size: int, pad: int, dilation: int, kernel: int, stride: int) -> int:
    if stride < 1:
        raise Refused(f"a stride is {stride}")
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    return -1 if room < 0 else room // stride + 1


def _conv_outputs(call: Call) -> tuple[int, ...]:
    image = call.nhwc("input")[1:3]
    kernel = call.pair("kernel") if call.has_ints("kernel") else call.sizes("weight")[1:3]
    stride, pad, dilation = (call.pair(name) for name in ("stride", "padding", "dilation"))
    return tuple(_windows(image[i], pad[i], dilation[i], kernel[i], stride[i]) for i in range(2))


def _check_weights(call: Call, outermost: int, innermost: int) -> None:
    weights = call.sizes("weight")
    channels = call.nhwc("out")[3]
    _agree(len(weights) == 4 and weights[0] == outermost and weights[3] == innermost, call)
    _agree(call.nhwc("input")[0] == call.nhwc("out")[0], call)
    for name in ("bias", "requantize_multipliers", "requantize_shifts"):
        tensor = call.tensor(name)
        if tensor is not None and _elements(tensor.sizes) != channels:
            raise Refused(f"'{name}' has {_elements(tensor.sizes)} entries for {channels} channels")


def _elements(sizes: Sequence[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def _conv2d(call: Call) -> None:
    _agree(len(call.sizes("weight")) == 4, call)
    in_ch, out_ch = call.nhwc("input")[3], call.nhwc("out")[3]
    per_group = call.sizes("weight")[3]
    _agree(per_group >= 1 and in_ch % per_group == 0 and out_ch % (in_ch // per_group) == 0, call)
    _check_weights(call, out_ch, per_group)
    _agree(call.nhwc("out")[1:3] == _conv_outputs(call), call)


def _depthwise_conv2d(call: Call) -> None:
    out_ch = call.nhwc("out")[3]
    _agree(out_ch == call.nhwc("input")[3] * (call.integer("depth_multiplier") or 0), call)
    _check_weights(call, 1, out_ch)
    _agree(call.nhwc("out")[1:3] == _conv_outputs(call), call)


def _transpose_conv2d(call: Call) -> None:
    _check_weights(call, call.nhwc("out")[3], call.nhwc("input")[3])
    image, kernel = call.nhwc("input")[1:3], call.sizes("weight")[1:3]
    stride, pad, extra, dilation = (
        call.pair(name) for name in ("stride", "padding", "output_padding", "dilation")
    )
    _agree(
        call.nhwc("out")[1:3]
        == tuple(
            (image[i] - 1) * stride[i] - 2 * pad[i] + dilation[i] * (kernel[i] - 1) + extra[i] + 1
            for i in range(2)
        ),
        call,
    )


def _pool_outputs(size: int, pad: int, kernel: int, stride: int, ceil_mode: bool) -> int:
    outputs = _windows(size, pad, 1, kernel, stride)
    if ceil_mode:
        outputs = max(outputs, 0)  # a window larger than the image is one window
        begin = outputs * stride - pad  # where one more window would start
        if begin - stride + kernel < size + pad and begin < size:
            outputs += 1
    return outputs


def _pool2d(call: Call) -> None:
    source, out = call.nhwc("input"), call.nhwc("out")
    kernel, stride, pad = (call.pair(name) for name in ("kernel_size", "stride", "padding"))
    ceil_mode = call.boolean("ceil_mode")
    if any(2 * pad[i] > kernel[i] for i in range(2)):
        raise Refused(f"more than half of a window {list(kernel)} is padding {list(pad)}")
    if "dilation" in {argument.name for argument in call.called.arguments} and call.pair(
        "dilation"
    ) != (1, 1):
        raise Refused("it is dilated")
    _agree(source[0] == out[0] and source[3] == out[3], call)
    _agree(
        out[1:3]
        == tuple(
            _pool_outputs(source[1 + i], pad[i], kernel[i], stride[i], ceil_mode) for i in range(2)
        ),
        call,
    )
    if call.integer("input_zero_point") != call.integer("output_zero_point"):
        raise Refused("input and output have different zero points")


def _linear(call: Call) -> None:
    source, weights, out = call.sizes("input"), call.sizes("weights"), call.sizes("out")
    _agree(len(weights) == 2 and len(source) >= 1 and len(out) == len(source), call)
    _agree(source[-1] == weights[1] and out == (*source[:-1], weights[0]), call)
    for name in ("bias", "kernel_sum"):
        tensor = call.tensor(name)
        _agree(tensor is None or _elements(tensor.sizes) == weights[0], call)
    multipliers, shifts = (
        _entries(call, f"requantize_{name}") for name in ("multipliers", "shifts")
    )
    if multipliers != shifts or multipliers not in (1, weights[0]):
        raise Refused(f"{multipliers} multipliers and {shifts} shifts for {weights[0]} outputs")


def _entries(call: Call, name: str) -> int:
    """Return how many numbers an argument has that is a list of them or a tensor."""
    tensor = call.tensor(name)
    return len(call.ints(name)) if tensor is None else _elements(tensor.sizes)


def _packed_linear(
    numbers: int, rows: int, group_words: Callable[[int], int], least: int = 1
) -> Callable[[Call], None]:
    """A row of numbers and groups of rows of weights, of so many words by the number of inputs."""

    def check(call: Call) -> None:
        source, words, out = call.sizes("input"), call.sizes("words"), call.sizes("out")
        _agree(len(source) >= 1 and out[:-1] == source[:-1] and len(out) == len(source), call)
        _agree(source[-1] >= 1 and out[-1] >= least, call)
        _agree(words == (numbers + -(-out[-1] // rows) * group_words(source[-1]),), call)

    return check


def _packed_conv2d(call: Call) -> None:
    """Words as the form of the weights has them, of all pairs of output channels."""
    (batch, _, _, in_ch), (out_batch, *outputs, out_ch) = call.nhwc("input"), call.nhwc("out")
    form, kernel = call.integer("form") or 0, call.pair("kernel")
    _agree(batch == out_batch and min(kernel) >= 1, call)
    _agree(tuple(outputs) == _conv_outputs(call), call)
    window = Window.of(call, depthwise=False)
    _agree(form != ConvForm.WINOGRAD_2 or conv_words.takes_winograd_2(window), call)
    _agree(form != ConvForm.WINOGRAD_4 or conv_words.takes_winograd_4(window), call)
    of_pair = conv_words.of_pair(form, in_ch, kernel, call.pair("dilation"))
    _agree(call.sizes("words") == (-(-out_ch // 2) * of_pair,), call)


def _packed_conv_depthwise(call: Call) -> None:
    """Words of all pairs of output channels; the second's windows go over the first's result."""
    (batch, _, _, in_ch), (out_batch, *outputs, out_ch) = call.nhwc("input"), call.nhwc("out")
    kernel, pad = call.pair("kernel"), call.pair("depthwise_padding")
    _agree(batch == out_batch and min(kernel) >= 1 and out_ch % 2 == 0, call)
    if not 0 <= min(pad) <= max(pad) <= 1:
        raise Refused(f"'depthwise_padding' is {list(pad)}, it takes 0 and 1")
    between, stride = _conv_outputs(call), call.integer("depthwise_stride") or 1
    _agree(min(between) >= 1, call)
    ends = [_windows(between[i], pad[i], 1, 3, stride) for i in range(2)]
    _agree(outputs == ends, call)
    of_pair = conv_words.of_joined_pair(in_ch, kernel, call.pair("dilation"))
    _agree(call.sizes("words") == (out_ch // 2 * of_pair,), call)


def _scaled_add(call: Call) -> None:
    """Two inputs and one output, of one shape and memory order."""
    out = call.tensor("out")
    for name in ("self", "other"):
        source = call.tensor(name)
        _agree(source.sizes == out.sizes, call)
        if not lies_as(out, source.dim_order):
            raise Refused(f"'{name}' {_layout(source)}, the output as another")


def _batch_matmul(call: Call) -> None:
    lhs, rhs, out = call.sizes("lhs"), call.sizes("rhs_transposed"), call.sizes("out")
    _agree(len(lhs) == len(rhs) == len(out) == 3, call)
    _agree(lhs[0] == rhs[0] and lhs[2] == rhs[2] and out == (lhs[0], lhs[1], rhs[1]), call)


def _pad(call: Call) -> None:
    source, out = call.tensor("input"), call.tensor("out")
    sizes, rank = source.sizes, len(source.sizes)
    _agree(1 <= rank <= 4 and len(out.sizes) == rank, call)
    # As the exporter takes a tensor for channels-last, see op_pad.cpp.
    nhwc = rank == 4 and (
        sizes[1] == 1 or sizes[2] == sizes[3] == 1 or list(source.dim_order[:2]) == [0, 2]
    )
    order = _NHWC if nhwc else tuple(range(rank))
    for tensor in (source, out):
        if not lies_as(tensor, order):
            raise Refused(f"a tensor {_layout(tensor)}, the padding is given in another order")
    before, after = call.ints("pre_pad"), call.ints("post_pad")
    _agree(len(before) == len(after) == 4 and min(*before, *after) >= 0, call)
    wanted = [
        before[4 - rank + i] + sizes[axis] + after[4 - rank + i] for i, axis in enumerate(order)
    ]
    _agree([out.sizes[axis] for axis in order] == wanted, call)


def _permute(call: Call) -> None:
    _one_type(call)
    source = call.sizes(call.called.arguments[0].name)
    order = [axis % max(len(source), 1) for axis in call.ints(call.called.arguments[1].name)]
    _agree(sorted(order) == list(range(len(source))), call)
    _agree(call.sizes("out") == tuple(source[axis] for axis in order), call)


def _recurrent(call: Call) -> None:
    """A layer in one direction: gates by rows, states [batch, units] (see recurrent_args.cpp)."""
    source, weight_ih, weight_hh = (call.sizes(n) for n in ("input", "weight_ih", "weight_hh"))
    _agree(len(source) == 3 and len(weight_ih) == len(weight_hh) == 2, call)
    kind = call.called.name.partition("quantized_")[2].partition(".")[0]
    units, rows = weight_hh[1], weight_hh[0]
    _agree(min(*source, units) >= 1 and rows == {"lstm": 4, "gru": 3, "rnn": 1}[kind] * units, call)
    _agree(weight_ih == (rows, source[2]) and call.sizes("out") == (*source[:2], units), call)
    batch = source[0 if call.boolean("batch_first") else 1]
    for name in ("hidden", "cell", "out_hidden", "out_cell"):
        _agree(call.tensor(name) is None or call.sizes(name) == (batch, units), call)
    counts = {"bias": 4 * units if kind == "gru" else rows}
    counts |= {"multipliers_ih": rows, "multipliers_hh": rows}
    counts["scratch"] = 2 * units if kind == "lstm" else units
    for name, count in counts.items():
        if _elements(call.sizes(name)) != count:
            raise Refused(f"'{name}' has {_elements(call.sizes(name))} entries, not {count}")


def _layer_norm(call: Call) -> None:
    """Over the last `axes` axes (see op_quantized_norm.cpp)."""
    _same(call)
    sizes, axes = call.sizes("input"), call.integer("axes") or 0
    if not 1 <= axes <= len(sizes):
        raise Refused(f"'axes' is {axes}, the tensor has {len(sizes)}")
    count = _elements(sizes[len(sizes) - axes :])
    _normalised(call, count, count)


def _group_norm(call: Call) -> None:
    _same(call)
    _, height, width, channels = call.nhwc("input")
    groups = call.integer("groups") or 0
    if groups < 1 or channels % groups:
        raise Refused(f"'groups' is {groups}, there are {channels} channels")
    _normalised(call, channels // groups * height * width, channels)


def _normalised(call: Call, count: int, channels: int) -> None:
    entries = [_elements(call.sizes(name)) for name in ("weight", "bias")]
    why = norm_limits.fault(count, channels, call.integer("spread_bits"), entries)
    if why:
        raise Refused(why)


def _view(call: Call) -> None:
    _one_type(call)
    _agree(_elements(call.sizes("self")) == _elements(call.sizes("out")), call)


#: What a table's `shape` names.
SHAPES: dict[str, Callable[[Call], None]] = {
    "batch_matmul": _batch_matmul,
    "broadcast": _broadcast,
    "choose": _choose,
    "conv2d": _conv2d,
    "copy": _copy,
    "depthwise_conv2d": _depthwise_conv2d,
    "divide": _divide,
    "edge": _edge,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "linear": _linear,
    "lookup": _lookup,
    "packed_conv2d": _packed_conv2d,
    "packed_conv_depthwise": _packed_conv_depthwise,
    "packed_linear": _packed_linear(5, 4, lambda inputs: 16 + -(-inputs // 4) * 4, least=4),
    "packed_linear_4x4": _packed_linear(4, 4, lambda inputs: 12 + -(-inputs // 4) * 4),
    "packed_linear_5x4": _packed_linear(5, 5, lambda inputs: 20 + -(-inputs // 4) * 10, least=5),
    "packed_linear_8x16": _packed_linear(4, 8, lambda inputs: 24 + -(-inputs // 16) * 32),
    "pad": _pad,
    "permute": _permute,
    "pool2d": _pool2d,
    "recurrent": _recurrent,
    "same": _same,
    "scaled_add": _scaled_add,
    "softmax": _softmax,
    "transpose_conv2d": _transpose_conv2d,
    "view": _view,
}
