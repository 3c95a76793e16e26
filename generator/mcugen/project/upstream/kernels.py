# SPDX-License-Identifier: BSD-3-Clause
"""ExecuTorch's own kernels: the C++ function of each operator, and how it is called.

The names come from the wheel's YAML, as in ExecuTorch's build; declarations and the unpacking of
arguments from the wheel's own code generator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mcugen.base.resources import executorch_dir
from mcugen.program import operator_table

#: In the wheel: which operator has which kernel.
_TABLES = (
    "backends/cortex_m/ops/operators.yaml",
    "kernels/portable/functions.yaml",
    "kernels/portable/custom_ops.yaml",
    "kernels/quantized/quantized.yaml",
)
#: ATen marks these as written to, which they are in training only; a kernel's type says it, too.
_WRITTEN_IN_TRAINING = {
    "aten::_native_batch_norm_legit.out": (
        "Tensor running_mean, Tensor running_var",
        "Tensor(a!) running_mean, Tensor(b!) running_var",
    )
}


@dataclass(frozen=True)
class UpstreamKernel:
    """A kernel and the C++ that calls it with an instruction's arguments."""

    operator: str  #: "aten::add.out"
    namespace: str  #: "torch::executor::native"
    function: str  #: "add_out"
    declaration: str  #: `torch::executor::Tensor & add_out(…)`
    unpacking: tuple[str, ...]  #: statements: from `stack` to what `arguments` names
    arguments: str  #: "context, self_base, …"
    num_arguments: int  #: what an instruction has: the kernel's and the return value
    returns: bool  #: what the kernel returns goes into the last place: it has no out

    @property
    def qualified(self) -> str:
        """The function with its namespace."""
        return f"{self.namespace}::{self.function}"


@cache
def upstream_kernel(operator: str) -> UpstreamKernel | None:
    """Return ExecuTorch's kernel for `operator`, None where the wheel's tables have none."""
    from executorch.codegen.api import et_cpp
    from executorch.codegen.api.types import ExecutorchCppSignature
    from executorch.codegen.api.unboxing import Unboxing
    from torchgen import local
    from torchgen.model import FunctionSchema

    name = _kernel_names().get(operator)
    if name is None:
        return None
    namespace, _, function = name.rpartition("::")
    text = operator_table.schema(operator)
    returns = _returns(text)
    text = text.replace(*_WRITTEN_IN_TRAINING.get(operator, ("", "")))
    schema = FunctionSchema.parse(f"{operator.partition('::')[2]}{text} -> {returns}")
    signature = ExecutorchCppSignature(func=schema, cpp_no_default_args=set())
    unboxing = Unboxing(argument_type_gen=et_cpp.argumenttype_type)
    with local.parametrize(
        use_const_ref_for_mutable_tensors=False, use_ilistref_for_tensor_lists=False
    ):
        declaration = signature.decl(function)
        bindings, statements = unboxing.convert_arguments(
            signature.arguments(include_context=False)
        )
    lines = [line.strip() for statement in statements for line in statement.splitlines()]
    return UpstreamKernel(
        operator=operator,
        namespace=f"{namespace}::native",  # as the wheel's codegen/parse.py has it
        function=function,
        declaration=declaration,
        unpacking=tuple(_without_aten(lines)),
        arguments=", ".join(["context", *(binding.name for binding in bindings)]),
        num_arguments=len(bindings) + 1,
        returns=bool(schema.returns) and not schema.arguments.out,
    )


@cache
def _kernel_names() -> dict[str, str]:
    """Return operator → kernel: "aten::add.out" → "torch::executor::add_out"."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    names = {}
    for table in _TABLES:
        for entry in yaml.load((executorch_dir() / table).read_text("utf-8"), loader):
            name = entry["op"] if "op" in entry else entry["func"].partition("(")[0]
            kernels = [each for each in entry["kernels"] if each["arg_meta"] is None]
            if kernels:
                names[name if "::" in name else f"aten::{name}"] = kernels[0]["kernel_name"]
    return names


def _returns(schema: str) -> str:
    """Return what an operator returns: the tensors it writes to, and nothing for lists of them."""
    written = re.findall(r"(Tensor\(\w!\))(\[\])?", schema)
    if any(is_list for _, is_list in written):
        return "()"
    tensors = ", ".join(tensor for tensor, _ in written)
    return tensors if len(written) == 1 else f"({tensors})"


def _without_aten(lines: list[str]) -> list[str]:
    """Leave out what the generator has for ATen's types, and empty lines."""
    kept, skipping = [], False
    for line in lines:
        if line in ("#ifdef USE_ATEN_LIB", "#else", "#endif"):
            skipping = line == "#ifdef USE_ATEN_LIB"
        elif line and not skipping:
            kept.append(line)
    return kept
