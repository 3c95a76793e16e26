# SPDX-License-Identifier: BSD-3-Clause
"""Which range the operators share that move values without computing. Imports torch."""

from __future__ import annotations

from typing import Any

from executorch.backends.arm.quantizer.arm_quantizer_utils import SharedQspecQuantizer
from torchao.quantization.pt2e.quantizer import FixedQParamsQuantizationSpec
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

from mcugen.export.patterns import PER_TENSOR_CONFIG


class SharedRanges(SharedQspecQuantizer):  # type: ignore[misc]  # the wheel has no types
    """Gives a group the fixed range of a neighbour only if nothing else comes into the group.

    The published one takes the first neighbour's: a softmax's 0 to 1 for all it is joined with.
    """

    def _get_shared_clique(self, root_node: Any) -> Any:
        group, neighbours, *rest = super()._get_shared_clique(root_node)
        fixed = [each for each in neighbours if isinstance(each, FixedQParamsQuantizationSpec)]
        if fixed and not self._is_fed_by(group, fixed[0]):
            neighbours = [each for each in neighbours if each not in fixed]
            neighbours = neighbours or [PER_TENSOR_CONFIG.get_input_act_qspec()]
        return group, neighbours, *rest

    def _is_fed_by(self, group: Any, spec: Any) -> bool:
        """Whether all that comes into the group from outside has this very range."""
        for node in group:
            for source in self._get_input_nodes_with_float_output(node):
                if source in group:
                    continue
                annotation = source.meta.get(Q_ANNOTATION_KEY)
                if annotation is None or annotation.output_qspec != spec:
                    return False
        return True
