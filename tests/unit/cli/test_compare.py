# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen compare`: two runs of the rig, or two reports, by a policy in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcugen.base.errors import ConfigError
from mcugen.flow.results.comparing import compare
from mcugen.flow.results.document import figures_of, read_results
from mcugen.flow.results.policy import Policy, read_policy

FIGURES = {
    "instructions": 100_000,
    "flash_bytes": 60_000,
    "ram_bytes": 9_000,
    "bit_exact": 1.0,
    "accuracy": 0.98,
}


def document(device: str = "sim", **changes: Any) -> dict[str, Any]:
    figures = FIGURES | changes.pop("figures", {})
    return {
        "schema": "mcugen.result/1",
        "run": "20261127T171500Z",
        "commit": "a" * 40,
        "device": {"id": device, "simulated": True},
        "board": "qemu-m4",
        "model": {"name": "digits"},
        "firmware": {"id": "0123456789abcdef"},
        "figures": {name: value for name, value in figures.items() if value is not None},
        "outcome": "passed",
        **changes,
    }


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the results of one run into a folder."""

    def run(name: str, *documents: dict[str, Any]) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for each in documents:
            (folder / f"{each['device']['id']}.json").write_text(json.dumps(each))
        return folder

    return run


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Policy]:
    def read(text: str) -> Policy:
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return read_policy(path)

    return read


def outside(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (device["id"], row["name"])
        for device in report["devices"]
        for row in device["figures"]
        if not row["within"]
    }


def test_the_usual_policy_wants_counts_and_bytes_equal_and_cycles_within_a_percent(write):
    real = {"device": {"id": "real", "simulated": False}}
    cycles = {"instructions": None, "cycles": 50_000}
    first = write("a", document(), document(**real, figures=cycles))
    worse = {"instructions": 100_001, "flash_bytes": 59_999, "accuracy": 0.99}
    second = write(
        "b",
        document(figures=worse),
        document(**real, figures=cycles | {"cycles": 50_499}),
    )

    report = compare(first, second, Policy())

    assert outside(report) == {("sim", "instructions"), ("sim", "flash_bytes")}
    assert not report["within"]


@pytest.mark.parametrize(
    ("rule", "instructions", "within"),
    [
        ('"equal"', 100_001, False),
        ('"equal"', 100_000, True),
        ('"no worse"', 99_000, True),
        ('"no worse"', 100_001, False),
        ('"any"', 900_000, True),
        ("{ percent = 1 }", 101_000, True),
        ("{ percent = 1 }", 101_001, False),
        ("{ percent = 1 }", 98_999, False),
        ('{ percent = 1, better = "any" }', 50_000, True),
        ("{ absolute = 64 }", 100_064, True),
        ("{ absolute = 64 }", 100_065, False),
        ("{ percent = 1, absolute = 2000 }", 102_000, True),
    ],
)
def test_each_kind_of_rule(write, policy, rule, instructions, within):
    first = write("a", document())
    second = write("b", document(figures={"instructions": instructions}))

    report = compare(first, second, policy(f"[figures]\ninstructions = {rule}"))

    assert report["within"] == within


def test_a_rule_of_a_device_goes_before_its_boards_and_the_general_one(write, policy):
    rules = policy(
        '[figures]\ninstructions = "any"\n[board.qemu-m4]\ninstructions = { percent = 5 }\n'
        '[device.strict]\ninstructions = "equal"'
    )
    first = write("a", document("sim"), document("strict"))
    changed = {"instructions": 104_000}
    second = write("b", document("sim", figures=changed), document("strict", figures=changed))

    assert outside(compare(first, second, rules)) == {("strict", "instructions")}


def test_less_accuracy_or_a_byte_that_differs_is_worse(write):
    first = write("a", document())
    second = write("b", document(figures={"bit_exact": 0.996, "accuracy": 0.97}))

    assert outside(compare(first, second, Policy())) == {("sim", "bit_exact"), ("sim", "accuracy")}


def test_what_is_not_measured_any_more_is_outside(write):
    first = write("a", document(), document("gone"))
    second = write("b", document(figures={"ram_bytes": None}), document("new"))

    report = compare(first, second, Policy())

    assert outside(report) == {("sim", "ram_bytes")}
    assert report["missing"] == ["gone"] and report["new"] == ["new"]


def test_a_device_whose_tests_failed_is_outside_whatever_its_figures(write):
    report = compare(write("a", document()), write("b", document(outcome="failed")), Policy())

    assert not outside(report) and not report["within"]


def test_results_of_another_board_or_model_are_refused(write):
    first = write("a", document())

    with pytest.raises(ConfigError, match="cannot be compared: digits on qemu-m4 in QEMU, and kws"):
        compare(first, write("b", document(model={"name": "kws"})), Policy())
    with pytest.raises(ConfigError, match="no device in common"):
        compare(
            write("c", document(), document("other")),
            write("d", document("x"), document("y")),
            Policy(),
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[figures]\ninstruction = 'equal'", "unknown figure 'instruction'; did you mean 'instruc"),
        ("[figures]\ncycles = 'same'", "cycles: unknown rule 'same'"),
        ("[figures]\ncycles = { percentage = 1 }", "unknown key 'percentage'; did you mean 'perce"),
        ("[figures]\ncycles = { percent = -1 }", "percent must be a number from 0 on, not -1"),
        ("[figures]\ncycles = 3", "cycles is 3"),
        ("[figure]\ncycles = 'any'", "unknown table 'figure'; did you mean 'figures'?"),
        ("[board]\nqemu-m4 = 3", r"\[board.qemu-m4\] must be a table of figures"),
        ("figures = [", "is not TOML"),
    ],
)
def test_a_wrong_policy_is_named(policy, text, message):
    with pytest.raises(ConfigError, match=message):
        policy(text)


def test_the_policy_in_the_document_is_one(policy):
    text = (Path(__file__).resolve().parents[3] / "hil" / "README.md").read_text()

    rules = policy(text.partition("```toml\n")[2].partition("```")[0])

    assert rules.figures["flash_bytes"].allows("flash_bytes", 60_000, 60_300)
    assert rules.devices["bench-3"]["stack_peak_bytes"].describe() == "any"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is no result: its schema is None"),
        ("{", "is not JSON"),
        ('{"schema": "mcugen.result/2"}', "its schema is 'mcugen.result/2'"),
        ('{"schema": "mcugen.result/1"}', "is not a whole mcugen.result/1: KeyError"),
        (json.dumps(document() | {"figures": {"speed": 1}}), "unknown figure speed"),
        (json.dumps(document() | {"figures": {"cycles": "1"}}), "a figure is not a number"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)

    with pytest.raises(ConfigError, match=message):
        read_results(tmp_path / "r.json")


def test_a_store_is_not_one_run_and_the_last_is_named(write, tmp_path):
    write("20261127T1", document())
    write("20261127T2", document())

    with pytest.raises(ConfigError, match="holds 2 runs") as raised:
        read_results(tmp_path)

    assert raised.value.hint.endswith("20261127T2")


REPORT = {
    "schema": "mcugen.report/1",
    "model": {"name": "digits", "pte_bytes": 16_256},
    "board": {"id": "qemu-m4", "simulated": True},
    "firmware": {"id": "0123456789abcdef", "flash_bytes": 60_000, "stack_peak_bytes": None},
    "timing": {"counter": "instructions", "median": 100_000},
    "verify": {"samples": 4, "bit_exact": 3, "accuracy": {"device": 0.75}, "auc": None},
}


def test_figures_are_taken_from_a_report():
    assert figures_of(REPORT) == {
        "instructions": 100_000,
        "pte_bytes": 16_256,
        "flash_bytes": 60_000,
        "bit_exact": 0.75,
        "accuracy": 0.75,
    }


def test_the_command_prints_what_changed_and_ends_with_8(mcugen, tmp_path):
    later = REPORT | {"timing": {"counter": "instructions", "median": 101_500}}
    (tmp_path / "a.json").write_text(json.dumps(REPORT))
    (tmp_path / "b.json").write_text(json.dumps(later))
    (tmp_path / "policy.toml").write_text("[figures]\ninstructions = { percent = 2 }\n")

    refused = mcugen("compare", "a.json", "b.json", cwd=tmp_path, exit_code=8)
    allowed = mcugen("compare", "a.json", "b.json", "--policy", "policy.toml", cwd=tmp_path)
    told = mcugen("compare", "a.json", "b.json", "--json", cwd=tmp_path, exit_code=8)

    row = "  instructions  100,000  101,500  +1.50 %  equal  OUTSIDE"
    assert row in refused.stdout
    assert "instructions 100,000 → 101,500 (+1.50 %); allowed: equal" in refused.stderr
    assert "4 figures are equal" in allowed.stdout
    assert "all is as policy.toml allows" in allowed.stdout
    assert json.loads(told.stdout)["report"]["schema"] == "mcugen.compare/1"
