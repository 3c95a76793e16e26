# SPDX-License-Identifier: BSD-3-Clause
"""Steps of preprocessing against formulas and the libraries whose convention they follow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mcugen.base.errors import ConfigError
from mcugen.model.feed import as_inputs, as_model_input, preprocessed
from mcugen.model.preprocess import (
    CentreCrop,
    ChannelsFirst,
    FitLength,
    Grey,
    LogMel,
    Mfcc,
    Normalize,
    Preprocess,
    Resample,
    Resize,
    Rgb,
    Scale,
    Window,
)
from mcugen.model.samples import Samples, stacked
from mcugen.model.steps.audio import mel_triangles

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.randint(0, 256, (3, 12, 10, 3)).astype(np.uint8)
EVERY = Preprocess(
    *(Resize(8, 8, "nearest"), CentreCrop(6, 4), Grey(), Rgb(), Scale(1 / 255, -0.5)),
    *(Normalize((0.1, 0.2, 0.3), (2.0,)), ChannelsFirst(), Window(3, 1), FitLength(9)),
    *(Resample(8000, 16000), LogMel(), Mfcc(mel="slaney", high_hz=4000.0)),
)


def test_scale_and_normalize_are_by_channel_and_float():
    ready = Preprocess(Scale(1 / 255), Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))(IMAGES)

    want = (IMAGES / 255 - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.3, 0.4])
    assert ready.dtype == np.float32
    np.testing.assert_allclose(ready, want, atol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
def test_resize_is_pillows_of_the_whole_image(method):
    """Each channel alone gives the bytes that Pillow makes of a colour image."""
    how = getattr(Image.Resampling, method.upper())
    want = [np.asarray(Image.fromarray(each).resize((7, 5), how)) for each in IMAGES]

    (ready,) = {Preprocess(Resize(5, 7, method))(IMAGES).tobytes()}
    floats = Preprocess(Resize(5, 7, method))(IMAGES.astype(np.float64))

    assert ready == np.stack(want).tobytes()
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, np.stack(want), atol=1.01)  # bytes are rounded twice


def test_grey_is_pillows():
    every = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), -1).reshape(-1, 52, 3)
    want = np.asarray(Image.fromarray(every.astype(np.uint8)).convert("L"))

    ready = Grey()(every.astype(np.uint8))

    assert (ready[..., 0] == want).all()
    np.testing.assert_allclose(Grey()(every / 255.0)[..., 0] * 255, want, atol=0.51)
    assert Grey()(IMAGES[0, ..., 0]).shape == (12, 10, 1)


def test_the_middle_of_an_image_and_of_a_series():
    numbers = np.arange(5 * 6).reshape(5, 6)

    assert CentreCrop(2, 4)(numbers).tolist() == [[7, 8, 9, 10], [13, 14, 15, 16]]
    assert FitLength(2)(np.arange(5)).tolist() == [1, 2]
    assert FitLength(4)(np.ones((2, 3))).sum() == 6 and FitLength(4)(np.ones((2, 3))).shape == (
        4,
        3,
    )


def test_windows_keep_the_label_of_their_series():
    series = stacked([np.arange(10)[:, None], np.arange(100, 107)[:, None]])
    samples = Samples(series, np.array([4, 9]), "a test", names=("a", "b"))

    ready = preprocessed(samples, Preprocess(Window(4, 3)))

    assert ready.inputs[:, 0, 0].tolist() == [0, 3, 6, 100, 103]
    assert ready.labels.tolist() == [4, 4, 4, 9, 9]
    assert ready.names == ("a", "a", "a", "b", "b")


def test_images_of_any_size_become_one_array():
    ragged = stacked([np.zeros((9, 7, 3), np.uint8), np.ones((4, 4, 3), np.uint8)])
    samples = Samples(ragged, None, "a test")

    with pytest.raises(ConfigError, match=r"differ in shape: \[9, 7, 3\] x 1, \[4, 4, 3\] x 1"):
        as_inputs(samples, (1, 3, 6, 6))
    ready = as_inputs(samples, (1, 3, 6, 6), preprocess=Preprocess(Resize(6, 6), Scale(2.0)))

    assert ready.inputs.shape == (2, 1, 3, 6, 6)
    assert ready.inputs[1].min() == ready.inputs[1].max() == 2
    assert "preprocessed: resize height=6, width=6, method=bilinear; scale" in ready.provenance


# -- audio

CLIP = (RANDOM.randn(4000) * 0.1).astype(np.float32)


@pytest.mark.parametrize("mel", ["htk", "slaney"])
def test_triangles_are_on_the_mel_scale(mel):
    triangles = mel_triangles(mel, 16000, 512, 40, 20.0, 8000.0)
    hz = np.linspace(0, 8000, 257)

    assert triangles.shape == (257, 40)
    assert (np.count_nonzero(triangles[:, 1:], axis=0) > 0).all()
    peaks = hz[triangles.argmax(axis=0)]
    if mel == "htk":
        edges = np.linspace(2595 * np.log10(1 + 20 / 700), 2595 * np.log10(1 + 8000 / 700), 42)
        want = 700 * (10 ** (edges[1:-1] / 2595) - 1)
        assert triangles.max() <= 1
    else:
        # 1 kHz is mel 15, and 6.4 kHz is mel 42: the two numbers that define Slaney's scale.
        edges = np.linspace(20 / (200 / 3), 15 + np.log(8) / (np.log(6.4) / 27), 42)[1:-1]
        want = np.where(edges < 15, edges * 200 / 3, 1000 * 6.4 ** ((edges - 15) / 27))
        wide = triangles[:, -8:].sum(axis=0) * (8000 / 256)
        np.testing.assert_allclose(wide, 1, atol=0.02)  # each of area 1
    assert np.abs(peaks - want).max() <= 8000 / 256


def test_log_mel_is_the_formula():
    """Frame by frame, bin by bin."""
    step = LogMel(window_ms=32, hop_ms=16, mel_bins=12, floor=1e-4)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    triangles = mel_triangles("htk", 16000, 512, 12, 20.0, 8000.0)
    want = [
        np.log((np.abs(np.fft.rfft(CLIP[i : i + 512] * hann)) ** 2) @ triangles + 1e-4)
        for i in range(0, 4000 - 512 + 1, 256)
    ]

    np.testing.assert_allclose(step(CLIP), want, atol=1e-4)
    np.testing.assert_allclose(step(CLIP[:, None]), want, atol=1e-4)


def test_mfcc_is_the_dct_of_the_log_mel():
    options = {"mel_bins": 13, "window_ms": 30, "hop_ms": 20}
    log_mel = LogMel(**options)(CLIP).astype(np.float64)
    k, m = np.arange(5)[:, None], np.arange(13)
    basis = np.sqrt(2 / 13) * np.cos(np.pi * k * (2 * m + 1) / 26)
    basis[0] /= np.sqrt(2)

    ready = Mfcc(**options, coefficients=5)(CLIP)

    np.testing.assert_allclose(ready, log_mel @ basis.T, atol=1e-4)


def test_a_second_at_16_khz_is_49_frames_as_in_mlperf_tiny():
    ready = as_inputs(
        Samples(np.zeros((2, 16000), np.float32), None, "silence", sample_rate_hz=16000),
        (1, 1, 49, 10),
        preprocess=Preprocess(Mfcc()),
    )

    assert ready.inputs.shape == (2, 1, 1, 49, 10)


def test_a_tone_is_found_after_resampling():
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    ready = Preprocess(Resample(8000, 16000), LogMel(mel_bins=40))(tone[None])[0]

    hz = 700 * (10 ** (np.linspace(31.7, 2840, 42)[1:-1] / 2595) - 1)
    assert abs(hz[ready.mean(axis=0).argmax()] - 1000) < 80


def test_audio_of_another_rate_is_refused_with_what_to_do():
    samples = Samples(np.zeros((1, 9000), np.float32), None, "clips", sample_rate_hz=8000)

    with pytest.raises(ConfigError, match=r"audio of 8000 Hz, .* takes 16000 Hz") as caught:
        preprocessed(samples, Preprocess(Mfcc()))
    assert "from_hz = 8000, to_hz = 16000" in caught.value.hint
    assert len(preprocessed(samples, Preprocess(Resample(8000, 16000), Mfcc())).inputs) == 1


# -- the declaration


def test_a_declaration_goes_through_json_and_toml():
    import json

    assert Preprocess.from_json(json.loads(json.dumps(EVERY.to_json()))) == EVERY
    assert Preprocess(*EVERY.steps[1:]) != EVERY


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({"do": "scale"}, "steps must be a list of tables"),
        ([{"scale": 1}], "step 1: .* does not say what to do"),
        (
            [{"do": "grey"}, {"do": "resise"}],
            "step 2: unknown step 'resise'; did you mean 'resize'",
        ),
        (
            [{"do": "scale", "of": 1}],
            r"step 1 \(scale\): unknown option 'of'; did you mean 'offset'",
        ),
        ([{"do": "resize", "width": 3}], r"\(resize\): height not given"),
        ([{"do": "resize", "width": 3, "height": True}], "'height' must be a whole number"),
        ([{"do": "resize", "width": 0, "height": 1}], "width must be at least 1, not 0"),
        ([{"do": "resize", "width": 1, "height": 1, "method": "x"}], "bilinear or nearest"),
        ([{"do": "normalize", "mean": ["a"]}], "'mean' must be a list of numbers"),
        ([{"do": "normalize", "std": 0}], "std must be greater than 0"),
        ([{"do": "normalize", "mean": [1, 2], "std": [1, 2, 3]}], "2 numbers in mean, 3 in std"),
        ([{"do": "mfcc", "coefficients": 50}], "50 coefficients of 40 mel bins"),
        ([{"do": "log_mel", "high_hz": 9000}], "20 to 9000 Hz are no part of 0 to 8000 Hz"),
    ],
)
def test_what_is_no_declaration_is_named(steps, words):
    with pytest.raises(ConfigError, match=words):
        Preprocess.from_json(steps)


@pytest.mark.parametrize(
    ("step", "shape", "words"),
    [
        (Resize(4, 4), (5,), r"step 1 \(resize\): sample 1, \[5\]: not an image"),
        (CentreCrop(9, 9), (5, 5), r"step 1 \(centre_crop\): sample 1, \[5, 5\]: smaller than"),
        (Grey(), (4, 4, 2), "2 channels, not red, green and blue"),
        (Normalize((1.0, 2.0)), (4, 3), "mean and std are of 2 channels"),
        (Window(9, 1), (4, 3), "shorter than a window of 9 steps"),
        (Mfcc(), (100,), "shorter than a frame of 480 samples"),
        (Mfcc(), (16000, 2), "not one channel of audio"),
        (ChannelsFirst(), (4,), "no channels"),
    ],
)
def test_a_sample_that_does_not_suit_is_named(step, shape, words):
    good = {"window": np.zeros(20), "mfcc": CLIP}.get(step.name, np.zeros((9, 9, 3)))
    good = np.zeros((9, 2)) if step.name == "normalize" else good

    with pytest.raises(ConfigError, match=words):
        Preprocess(step)(stacked([good, np.zeros(shape)]))


def test_a_function_must_give_as_many_samples():
    samples = Samples(np.zeros((4, 2)), np.arange(4), "a test")

    assert preprocessed(samples, lambda x: x + 1).inputs.sum() == 8
    with pytest.raises(ConfigError, match=r"gave \[2, 2\] for 4 samples"):
        preprocessed(samples, lambda x: x[:2])


def test_a_step_that_is_none_is_named():
    with pytest.raises(ConfigError, match="cannot be a function"):
        Preprocess(lambda x: x)


def test_pixels_and_steps_are_one_too_many():
    with pytest.raises(ConfigError, match="both --pixels and preprocessing"):
        as_inputs(
            Samples(IMAGES, None, "a test"),
            (1, 3, 12, 10),
            preprocess=Preprocess(Scale(1.0)),
            pixels="0..1",
        )


@pytest.mark.parametrize(
    ("stored", "shape"),
    [((100, 6), (1, 6, 100)), ((100, 6), (1, 6, 1, 100)), ((100, 6), (1, 1, 100, 6))],
)
def test_a_series_with_channels_last_takes_the_models_shape(stored, shape):
    values = RANDOM.randn(2, *stored).astype(np.float32)

    rows = as_model_input(values, shape)

    assert rows.shape == (2, *shape)
    first = rows.reshape(2, *(n for n in shape if n != 1))
    assert (
        first == (values if shape[2] == 100 and shape[3:] == (6,) else values.transpose(0, 2, 1))
    ).all()
