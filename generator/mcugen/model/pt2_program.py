# SPDX-License-Identifier: BSD-3-Clause
"""The JSON of a `.pt2`: rebuilt from what its schema and a grammar for each kind of text allow.

torch resolves, evaluates, compiles or imports what it finds in these strings: a node's target is
looked up among all of torch's attributes and called (`torch.os.system`), a symbolic size goes
through sympy's `eval`, a name becomes part of Python source that is executed, a tree spec names
modules to import. So each string is held against the grammar of its field, an unknown field is
dropped, and a value of another type than the schema's is refused. Imports torch.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import keyword
import re
import types
import typing
from collections.abc import Callable
from typing import Any


class NotDataError(ValueError):
    """A part of a model file that is not plain data; the text says which, and where."""


def clean_program(document: Any) -> dict[str, Any]:
    """Return `models/model.json` with nothing in it that torch would run.

    Raises NotDataError; ValueError if it is not of this schema.
    """
    from torch._export.serde import schema

    return typing.cast(dict[str, Any], _clean(schema.ExportedProgram, document, "", None))


def clean_payloads(document: Any) -> dict[str, Any]:
    """Return a `*_config.json` (which tensor is in which file) with nothing in it but data.

    Raises NotDataError; ValueError if it is not of this schema.
    """
    from torch._export.serde import schema

    return typing.cast(dict[str, Any], _clean(schema.PayloadConfig, document, "", None))


# --- the schema ---------------------------------------------------------------------------------

_Field = tuple[str, str]  # class of the schema, field


def _clean(kind: Any, data: Any, where: str, field: _Field | None) -> Any:
    """Return `data` as the schema's type `kind`; `field` is where it hangs, for its strings."""
    from torch._export.serde.union import _Union

    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        (kind,) = (part for part in typing.get_args(kind) if part is not type(None))
        return _clean(kind, data, where, field)
    if origin is list:
        (item,) = typing.get_args(kind)
        _expect(isinstance(data, list), where, "a list")
        return [_clean(item, value, f"{where}[{i}]", field) for i, value in enumerate(data)]
    if origin is dict:
        item = typing.get_args(kind)[1]
        _expect(isinstance(data, dict), where, "an object")
        check = _KEYS.get(field, _identifier) if field else _identifier
        return {
            check(key, where): _clean(item, value, f"{where}.{key}", field)
            for key, value in data.items()
        }
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        _expect(isinstance(data, dict), where, "an object")
        if kind.__name__ == "CustomObjArgument":
            raise NotDataError(f"{where or 'it'}: a script object")
        known = _fields(kind)
        if issubclass(kind, _Union):
            _expect(len(data) == 1 and set(data) <= set(known), where, f"a {kind.__name__}")
        return {
            name: _field(kind.__name__, name, known[name], value, f"{where}.{name}".lstrip("."))
            for name, value in data.items()
            if name in known
        }
    return _leaf(kind, data, where, field)


def _field(owner: str, name: str, kind: Any, data: Any, where: str) -> Any:
    if (owner, name) in _DROPPED:
        return _DROPPED[owner, name]
    if (owner, name) == ("Node", "metadata"):
        _expect(isinstance(data, dict), where, "an object")
        return {
            key: _printable(value, where)
            for key, value in data.items()
            if key in _KEPT_METADATA and isinstance(value, str)
        }
    return _clean(kind, data, where, (owner, name))


def _leaf(kind: Any, data: Any, where: str, field: _Field | None) -> Any:
    if kind is str:
        _expect(isinstance(data, str), where, "a string")
        check = _STRINGS.get(field, _identifier) if field else _identifier
        return check(data, where)
    if kind is bool:
        _expect(isinstance(data, bool), where, "true or false")
    elif kind is float:
        number = isinstance(data, (int, float)) and not isinstance(data, bool)
        _expect(number or data in ("Infinity", "-Infinity", "NaN"), where, "a number")
    elif isinstance(kind, type) and issubclass(kind, int):  # enumerations, too
        whole = isinstance(data, int) and not isinstance(data, bool)
        _expect(whole and abs(data) <= 2**64, where, "an integer")
    else:
        raise NotDataError(f"{where}: {kind} is not known")
    return data


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    from torch._export.serde import schema

    return typing.get_type_hints(kind, globalns=vars(schema))


def _expect(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise ValueError(f"{where or 'it'} is not {what}")


# --- names --------------------------------------------------------------------------------------


def _identifier(text: str, where: str) -> str:
    # Becomes a variable of generated source.
    if not text.isidentifier() or keyword.iskeyword(text):
        raise NotDataError(f"{where}: {_short(text)} is not a name")
    return text


def _argument_name(text: str, where: str) -> str:
    # As the operator's schema has it ("self", "from"); empty for one without a name.
    if text and not text.isidentifier():
        raise NotDataError(f"{where}: {_short(text)} is not a name")
    return text


def _attribute_path(text: str, where: str) -> str:
    # Stands in double quotes in generated source where a part is not an identifier.
    if not re.fullmatch(r"[\w.@$:+/ -]*", text) or re.search(r"(^|\.)__", text):
        raise NotDataError(f"{where}: {_short(text)} is not a parameter's or module's name")
    return text


def _record_name(text: str, where: str) -> str:
    if not re.fullmatch(r"\w+", text):
        raise NotDataError(f"{where}: {_short(text)} is not the name of a file in the archive")
    return text


def _symbol(text: str, where: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w{0,19}", text) or re.fullmatch(r"[a-z]+\d{5,}", text):
        raise NotDataError(f"{where}: {_short(text)} is not a symbol's name")
    return text


def _ranged(text: str, where: str) -> str:
    # A key that torch compares with a size's text ("s53", "2*s53"), and nothing else.
    if text.isidentifier():
        return _symbol(text, where)
    _expression(text, where)
    return text


def _version(text: str, where: str) -> str:
    if not re.fullmatch(r"[\w.+<=-]{0,80}", text):
        raise NotDataError(f"{where}: {_short(text)} is not a version")
    return text


def _dialect(text: str, where: str) -> str:
    return _identifier(text, where) if text else text


def _any_text(text: str, where: str) -> str:
    return text


def _printable(text: str, where: str) -> str:
    # A comment in generated source and a layer's name on the terminal.
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)


# --- operators ----------------------------------------------------------------------------------

#: Arithmetic on sizes.
SYMBOLIC_OPERATORS = frozenset(
    {f"_operator.{n}" for n in ("eq", "ne", "le", "ge", "lt", "gt", "neg", "pos", "and_", "or_")}
    | {f"_operator.{n}" for n in ("mul", "add", "sub", "floordiv", "mod", "pow", "truediv")}
    | {"_operator.lshift", "_operator.rshift", "math.trunc", "torch._sym_sqrt"}
    | {f"torch.sym_{n}" for n in ("not", "int", "float", "ite", "max", "min")}
)
#: Control flow; what torch.no_grad() and autocast leave behind; torch.vmap.
_HIGHER_ORDER = frozenset(
    {f"torch.ops.higher_order.{name}" for name in ("cond", "while_loop")}
    | {f"torch.ops.higher_order.wrap_with_{name}" for name in ("set_grad_enabled", "autocast")}
    | {f"torch._functorch.predispatch._{name}_batch_dim" for name in ("add", "remove")}
    | {f"torch._functorch.predispatch._vmap_{n}crement_nesting" for n in ("in", "de")}
    | {"torch._functorch.predispatch.lazy_load_decompositions"}
)
#: Private operators that exported models hold. The others trust their arguments too much.
_PRIVATE = frozenset(
    {"_assert_async", "_assert_scalar", "_assert_tensor_metadata", "_conj", "_convolution"}
    | {"_prelu_kernel", "_reshape_alias", "_safe_softmax", "_unsafe_index", "_unsafe_view"}
    | {"_scaled_dot_product_attention_math", "_scaled_dot_product_flash_attention_for_cpu"}
    | {"_batch_norm_impl_index", "_trilinear", "_weight_norm", "_weight_norm_interface"}
    | {f"_upsample_nearest_exact{n}d" for n in (1, 2, 3)}
)
#: They open the file that an argument names.
_FILES = frozenset({"from_file", "save"})


def _operator(text: str, where: str) -> str:
    if text in SYMBOLIC_OPERATORS or text in _HIGHER_ORDER:
        return text
    match = re.fullmatch(r"torch\.ops\.(aten|prims|quantized_decomposed)\.(\w+)\.(\w+)", text)
    if not match or not _is_operator(*match.groups()):
        raise NotDataError(f"{where}: {_short(text)} is not an operator that a model may call")
    return text


def _is_operator(namespace: str, name: str, overload: str) -> bool:
    import torch

    if name in _FILES:
        return False
    # Each step is looked at: a dunder name is an attribute of the object, not an operator.
    packet = getattr(getattr(torch.ops, namespace), name, None)
    if not isinstance(packet, torch._ops.OpOverloadPacket) or overload not in packet.overloads():
        return False
    private = namespace == "aten" and re.match(r"_(?!_)", name)
    return not private or name in _PRIVATE or torch.Tag.core in getattr(packet, overload).tags


# --- sizes --------------------------------------------------------------------------------------

_FUNCTIONS = frozenset(
    {"Add", "Mul", "Rational", "Equality", "Unequality", "StrictLessThan", "LessThan"}
    | {"StrictGreaterThan", "GreaterThan", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not"}
    | {"Max", "Min", "Mod", "Abs", "floor", "ceiling", "FloorDiv", "ModularIndexing", "Where"}
    | {"PythonMod", "CleanDiv", "CeilToInt", "FloorToInt", "CeilDiv", "FloatTrueDiv"}
    | {"IntTrueDiv", "TruncToFloat", "TruncToInt", "RoundToInt", "RoundDecimal", "ToFloat"}
    | {"Identity"}
)
#: Raising a number to a large number would take all memory.
_POWERS = frozenset({"Pow", "PowByNatural", "FloatPow", "LShift", "RShift"})
_MAX_EXPONENT = 64
_MAX_EXPRESSION = 10_000  # characters


def _expression(text: str, where: str) -> str:
    """Return sympy's `srepr` of an expression (or a plain "s0 + 1") as parsed here."""
    try:
        if len(text) > _MAX_EXPRESSION:
            raise ValueError
        tree = ast.parse(text, mode="eval").body
        _term(tree, powers=True)
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotDataError(f"{where}: {_short(text)} is not an arithmetic expression") from None


def _term(node: ast.expr, *, powers: bool) -> None:
    """Raise ValueError unless `node` is arithmetic on numbers and symbols."""
    match node:
        case ast.Constant(value=bool()) | ast.Constant(value=float()):
            return
        case ast.Constant(value=int(value)) if value < 2**64:
            return
        case ast.Name(id=name) if name in ("true", "false", "oo", "int_oo", "nan"):
            return
        case ast.Name(id=name) if re.fullmatch(r"[a-z]{1,4}\d{1,4}", name):
            return
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _term(operand, powers=powers)
        case ast.BinOp(left=left, op=op, right=right):
            if isinstance(op, ast.Pow):
                return _power(left, right, powers)
            if isinstance(op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)):
                _term(left, powers=powers)
                return _term(right, powers=powers)
        case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str(name))]):
            if all(k.arg and _is_bool(k.value) for k in node.keywords):
                _symbol(name, "")
                return
        case ast.Call(func=ast.Name(id="Float"), args=[ast.Constant(value=str(text))]):
            precise = all(k.arg == "precision" and _is_small(k.value) for k in node.keywords)
            if precise and re.fullmatch(r"-?\d{1,40}(\.\d{1,40})?(e[+-]?\d{1,3})?", text):
                return
        case ast.Call(func=ast.Name(id="Integer"), args=[number], keywords=[]):
            if not isinstance(number, ast.Name | ast.Call):
                return _term(number, powers=False)
        case ast.Call(func=ast.Name(id=name), args=[base, exponent], keywords=[]) if (
            name in _POWERS
        ):
            return _power(base, exponent, powers)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            for argument in args:
                _term(argument, powers=powers)
            return
    raise ValueError


def _power(base: ast.expr, exponent: ast.expr, allowed: bool) -> None:
    match exponent:
        case ast.Call(func=ast.Name(id="Integer"), args=[number], keywords=[]):
            exponent = number
    if not allowed or not _is_small(exponent):
        raise ValueError
    _term(base, powers=False)


def _is_bool(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _is_small(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return (
        isinstance(node, ast.Constant) and type(node.value) is int and node.value <= _MAX_EXPONENT
    )


# --- trees of arguments -------------------------------------------------------------------------

_SEQUENCES = frozenset(
    {"builtins.tuple", "builtins.list", "torch.fx.immutable_collections.immutable_list"}
)
_MAPPINGS = frozenset(
    {"builtins.dict", "collections.OrderedDict", "torch.fx.immutable_collections.immutable_dict"}
)


def _treespec(text: str, where: str) -> str:
    """Return a pytree's JSON: of tuples, lists and dicts only. "" is none."""
    if not text:
        return text
    try:
        protocol, tree = json.loads(text)
        if protocol != 1:
            raise ValueError(f"protocol {_short(str(protocol))}")
        return json.dumps([1, _tree(tree)])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotDataError(
            f"{where}: not a tree of tuples, lists and dicts of tensors ({error})"
        ) from None


def _tree(node: Any) -> dict[str, Any]:
    kind, context = node["type"], node["context"]
    children = [_tree(child) for child in node["children_spec"]]
    if kind in _SEQUENCES:
        context = "null"
    elif kind in _MAPPINGS:
        keys = json.loads(context)
        for key in keys:
            if not isinstance(key, int) and not (isinstance(key, str) and key.isidentifier()):
                raise ValueError(f"key {_short(str(key))}")
        context = json.dumps(list(keys))
    elif kind is not None or context is not None:
        raise ValueError(f"type {_short(str(kind))}")
    return {"type": kind, "context": context, "children_spec": children}


# --- which text is held against what ------------------------------------------------------------

_Check = Callable[[str, str], str]

#: All strings that are not listed are names of values: identifiers.
_STRINGS: dict[_Field, _Check] = {
    ("Node", "target"): _operator,
    ("Argument", "as_operator"): _operator,
    ("Argument", "as_string"): _any_text,
    ("Argument", "as_strings"): _any_text,
    ("ConstantValue", "as_string"): _any_text,
    ("NamedArgument", "name"): _argument_name,
    ("SymExpr", "expr_str"): _expression,
    ("InputToParameterSpec", "parameter_name"): _attribute_path,
    ("InputToBufferSpec", "buffer_name"): _attribute_path,
    ("InputToTensorConstantSpec", "tensor_constant_name"): _attribute_path,
    ("BufferMutationSpec", "buffer_name"): _attribute_path,
    ("ParameterMutationSpec", "parameter_name"): _attribute_path,
    ("GradientToParameterSpec", "parameter_name"): _attribute_path,
    ("ModuleCallEntry", "fqn"): _attribute_path,
    ("ModuleCallSignature", "in_spec"): _treespec,
    ("ModuleCallSignature", "out_spec"): _treespec,
    ("ExportedProgram", "verifiers"): _dialect,
    ("ExportedProgram", "torch_version"): _version,
    ("PayloadMeta", "path_name"): _record_name,
}
#: Keys of objects; those that are not listed are names of values, too.
_KEYS: dict[_Field, _Check] = {
    ("ExportedProgram", "range_constraints"): _ranged,
    ("PayloadConfig", "config"): _attribute_path,
}
#: Python source, annotations and types of other packages: the firmware's program needs none.
_DROPPED: dict[_Field, Any] = {
    ("ExportedProgram", "guards_code"): [],
    ("GraphModule", "metadata"): {},
    ("GraphModule", "treespec_namedtuple_fields"): {},
}
_KEPT_METADATA = frozenset({"stack_trace", "nn_module_stack", "torch_fn"})


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
