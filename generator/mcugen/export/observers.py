# SPDX-License-Identifier: BSD-3-Clause
"""Which range of numbers a scale is made for. Imports torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from torchao.quantization.pt2e.observer import HistogramObserver, PerChannelMinMaxObserver

from mcugen.export.quantization import HISTOGRAM, CalibrationMethod, MethodKind

#: Of a layer's largest scale. A row below that is less than a sixteenth of a step of the output,
#: which has one scale; and the bias, which is in units of the row's scale, has to fit 32 bits.
_LEAST_WEIGHT_SCALE = 2.0**-12
#: Samples to come that the range is to be wide enough for, at their likely extremes.
_UNSEEN = 32
#: Of the standard deviation of extremes, when they are distributed after Gumbel.
_GUMBEL_SCALE = math.sqrt(6) / math.pi
#: Values of a tensor that a percentile is taken from, drawn by a seed: 128 samples have 262 beyond
#: each end of 99.9 %.
_KEPT_VALUES = 4096


class PerChannelWeightObserver(PerChannelMinMaxObserver):  # type: ignore[misc]  # torchao has no types
    """Gives rows that are (almost) zero, pruned say, a scale that their bias can be written in.

    Torchao tells observers that take `ch_axis` by "PerChannel" in their names.
    """

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scales and zero points, one a row."""
        return least_weight_scales(*super().calculate_qparams())


def least_weight_scales(
    scales: torch.Tensor, zero_points: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's scales, none of them too small for the bias of its row."""
    return scales.clamp(min=float(scales.max()) * _LEAST_WEIGHT_SCALE), zero_points


class ActivationObserver(HistogramObserver):  # type: ignore[misc]
    """Torchao's, by one of three methods.

    With `histogram`, which is torchao's, there is room for what a few samples did not show: the
    extremes of N samples are exceeded by about one in N of those that follow, and what exceeds
    them is cut off. If the extremes of single samples are distributed after Gumbel, those of N + M
    lie ln(1 + M / N) of its scale beyond those of N; that much is added at each end. It is next to
    nothing of many samples, and nothing where all have the same extreme, as images of 0 to 1.

    Attributes:
        method: set before the first tensor is seen.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.method: CalibrationMethod = HISTOGRAM
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._values: list[torch.Tensor] = []

    def forward(self, x_orig: torch.Tensor) -> torch.Tensor:
        """Record what `x_orig` holds, and return it."""
        if self.method.kind is not MethodKind.HISTOGRAM:
            self._record(x_orig.detach())
            return x_orig
        if x_orig.numel():
            self._lows.append(float(x_orig.min()))
            self._highs.append(float(x_orig.max()))
        result: torch.Tensor = super().forward(x_orig)
        return result

    def _record(self, x: torch.Tensor) -> None:
        """Record the ends, and for a percentile values by which it can be told."""
        x = x[torch.isfinite(x)]
        if not x.numel():
            return
        self.min_val.copy_(torch.minimum(self.min_val, x.min()))
        self.max_val.copy_(torch.maximum(self.max_val, x.max()))
        if self.method.kind is MethodKind.PERCENTILE:
            if x.numel() > _KEPT_VALUES:
                drawn = torch.Generator().manual_seed(len(self._values))
                x = x[torch.randint(x.numel(), (_KEPT_VALUES,), generator=drawn)]
            self._values.append(x.clone())

    def _non_linear_param_search(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.method.kind is MethodKind.MINMAX:
            return self.min_val, self.max_val
        if self.method.kind is MethodKind.PERCENTILE:
            return self._percentiles()
        low, high = self._search()
        return low - _room(self._lows), high + _room(self._highs)

    def _percentiles(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the range without as many values at each end as half of what is cut off."""
        assert self.method.percent is not None
        values = torch.cat(self._values).sort().values
        cut = int(len(values) * (100 - self.method.percent) / 200)
        if cut == 0:  # too few to tell: those that were not drawn count, too
            return self.min_val, self.max_val
        return values[cut], values[-1 - cut]

    def _search(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return torchao's range: its search, with its sums as numbers, 50 times as fast."""
        width = (self.max_val - self.min_val) / self.bins
        total = float(self.histogram.sum())
        sums: list[float] = torch.cumsum(self.histogram, dim=0).tolist()
        step, alpha, beta = 1e-5, 0.0, 1.0
        start, end = 0, self.bins - 1
        least = math.inf
        while alpha < beta:
            next_alpha, next_beta = alpha + step, beta - step
            left, right = start, end
            while left < end and sums[left] < next_alpha * total:
                left += 1
            while right > start and sums[right] > next_beta * total:
                right -= 1
            next_start, next_end = start, end
            if left - start > end - right:
                next_start, alpha = left, next_alpha
            else:
                next_end, beta = right, next_beta
            if (next_start, next_end) == (start, end):
                continue
            error = float(self._compute_quantization_error(next_start, next_end))
            if error > least:
                break
            least = error
            start, end = next_start, next_end
        return self.min_val + width * start, self.min_val + width * (end + 1)


def _room(extremes: list[float]) -> float:
    count = len(extremes)
    if count < 2 or not all(map(math.isfinite, extremes)):
        return 0.0
    deviation = float(torch.tensor(extremes, dtype=torch.float64).std())
    return _GUMBEL_SCALE * deviation * math.log1p(_UNSEEN / count)
