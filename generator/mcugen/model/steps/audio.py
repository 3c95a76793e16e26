# SPDX-License-Identifier: BSD-3-Clause
"""Steps on audio, float [length] in [-1, 1]: resample, log_mel, mfcc. By scipy.

The convention, which is TensorFlow's for speech and nearly torchaudio's:

- Frames of `window_ms` every `hop_ms`, the first one beginning with the first sample; no padding,
  and what is left at the end is dropped. (torchaudio pads by default: `center=False` does not.)
- Periodic Hann window; then zeros up to the next power of two; |FFT|**2.
- `mel_bins` triangles between `low_hz` and `high_hz` (0: half the rate). `mel = "htk"`: equally
  spaced on 2595 log10(1 + f / 700), each with a peak of 1: torchaudio's default. `"slaney"`: linear
  below 1 kHz and logarithmic above, each of area 1 (2 / its width in Hz): librosa's default.
- Natural logarithm of that plus `floor`.
- MFCC: the first `coefficients` of the orthonormal DCT-II over the mel bins, no liftering.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from mcugen.base.errors import ConfigError
from mcugen.model.steps.step import Step, at_least, one_of


@dataclass(frozen=True)
class Resample(Step):
    """Audio at another rate, by scipy.signal.resample_poly (a Kaiser window of beta 5)."""

    name = "resample"
    from_hz: int
    to_hz: int

    def __post_init__(self) -> None:
        """Raise ConfigError for rates that are none."""
        at_least(self, 1, "from_hz", "to_hz")

    @property
    def sample_rate_hz(self) -> int | None:
        """The rate it takes."""
        return self.from_hz

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return float32[length * to_hz / from_hz, ...]."""
        from scipy.signal import resample_poly

        common = math.gcd(self.from_hz, self.to_hz)
        up, down = self.to_hz // common, self.from_hz // common
        return np.asarray(resample_poly(sample.astype(np.float32), up, down, axis=0), np.float32)


@dataclass(frozen=True)
class LogMel(Step):
    """float32[frames, mel_bins]: the logarithm of energies by mel bin."""

    name = "log_mel"
    sample_rate: int = 16_000
    window_ms: float = 30.0
    hop_ms: float = 20.0
    mel_bins: int = 40
    low_hz: float = 20.0
    high_hz: float = 0.0
    mel: str = "htk"
    floor: float = 1e-6

    def __post_init__(self) -> None:
        """Raise ConfigError for options that do not go together."""
        at_least(self, 1, "sample_rate", "mel_bins")
        at_least(self, 0, "low_hz", "high_hz")
        one_of(self, "mel", ("htk", "slaney"))
        if self.window < 1 or self.hop < 1:
            raise ConfigError(f"{self.name}: window_ms and hop_ms must be a sample at least")
        if not self.floor > 0:
            raise ConfigError(f"{self.name}: floor must be greater than 0")
        if not self.low_hz < self.top_hz <= self.sample_rate / 2:
            raise ConfigError(
                f"{self.name}: {self.low_hz:g} to {self.top_hz:g} Hz are no part of "
                f"0 to {self.sample_rate / 2:g} Hz"
            )

    @property
    def sample_rate_hz(self) -> int | None:
        """The rate it takes."""
        return self.sample_rate

    @property
    def window(self) -> int:
        """Samples in a frame."""
        return round(self.sample_rate * self.window_ms / 1000)

    @property
    def hop(self) -> int:
        """Samples from one frame's begin to the next one's."""
        return round(self.sample_rate * self.hop_ms / 1000)

    @property
    def top_hz(self) -> float:
        """Where the last triangle ends."""
        return self.high_hz or self.sample_rate / 2

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return float32[frames, mel_bins]."""
        from scipy.signal import get_window

        signal = sample[:, 0] if sample.ndim == 2 and sample.shape[1] == 1 else sample
        if signal.ndim != 1:
            raise ConfigError("not one channel of audio: [length]")
        if len(signal) < self.window:
            raise ConfigError(f"shorter than a frame of {self.window} samples")
        frames = np.lib.stride_tricks.sliding_window_view(signal.astype(np.float64), self.window)[
            :: self.hop
        ]
        n_fft = 1 << (self.window - 1).bit_length()
        power = np.abs(np.fft.rfft(frames * get_window("hann", self.window), n_fft)) ** 2
        triangles = mel_triangles(
            self.mel, self.sample_rate, n_fft, self.mel_bins, self.low_hz, self.top_hz
        )
        return np.log(power @ triangles + self.floor).astype(np.float32)


@dataclass(frozen=True)
class Mfcc(LogMel):
    """float32[frames, coefficients]: mel-frequency cepstral coefficients."""

    name = "mfcc"
    coefficients: int = 10

    def __post_init__(self) -> None:
        """Raise ConfigError for options that do not go together."""
        super().__post_init__()
        at_least(self, 1, "coefficients")
        if self.coefficients > self.mel_bins:
            raise ConfigError(f"mfcc: {self.coefficients} coefficients of {self.mel_bins} mel bins")

    def __call__(self, sample: np.ndarray) -> np.ndarray:
        """Return float32[frames, coefficients]."""
        from scipy.fft import dct

        cepstrum = dct(super().__call__(sample), type=2, norm="ortho", axis=-1)
        return np.asarray(cepstrum[:, : self.coefficients], np.float32)


@functools.cache
def mel_triangles(
    mel: str, rate: int, n_fft: int, bins: int, low_hz: float, high_hz: float
) -> np.ndarray:
    """Return float64[n_fft // 2 + 1, bins]: the share of each FFT bin in each mel bin."""
    to_mel, to_hz = (_htk, _from_htk) if mel == "htk" else (_slaney, _from_slaney)
    low, high = to_mel(np.array([low_hz, high_hz]))
    edges = to_hz(np.linspace(low, high, bins + 2))
    hz = np.linspace(0, rate / 2, n_fft // 2 + 1)[:, np.newaxis]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.clip(
        np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)), 0, None
    )
    return triangles if mel == "htk" else triangles * (2 / (right - left))


def _htk(hz: np.ndarray) -> np.ndarray:
    return np.asarray(2595 * np.log10(1 + hz / 700))


def _from_htk(mel: np.ndarray) -> np.ndarray:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


#: Malcolm Slaney's Auditory Toolbox (1998): 200/3 Hz a mel up to 1 kHz, then 27 mels for 6.4 times.
_LINEAR_HZ = 200 / 3
_LOG_STEP = math.log(6.4) / 27


def _slaney(hz: np.ndarray) -> np.ndarray:
    above = 15 + np.log(np.maximum(hz, 1000) / 1000) / _LOG_STEP
    return np.where(hz < 1000, hz / _LINEAR_HZ, above)


def _from_slaney(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * _LINEAR_HZ, 1000 * np.exp((mel - 15) * _LOG_STEP))
