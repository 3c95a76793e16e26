# SPDX-License-Identifier: BSD-3-Clause
"""What the device's outputs are worth, as JSON and as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mcugen.flow.paths import show_path

if TYPE_CHECKING:
    from mcugen.device.judgement import Scores
    from mcugen.device.verify import Verification

#: A confusion matrix of more classes is told by what is most often taken for what.
_MOST_COLUMNS = 12
_MOST_CONFUSED = 10
#: A table of more classes shows those with the least recall.
_MOST_CLASSES = 20
_NAME_WIDTH = 16


def judgement_section(result: Verification) -> dict[str, Any]:
    """Return the figures, whole."""
    found = result.judgement
    differing = result.differing
    return {
        "metric": found.metric.value,
        "metric_why": found.why,
        "accuracy": scores(found.accuracy),
        "auc": scores(found.auc),
        "agreement": scores(found.agreement),
        "regression": {side: asdict(each) for side, each in found.regression.items()},
        "against_float": {side: asdict(each) for side, each in found.against_float.items()},
        "class_names": list(found.class_names),
        "classes": [asdict(each) for each in found.classes],
        "confusion": {side: matrix.tolist() for side, matrix in found.confusion.items()},
        "differing": None
        if differing is None
        else {
            "index": str(differing.index) if differing.index else None,
            **{kind: len(numbers) for kind, numbers in differing.kinds.items()},
        },
        "resumed": result.resumed,
        "losses": list(result.losses),
    }


def scores(found: Scores) -> dict[str, float | None]:
    """Return a figure of each side."""
    return {"float": found.float_model, "int8_host": found.int8_host, "device": found.device}


# --- text: (name, value) pairs, a line each


def judgement_rows(verify: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a section for people."""
    rows = [
        *_score_rows("accuracy", verify["accuracy"], _percent),
        *_score_rows("AUC", verify["auc"], "{:.4f}".format),
        *_error_rows("error", verify["regression"]),
        *_score_rows("agreement", verify["agreement"], _percent, " of classes are float's"),
    ]
    if not rows or verify["regression"]:
        rows += _error_rows("from float", verify["against_float"])
    if verify["data"]:
        rows.append(("data", verify["data"]))
    if verify["metric"] != "none" or verify["against_float"]:
        rows.append(("metric", f"{verify['metric']}: {verify['metric_why']}"))
    if verify["resumed"]:
        rows.append(("resumed", f"{verify['resumed']:,} samples were run by an earlier command"))
    rows += [("lost", text) for text in verify["losses"]]
    rows += _class_rows(verify["classes"])
    rows += _confusion_rows(verify)
    return rows + _differing_rows(verify["differing"])


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


_NAMES = (("device", "device"), ("host int8", "int8_host"), ("float", "float"))


def _score_rows(
    name: str, scores: dict[str, float | None], show: Callable[[float], str], of: str = ""
) -> list[tuple[str, str]]:
    """Return a figure of the device, the host and the model in float, where there is one."""
    known = [(words, scores[key]) for words, key in _NAMES]
    parts = [f"{words} {show(value)}" for words, value in known if value is not None]
    return [(name, ", ".join(parts) + of)] if parts else []


def _error_rows(name: str, by_side: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for words, key in _NAMES:
        if key in by_side:
            each = by_side[key]
            ratio = "equal" if each["max_abs"] == 0 else "-"
            if each["sqnr_db"] is not None:
                ratio = f"{each['sqnr_db']:.1f} dB"
            r2 = "" if each["r2"] is None else f", R2 {each['r2']:.4f}"
            text = f"mean {each['mean_abs']:.4g}, largest {each['max_abs']:.4g}, {ratio}{r2}"
            rows.append((name if not rows else "", f"{words}: {text}"))
    return rows


def _class_rows(classes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return recall and precision of each class, int8 on the device beside float."""
    shown = [each for each in classes if each["samples"] or each["precision"] is not None]
    more = len(shown) - _MOST_CLASSES
    if more > 0:
        shown = sorted(shown, key=lambda each: _or_one(each["recall"]))[:_MOST_CLASSES]
    if not shown:
        return []
    cells = [
        (
            _short(each["name"]),
            str(each["samples"]),
            *(
                _percent(each[key])
                for key in ("recall", "float_recall", "precision", "float_precision")
            ),
        )
        for each in shown
    ]
    header = ("class", "n", "recall", "in float", "precision", "in float")
    lines = _table([header, *cells])
    if more > 0:
        lines.append(f"{more} classes with more recall are in the JSON")
    return [("by class" if not number else "", line) for number, line in enumerate(lines)]


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value


def _confusion_rows(verify: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the device's confusion matrix, or what it confuses most, of many classes."""
    matrix = verify["confusion"].get("device")
    if not matrix:
        return []
    names = [_short(each["name"]) for each in verify["classes"]]
    if len(matrix) <= _MOST_COLUMNS:
        header = ("is \\ taken for", *(name[:6] for name in names))
        cells = [
            (name, *(str(count) if count else "." for count in row))
            for name, row in zip(names, matrix, strict=True)
        ]
        lines = _table([header, *cells])
    else:
        pairs = [
            (count, label, taken)
            for label, row in enumerate(matrix)
            for taken, count in enumerate(row)
            if count and taken != label
        ]
        pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
        lines = [f"{names[a]} taken for {names[b]}: {n} x" for n, a, b in pairs[:_MOST_CONFUSED]]
    return [("confusion" if not number else "", line) for number, line in enumerate(lines)]


def _differing_rows(differing: dict[str, Any] | None) -> list[tuple[str, str]]:
    if differing is None or differing["index"] is None:
        return []
    words = (
        ("host", "not equal to the host"),
        ("float", "not of float's class"),
        ("label", "not of the label's class"),
    )
    counts = [f"{differing[kind]:,} {what}" for kind, what in words if differing.get(kind)]
    return [
        ("differing", f"samples: {', '.join(counts)}"),
        ("", f"the first of each for mcugen infer: {show_path(differing['index'])}"),
    ]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows in columns: the first one aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
