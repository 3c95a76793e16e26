# SPDX-License-Identifier: BSD-3-Clause
"""`--max-drop`: whether int8 is as good as the model in float, within so many points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcugen.base.errors import AccuracyError, ConfigError
from mcugen.model.catalog import Metric

if TYPE_CHECKING:
    from mcugen.device.judgement import Truth
    from mcugen.device.verify import Verification
    from mcugen.flow.building import Built
    from mcugen.flow.settings import Settings
    from mcugen.flow.terminal import Terminal

#: A figure of one sample's weight must not fail for the last bit of a float.
_EPSILON = 1e-9


def drop_error(
    settings: Settings,
    built: Built,
    verification: Verification | None,
    *,
    where: str = "device",
) -> AccuracyError | None:
    """Return the error that a verification ends with whose accuracy fell too far, or None."""
    if settings.max_drop is None or verification is None:
        return None
    name, scores = "accuracy", verification.judgement.accuracy
    if scores.float_model is None:
        name, scores = "AUC", verification.judgement.auc
    if scores.float_model is None or scores.device is None:
        return None
    return too_far(settings.max_drop, name, scores.float_model, scores.device, where, built)


def too_far(
    limit: float, name: str, in_float: float, int8: float, where: str, built: Built
) -> AccuracyError | None:
    """Return the error of an int8 figure that is below the float one by more than `limit` points.

    Args:
        limit: percentage points.
        name: what the figures are, "accuracy".
        in_float: 0 to 1.
        int8: 0 to 1.
        where: whose the int8 figure is, "device".
        built: whose layers are blamed.
    """
    drop = 100 * (in_float - int8)
    if drop <= limit + _EPSILON:
        return None
    blame = built.quantization.blame
    return AccuracyError(
        f"{name} of {built.artifact.name} is {100 * int8:.2f} % on the {where} and "
        f"{100 * in_float:.2f} % in float: {drop:.2f} points below, and --max-drop allows "
        f"{limit:g}" + (f"\nWorst: {blame}" if blame else ""),
        hint="mcugen inspect MODEL --layers shows what each layer costs; --tune looks for better "
        "ranges.",
    )


def require_figures(settings: Settings, built: Built, truth: Truth) -> None:
    """Raise ConfigError if a limit is set, and there is no figure of both int8 and float."""
    if settings.max_drop is None:
        return
    name = built.artifact.name
    if truth.labels is None:
        raise ConfigError(
            f"--max-drop compares accuracies, and there are no labelled samples of {name}",
            hint="--data SOURCE gives some. Without, int8 is compared with float by its outputs.",
        )
    if truth.metric not in (Metric.ACCURACY, Metric.AUC):
        raise ConfigError(
            f"--max-drop compares accuracies or AUC; {name} is judged by {truth.metric} "
            f"({truth.why})",
            hint="--metric accuracy or auc, if labels are classes. Errors of a regression stand in "
            "the report, of int8 beside float.",
        )
    if truth.metric is Metric.AUC and len(set(truth.labels.reshape(-1).tolist())) < 2:
        raise ConfigError(
            f"--max-drop: all {len(truth.labels)} samples of {name} have one label, and AUC "
            "compares those of two",
            hint="--samples N takes more of them.",
        )
    if truth.float_outputs is None:
        raise ConfigError(
            f"--max-drop compares int8 with the model in float, and of {name} there is none",
            hint="Give the model that the .pte was made of.",
        )


def check_on_host(settings: Settings, built: Built, terminal: Terminal) -> None:
    """Raise AccuracyError if the program falls too far, computed by the host as the device does."""
    if settings.max_drop is None:
        return
    from mcugen.device.verify import compare
    from mcugen.flow.verifying import evaluation

    data = evaluation(settings, built, terminal, verify=True)
    require_figures(settings, built, data.truth)
    # The host's outputs in the place of the device's.
    verified = compare(built.exported, data.inputs, data.expected, data.expected, truth=data.truth)
    error = drop_error(settings, built, verified, where="host")
    if error is not None:
        raise error
