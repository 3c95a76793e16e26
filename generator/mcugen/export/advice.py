# SPDX-License-Identifier: BSD-3-Clause
"""What to write in the place of an operator that the device lacks, or has in float only. No torch.

The one table of such advice: refusals (`instead_of`) and the lowering report (`advice`) read it.
"""

from __future__ import annotations

#: Operators of a captured graph that the firmware lacks.
_MISSING = (
    (("aten.sort", "aten.argsort"), "torch.topk(x, k) sorts, where k is the size of the axis."),
    (
        ("aten.rand", "aten.randn", "aten.bernoulli", "aten.multinomial", "aten.normal"),
        "Noise is for training: leave it out where not self.training.",
    ),
    (
        ("aten.cdist", "aten._cdist_forward"),
        "Write (a.unsqueeze(-2) - b.unsqueeze(-3)).square().sum(-1).sqrt().",
    ),
    (("aten.nonzero", "aten.unique", "aten.masked_select"), "Multiply by a mask, or use topk."),
)
_OUTSIDE = "Compute it outside of the model, from its output."
#: Operators that run, in float.
_FLOAT = (
    (
        ("aten.cumsum",),
        "Multiply by a triangular matrix of ones: nn.Linear with fixed weights over the last axis.",
    ),
    (
        ("aten.std", "aten.var", "aten.norm", "aten.linalg_vector_norm"),
        "Write it with products and means: ((x - x.mean(-1, keepdim=True)) ** 2).mean(-1).sqrt().",
    ),
    (
        ("aten.argmax", "aten.argmin", "aten.topk"),
        "Let the model give the scores, and choose among them outside of it.",
    ),
    (("aten.atan2", "aten.fmod", "aten.remainder", "aten.floor_divide"), _OUTSIDE),
    (("aten.prod", "aten.cumprod"), "Add logarithms: x.log().sum(-1).exp()."),
    (
        ("aten.pow",),
        "A constant exponent makes it a table: x ** 2, x ** 0.5. With two tensors: (b * "
        "a.log()).exp().",
    ),
    (
        ("aten.conv3d", "aten.max_pool3d", "aten.avg_pool3d"),
        "Use 2-D layers on frames, with time as channels.",
    ),
    (
        ("aten.conv2d", "aten.conv1d", "aten.convolution"),
        "Weights must be parameters of the model, not computed from its inputs.",
    ),
    (
        ("aten.conv_transpose2d", "aten.conv_transpose1d"),
        "Use groups=1 and dilation=1, or nn.Upsample(mode='nearest') and a convolution.",
    ),
    (("aten.softmax", "aten.log_softmax"), "Move the axis to the end: x.transpose(1, -1)."),
    (
        ("aten.avg_pool2d",),
        "Leave out divisor_override; multiply by a number behind the pool instead.",
    ),
    (
        ("aten.sum", "aten.mean"),
        "Reduce in two steps: at most 32,768 numbers at a time stay in int8.",
    ),
    (
        ("aten.embedding",),
        "Look tokens up outside of the model and let it take the vectors.",
    ),
)


def instead_of(source: str) -> str | None:
    """Return what to write in the place of an operator, "aten.sort", where we know."""
    return _find(_MISSING, source.removesuffix("_like"))


def advice(source: str) -> str | None:
    """Return what would make an operator int8 that runs in float, "aten.cumsum"; None: unknown."""
    return _find((*_FLOAT, *_MISSING), source)


def _find(table: tuple[tuple[tuple[str, ...], str], ...], source: str) -> str | None:
    return next((words for operators, words in table if source in operators), None)
