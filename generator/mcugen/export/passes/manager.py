# SPDX-License-Identifier: BSD-3-Clause
"""The Cortex-M passes, in order."""

from __future__ import annotations

from typing import Any

from executorch.backends.arm._passes import FoldAndAnnotateQParamsPass
from executorch.backends.cortex_m.passes.activation_fusion_pass import ActivationFusionPass
from executorch.backends.cortex_m.passes.aten_to_cortex_m_pass import AtenToCortexMPass
from executorch.backends.cortex_m.passes.cortex_m_pass_manager import CortexMPassManager
from executorch.backends.cortex_m.passes.decompose_hardswish_pass import DecomposeHardswishPass
from executorch.backends.cortex_m.passes.quantized_clamp_activation_pass import (
    QuantizedClampActivationPass,
)
from executorch.backends.cortex_m.passes.replace_quant_nodes_pass import ReplaceQuantNodesPass
from executorch.backends.transforms.replace_scalar_with_tensor import ReplaceScalarWithTensorArgPass

from mcugen.export.passes.clamp_activations import ClampActivations
from mcugen.export.passes.comparisons import QuantizeThresholds
from mcugen.export.passes.fuse_activations import FuseActivations
from mcugen.export.passes.layouts import SettleLayouts, mend_results
from mcugen.export.passes.scalings import LimitShifts
from mcugen.export.passes.to_cortex_m import ToCortexM


def lowering_passes() -> list[Any]:
    """Return the classes of the Cortex-M passes, in order."""
    mend_results()
    mended = {
        ActivationFusionPass: FuseActivations,
        QuantizedClampActivationPass: ClampActivations,
        AtenToCortexMPass: ToCortexM,
    }
    passes = [mended.get(each, each) for each in CortexMPassManager.legacy_pass_list]
    # These trace the program again. Between folding and ToCortexM that fails where a linear layer
    # meets another tensor in a bmm: its int32 bias makes it int32 there.
    passes.remove(ReplaceScalarWithTensorArgPass)
    passes.remove(ReplaceQuantNodesPass)
    # A table is one operator, where this makes two.
    passes.remove(DecomposeHardswishPass)
    folding = passes.index(FoldAndAnnotateQParamsPass)
    return [
        *passes[:folding],
        ReplaceScalarWithTensorArgPass,
        FoldAndAnnotateQParamsPass,
        QuantizeThresholds,
        *passes[folding + 1 :],
        ReplaceQuantNodesPass,
        LimitShifts,
        SettleLayouts,
    ]
