# SPDX-License-Identifier: BSD-3-Clause
"""Each stage as a function. `mcugen.toml` and the last build of a folder are the command line's."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from mcugen.api.given import AnyModel, Buildable, buildable, settings_of
from mcugen.api.listener import Listener, Progress
from mcugen.api.report import Report
from mcugen.api.reports import build_report, built_of, measured_report
from mcugen.base.errors import ConfigError

if TYPE_CHECKING:
    from mcugen.model.preprocess import Preprocess


def build(
    model: AnyModel,
    board: str = "nucleo",
    *,
    io: str = "int8",
    optimize: str = "balanced",
    output: str | PathLike[str] | None = None,
    calibrate: str | None = None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    calibration_method: str | None = None,
    calibration_samples: int | None = None,
    layer_method: Sequence[str] = (),
    float_layer: Sequence[str] = (),
    tune: bool = False,
    dim: Sequence[str] = (),
    strict: bool = False,
    accept_loss: bool = False,
    trust: bool = False,
    runtime: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Make the firmware: quantize, lower, plan the memory, generate a project, compile it.

    Args:
        model: `mcugen.Model`, a bundled model's name, `file.py:factory`, a `.pt2` or a `.pte`.
        board: id or alias; `mcugen boards` lists them.
        io: type of inputs and outputs, "int8" or "float".
        optimize: "size", "balanced" or "speed".
        output: the project's folder; None: `mcugen_out/<model>-<board>` in the working folder.
        calibrate: `FILE.npz`, `FILE.npy`, `tfds:NAME`, a folder or "random"; None: the model's own.
        pixels: what bytes in that stand for: "0..1", "-1..1" or "0..255".
        preprocess: from stored samples to what the model takes, where it brings no such thing.
        calibration_method: "histogram" (the default), "minmax" or "percentile:99.9".
        calibration_samples: how many to calibrate with; None: 128, or 16 of noise.
        layer_method: another method for single layers: ["body.4=minmax"].
        float_layer: layers to keep in float, by their modules' names: ["head", "body.*"].
        tune: try methods and layers in float for the best int8.
        dim: sizes of a `.pt2`'s dynamic axes: ["x.1=30"].
        strict: refuse operators that fall back to float.
        accept_loss: take a model whose int8 form is far from its float form.
        trust: let a `.pt2` of your own run code while it is loaded.
        runtime: install prefix of ExecuTorch's own libraries, to link them.
        progress: called as progress(what, done, total); total is 0 where it is not known.
        verbose: let torch, executorch and the compiler print.

    Raises ConfigError, ToolMissingError, DoesNotFitError, ExportError (QuantizationError,
    LoweringError, UnsupportedOperatorError, PteError), BuildError.
    """
    listener = Listener(progress, verbose=verbose)
    settings = settings_of(
        {
            **{"model": model, "board": board, "io": io, "optimize": optimize, "output": output},
            **{"calibrate": calibrate, "pixels": pixels, "preprocess": preprocess, "dim": dim},
            **{"strict": strict, "accept_loss": accept_loss, "trust": trust, "runtime": runtime},
            **{"calibration_method": calibration_method, "layer_method": layer_method},
            **{"calibration_samples": calibration_samples, "float_layer": float_layer},
            **{"tune": tune},
        }
    )
    return build_report(built_of(settings, listener), listener)


def run(
    model: Buildable,
    board: str | None = None,
    *,
    simulate: bool = False,
    device: str | None = None,
    port: str | None = None,
    way: str | None = None,
    data: Any = None,
    metric: str | None = None,
    samples: int | None = None,
    max_drop: float | None = None,
    runs: int | None = None,
    warmups: int | None = None,
    timeout_s: float | None = None,
    io: str = "int8",
    optimize: str = "balanced",
    output: str | PathLike[str] | None = None,
    calibrate: str | None = None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    calibration_method: str | None = None,
    calibration_samples: int | None = None,
    layer_method: Sequence[str] = (),
    float_layer: Sequence[str] = (),
    tune: bool = False,
    dim: Sequence[str] = (),
    strict: bool = False,
    accept_loss: bool = False,
    trust: bool = False,
    runtime: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Build, put the image on the board or on QEMU, verify it, time it.

    Args:
        model: as `build` takes it, or the report of a build, which is not built again.
        board: None: "nucleo", or the board that was built for.
        simulate: on the board's QEMU machine; boards that exist only there need not be told.
        device: which attached device, by probe serial or port.
        port: the board's console, where it is not the port of its probe.
        way: how to flash: "openocd", "pyocd", "jlink", "uf2", "bossac", "dfu", "stm32flash"; None:
            the board's first way that is attached and installed.
        data: labelled samples to verify with: a name as `calibrate`, or, with an `mcugen.Model`,
            what its `evaluation` takes; None: the model's own.
        metric: "accuracy", "auc", "regression" or "none"; None: by labels and outputs.
        samples: how many to verify; None: 256 labelled ones, or 16 random ones.
        max_drop: percentage points that int8 may be below float, on labelled samples.
        runs, warmups: inferences that are timed (20), and before those (3).
        timeout_s: seconds to wait for each of the device's answers.
        others: as `build`.

    Raises what `build` does, and FlashError, DeviceError, DeviceTimeoutError; OutputMismatchError
    if the device does not compute what the host does, AccuracyError if int8 is too far below float:
    their `report` is what was found.
    """
    from mcugen.flow.building import check_model
    from mcugen.flow.flashing import check_target

    listener = Listener(progress, verbose=verbose)
    settings, built = buildable(
        model,
        board,
        {
            **{"simulate": simulate, "device": device, "port": port, "way": way},
            **{"samples": samples, "runs": runs},
            **{"warmups": warmups, "timeout_s": timeout_s, "data": data, "metric": metric},
            **{"max_drop": max_drop},
        },
        {
            **{"io": io, "optimize": optimize, "output": output, "calibrate": calibrate},
            **{"pixels": pixels, "preprocess": preprocess, "dim": dim, "strict": strict},
            **{"accept_loss": accept_loss},
            **{"trust": trust, "runtime": runtime},
            **{"calibration_method": calibration_method, "layer_method": layer_method},
            **{"calibration_samples": calibration_samples, "float_layer": float_layer},
            **{"tune": tune},
        },
    )
    check_model(settings)
    check_target(settings, flash=True)  # before minutes of work for a board that is not there
    built = built or built_of(settings, listener)
    return measured_report(settings, built, listener, "run")


def verify(
    model: Buildable,
    board: str | None = None,
    *,
    simulate: bool = False,
    device: str | None = None,
    port: str | None = None,
    way: str | None = None,
    data: Any = None,
    metric: str | None = None,
    samples: int | None = None,
    max_drop: float | None = None,
    timeout_s: float | None = None,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Compare the device with the host, byte for byte, and their accuracies where samples have one.

    Args: as `run`. Other options than these go to `build`, whose report this takes.

    Raises what `run` does.
    """
    listener = Listener(progress, verbose=verbose)
    target = {"simulate": simulate, "device": device, "port": port, "way": way}
    judged = {"data": data, "metric": metric}
    settings, built = buildable(
        model,
        board,
        {**target, **judged, "samples": samples, "timeout_s": timeout_s, "max_drop": max_drop},
    )
    return measured_report(settings, built or built_of(settings, listener), listener, "verify")


def profile(
    model: Buildable,
    board: str | None = None,
    *,
    simulate: bool = False,
    device: str | None = None,
    port: str | None = None,
    way: str | None = None,
    counter: bool = False,
    runs: int | None = None,
    warmups: int | None = None,
    timeout_s: float | None = None,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Find what each layer takes: the report's `layers`.

    On a board: cycles of each call by its counter, median of several runs. Simulated: instructions
    and estimated cycles, by a trace of one inference.

    Args:
        counter: by the device's own counter on a simulated board, too; runs and warmups are of it.
        others: as `run`. Other options than these go to `build`, whose report this takes.

    Raises what `run` does, but OutputMismatchError.
    """
    from mcugen.flow.flashing import check_target
    from mcugen.flow.profiling import counted_document, traced_document
    from mcugen.flow.report.call_times import call_times_text
    from mcugen.flow.report.profile import profile_text

    listener = Listener(progress, verbose=verbose)
    target = {"simulate": simulate, "device": device, "port": port, "way": way}
    counted = {"runs": runs, "warmups": warmups, "timeout_s": timeout_s}
    settings, built = buildable(model, board, {**target, **counted})
    check_target(settings)
    by_counter = counter or not settings.simulate
    if not by_counter and (runs is not None or warmups is not None):
        raise ConfigError("a trace is of one inference: runs and warmups go with counter=True")
    built = built or built_of(settings, listener)
    if by_counter:
        document, text = counted_document(settings, built, listener), call_times_text
    else:
        document, text = traced_document(settings, built, listener), profile_text
    return Report(document, text, tuple(listener.warnings), built.fidelity, built=built)


def inspect(
    model: AnyModel,
    board: str = "nucleo",
    *,
    io: str = "int8",
    calibrate: str | None = None,
    pixels: str | None = None,
    preprocess: Preprocess | None = None,
    calibration_method: str | None = None,
    calibration_samples: int | None = None,
    layer_method: Sequence[str] = (),
    float_layer: Sequence[str] = (),
    tune: bool = False,
    dim: Sequence[str] = (),
    strict: bool = False,
    trust: bool = False,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Find what a model becomes: operators, tensors, memory, what fell back to float and why.

    Compiles nothing; a model that does not fit, or that lost much, is shown, too.

    Args: as `build`.

    Raises ConfigError, ExportError.
    """
    from mcugen.export.fidelity import Fidelity
    from mcugen.flow.inspecting import inspect_document
    from mcugen.flow.report.text import inspect_text

    listener = Listener(progress, verbose=verbose)
    settings = settings_of(
        {
            **{"model": model, "board": board, "io": io, "calibrate": calibrate, "pixels": pixels},
            **{"dim": dim, "strict": strict, "trust": trust},
            **{"calibration_method": calibration_method, "layer_method": layer_method},
            **{"calibration_samples": calibration_samples, "float_layer": float_layer},
            **{"tune": tune, "preprocess": preprocess},
        }
    )
    document = inspect_document(settings, listener)
    fidelity = Fidelity.from_json(document["fidelity"])
    return Report(document, inspect_text, tuple(listener.warnings), fidelity)
