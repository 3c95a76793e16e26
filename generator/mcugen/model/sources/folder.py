# SPDX-License-Identifier: BSD-3-Clause
"""A folder of files, a sample each: `.npy` arrays, images, or audio.

Where all files lie in subfolders, these are the classes, numbered in the order of the alphabet, as
by torchvision's ImageFolder, empty ones among them. Names are listed; only the chosen files are
opened.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcugen.base.errors import ConfigError, ToolMissingError
from mcugen.model.samples import Progress, Samples, spread, stacked
from mcugen.model.sources.text import first_line, numbers
from mcugen.model.steps.images import pillow

_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm"})
_AUDIO = frozenset({".wav", ".flac", ".ogg"})
#: Folders of these names are parts of a data set, not its classes.
_SPLITS = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
)


@dataclass(frozen=True)
class Listing:
    """The samples of a folder, not yet opened."""

    kind: str  #: "arrays", "images" or "audio"
    files: tuple[Path, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...] | None


def listing(folder: Path) -> Listing:
    """Return the samples of a folder by name. Raises ConfigError for none, or several kinds."""
    found: dict[str, list[Path]] = {"arrays": [], "images": [], "audio": []}
    subfolders = set()
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if any(part.startswith((".", "__MACOSX")) for part in inside):
            continue
        if len(inside) == 1 and file.is_dir():
            subfolders.add(file.name)
        kind = _kind(file.suffix.lower())
        if kind and file.is_file():
            found[kind].append(file)
    kinds = [kind for kind, files in found.items() if files]
    if not kinds:
        raise ConfigError(
            f"{folder} holds no .npy files, no images and no audio",
            hint=f"Files that end in .npy, {', '.join(sorted(_IMAGES | _AUDIO))}; in a subfolder "
            "for each class, where they have one.",
        )
    if len(kinds) > 1:
        counts = " and ".join(f"{len(found[kind]):,} of {kind}" for kind in kinds)
        raise ConfigError(f"{folder} holds files of several kinds: {counts}; which are samples?")
    files = found[kinds[0]]
    tops = [file.relative_to(folder).parts for file in files]
    if any(len(parts) == 1 for parts in tops):
        return Listing(kinds[0], tuple(files), None, None)
    names = tuple(sorted({parts[0] for parts in tops}))
    if len(names) > 1 and {name.lower() for name in names} <= _SPLITS:
        raise ConfigError(
            f"{folder} has the parts {', '.join(names)} of a data set, not its classes",
            hint=f"Name one: {folder / names[0]}.",
        )
    names = tuple(sorted(subfolders))  # a class of which there is no sample has its number, too
    number = {name: place for place, name in enumerate(names)}
    return Listing(kinds[0], tuple(files), tuple(number[parts[0]] for parts in tops), names)


def _kind(suffix: str) -> str | None:
    if suffix == ".npy":
        return "arrays"
    return "images" if suffix in _IMAGES else "audio" if suffix in _AUDIO else None


def load_folder(
    path: Path,
    limit: int | None = None,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Return the samples of a folder; images as uint8[h, w, 1 or 3], audio as float32 in [-1, 1].

    Files of different size give object[n] (see Samples). Raises ConfigError, naming the file, for
    a damaged one and for audio of several rates; ToolMissingError without Pillow or soundfile.
    """
    there = listing(path)
    chosen = spread(len(there.files), limit, seed)
    rates: dict[int, Path] = {}
    readers: dict[str, Callable[[Path], np.ndarray]] = {
        "arrays": _array,
        "images": image_of,
        "audio": functools.partial(_audio, rates=rates),
    }
    read = readers[there.kind]
    rows = []
    for done, index in enumerate(chosen):
        file = there.files[index]
        if progress:
            progress(f"reading {path.name}", done, len(chosen))
        try:
            rows.append(read(file))
        except ToolMissingError:
            raise
        except Exception as error:  # Pillow, scipy and numpy: many types for a damaged file
            inside = file.relative_to(path)
            raise ConfigError(
                f"cannot read the samples in {path}: {inside}: {first_line(error)}"
            ) from error
    if progress:
        progress(f"reading {path.name}", len(chosen), len(chosen))
    if len(rates) > 1:
        said = ", ".join(f"{rate} Hz ({file.name})" for rate, file in list(rates.items())[:3])
        raise ConfigError(f"{path}: audio of several sample rates: {said}")
    return Samples(
        stacked(rows),
        None if there.labels is None else np.array([there.labels[i] for i in chosen], np.int64),
        path.name,
        there.class_names,
        tuple(str(there.files[i].relative_to(path)) for i in chosen),
        next(iter(rates), None),
    )


def _array(file: Path) -> np.ndarray:
    return numbers(functools.partial(np.load, file, allow_pickle=False), "the array")


def image_of(file: Path) -> np.ndarray:
    """Return an image: uint8 [h, w, 3] of colours or [h, w, 1] of grey, without transparency."""
    with pillow().open(file) as image:
        if image.mode in ("L", "1", "LA"):
            image = image.convert("L")
        elif image.mode not in ("RGB", "F", "I") and not image.mode.startswith("I;16"):
            image = image.convert("RGB")  # of a palette, bytes are places in it
        pixels = np.asarray(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _audio(file: Path, rates: dict[int, Path]) -> np.ndarray:
    values, rate = audio_of(file)
    rates.setdefault(rate, file)
    return values


def audio_of(file: Path) -> tuple[np.ndarray, int]:
    """Return float32[length] or [length, channels] in [-1, 1], and the rate in Hz.

    `.wav` by scipy; other files by soundfile, which mcugen[audio] brings.
    """
    if file.suffix.lower() != ".wav":
        try:
            import soundfile
        except ImportError as error:
            raise ToolMissingError(
                f"reading {file.suffix} files needs soundfile",
                hint="pip install soundfile, or mcugen's extra: 'mcugen[audio]'.",
            ) from error
        values, rate = soundfile.read(file, dtype="float32")
        return values, int(rate)
    from scipy.io import wavfile

    with warnings.catch_warnings():
        # Chunks that other programs put in. A cut file is an error below.
        warnings.simplefilter("ignore", wavfile.WavFileWarning)
        rate, stored = wavfile.read(file)
    if len(stored) == 0:
        raise ValueError("no samples")
    if stored.dtype == np.uint8:
        return (stored.astype(np.float32) - 128) / 128, int(rate)
    if stored.dtype.kind == "i":
        return (stored / -float(np.iinfo(stored.dtype).min)).astype(np.float32), int(rate)
    return stored.astype(np.float32), int(rate)
