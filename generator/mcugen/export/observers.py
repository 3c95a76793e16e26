# SPDX-License-Identifier: BSD-3-Clause
"""Which range of numbers a scale is made for. Imports torch."""

from __future__ import annotations

import math
from typing import Any

import torch
from torchao.quantization.pt2e.observer import HistogramObserver, PerChannelMinMaxObserver

#: Of a layer's largest scale. A row below that is less than a sixteenth of a step of the output,
#: which has one scale; and the bias, which is in units of the row's scale, has to fit 32 bits.
_LEAST_WEIGHT_SCALE = 2.0**-12
#: Samples to come that the range is to be wide enough for, at their likely extremes.
_UNSEEN = 32
#: Of the standard deviation of extremes, when they are distributed after Gumbel.
_GUMBEL_SCALE = math.sqrt(6) / math.pi


class PerChannelWeightObserver(PerChannelMinMaxObserver):  # type: ignore[misc]  # torchao has no types
    """Gives rows that are (almost) zero, pruned say, a scale that their bias can be written in.

    Torchao tells observers that take `ch_axis` by "PerChannel" in their names.
    """

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scales and zero points, one a row."""
        scales, zero_points = super().calculate_qparams()
        return scales.clamp(min=float(scales.max()) * _LEAST_WEIGHT_SCALE), zero_points


class ActivationObserver(HistogramObserver):  # type: ignore[misc]
    """Torchao's, with room for what a few samples did not show.

    The extremes of N samples are exceeded by about one in N of those that follow, and what exceeds
    them is cut off. If the extremes of single samples are distributed after Gumbel, those of N + M
    lie ln(1 + M / N) of its scale beyond those of N; that much is added at each end. It is next to
    nothing of many samples, and nothing where all have the same extreme, as images of 0 to 1.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lows: list[float] = []
        self._highs: list[float] = []

    def forward(self, x_orig: torch.Tensor) -> torch.Tensor:
        """Record what `x_orig` holds, and return it."""
        if x_orig.numel():
            self._lows.append(float(x_orig.min()))
            self._highs.append(float(x_orig.max()))
        result: torch.Tensor = super().forward(x_orig)
        return result

    def _non_linear_param_search(self) -> tuple[torch.Tensor, torch.Tensor]:
        low, high = self._search()
        return low - _room(self._lows), high + _room(self._highs)

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
