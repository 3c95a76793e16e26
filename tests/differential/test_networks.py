# SPDX-License-Identifier: BSD-3-Clause
"""Random networks through the whole flow: quantized and lowered for an M4 or an M55, run on every
CPU.

    pytest tests/differential/test_networks.py --networks 5000 --seed 100000
    pytest tests/differential/test_networks.py --network 1234           # that seed alone
    PYTHONPATH=tests/kernels:tests/differential python tests/differential/networks.py 1234

Every network must be built and run. The reference is mcugen.reference: int8 results
are equal in every byte. Where a network keeps float operators that round in an order of their own
(mcugen.operators.rounds), an int8 result may be one step off and a float one by the tolerance of
mcugen.measure, as `mcugen verify` allows. Bytes on a CPU must be exactly those of our host build.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from harness import HostProgram, OnDevice, Reference, same_bits
from levels import level_of, prepared

from mcugen.base import cache
from mcugen.device.verify import within_tolerance
from mcugen.program.artifact import TensorSpec
from mcugen.program.read import read_pte

pytestmark = [pytest.mark.torch, pytest.mark.toolchain, pytest.mark.qemu]

CHUNK = 5  #: networks per test
#: Of the first 30 those that together call every operator that these call for either CPU, and keep
#: float operators for either. The golden networks run each time, too (below).
SAMPLE = (0, 5, 6, 7, 8, 13, 16, 21, 27)
GOLDEN = Path(__file__).resolve().parents[1] / "golden/nets"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("--network")
    first = metafunc.config.getoption("--seed")
    total = metafunc.config.getoption("--networks")
    if one is not None:
        seeds: Sequence[int] = [one]
    elif total is not None:
        seeds = range(first, first + total)
    else:
        seeds = [first + seed for seed in SAMPLE]
    metafunc.parametrize(
        "seeds",
        [
            pytest.param(
                seeds[at : at + CHUNK],
                id=f"from{seeds[at]}",
                marks=pytest.mark.xdist_group(f"differential-{number % 2}"),
            )
            for number, at in enumerate(range(0, len(seeds), CHUNK))
        ],
    )


def _split(specs: tuple[TensorSpec, ...], data: bytes) -> list[bytes]:
    ends = list(itertools.accumulate(spec.nbytes for spec in specs))
    starts = [0, *ends]
    return [data[start:end] for start, end in zip(starts, ends, strict=False)]


def _wrong_on_host(network: Any, our_host: HostProgram) -> tuple[str, list[bytes]]:
    """Return how our host differs from the reference, and its outputs."""
    ran = our_host(network.pte, network.inputs)
    if ran.error:
        return ran.error, []
    outputs = _split(network.outputs, ran.output)
    for number, (spec, got, expected) in enumerate(
        zip(network.outputs, outputs, network.expected, strict=True)
    ):
        right = within_tolerance(spec, expected, got) if network.rounds else got == expected
        if not right:
            rounding = f" (rounds: {', '.join(network.rounds)})" if network.rounds else ""
            return f"output {number} ({spec.dtype}) is not the reference's{rounding}", outputs
    return "", outputs


def _export(reference: Reference, seed: int) -> Any:
    """Export, or take what an earlier run exported: that depends on our sources only."""
    sources = sorted(path.name for path in Path(cache.__file__).parent.glob("*.py"))
    key = cache.make_key(
        what="differential network",
        seed=seed,
        generator=cache.source_hash(tuple(sources)),
        networks=cache.file_sha256(Path(__file__).with_name("networks.py")),
        operators=[
            cache.file_sha256(path)
            for path in sorted((Path(__file__).parents[2] / "firmware/ops").glob("*/*.toml"))
        ],
        versions=cache.package_versions(("torch", "executorch", "torchao", "numpy")),
    )
    kept = cache.load("differential", key)
    if kept is not None:
        return Reference.load(kept["network.pickle"])
    network = reference.ask("network", seed)
    if not network.error:
        cache.store("differential", key, {"network.pickle": Reference.dump(network)})
    return network


def test_networks(
    seeds: Sequence[int],
    reference: Reference,
    our_host: HostProgram,
    devices: dict[str, OnDevice],
    count: Callable[[str, str, int, int], None],
) -> None:
    failed: Counter[str] = Counter()
    texts = []

    def fail(where: str, network: Any, text: str) -> None:
        failed[where] += 1
        texts.append(
            f"{where}: {text.strip()}\n"
            f"  rerun: pytest tests/differential/test_networks.py --network {network.seed}\n"
            f"  {network.text[:600]}"
        )

    for seed in seeds:
        network = _export(reference, seed)
        if network.error:
            fail("reference", network, network.error)
            continue
        text, outputs = _wrong_on_host(network, our_host)
        if text:
            fail("host", network, text)
        if not outputs:
            for board in devices:
                failed[board] += 1
            continue
        for number, (board, device) in enumerate(devices.items()):
            level = level_of(seed, number)
            ran = device(prepared(network.pte, board, level), network.inputs)
            got = _split(network.outputs, ran.output)
            if ran.error:
                fail(board, network, ran.error)
            elif not all(
                same_bits(spec.dtype, a, b)
                for spec, a, b in zip(network.outputs, got, outputs, strict=True)
            ):
                fail(board, network, f"other bytes than on the host, prepared for {level}")

    lost = failed["reference"]
    for where in ("host", *devices):
        count("random networks", where, len(seeds) - failed[where] - lost, failed[where] + lost)
    assert not texts, "\n".join([f"{len(texts)} failures", *texts])


@pytest.mark.parametrize(
    "pte",
    [
        pytest.param(
            path,
            id=path.stem,
            marks=pytest.mark.xdist_group(f"differential-{number % 2}"),
        )
        for number, path in enumerate(sorted(GOLDEN.glob("*.pte")))
    ],
)
def test_golden_networks(
    pte: Path, devices: dict[str, OnDevice], count: Callable[[str, str, int, int], None]
) -> None:
    """The published runtime's bytes, of the file as the exporter wrote it and as builds do."""
    expected = pte.with_suffix(".out.bin")
    if not expected.exists():  # the published stack fails on it
        expected = pte.with_suffix(".ref.bin")
    specs = read_pte(pte.read_bytes(), name=pte.stem).inputs
    inputs = _split(specs, pte.with_suffix(".in.bin").read_bytes())

    failures = []
    number = int(pte.stem.split("_")[1])
    for place, (board, device) in enumerate(devices.items()):
        level = level_of(number, place)
        ran = device(prepared(pte.read_bytes(), board, level), inputs)
        right = not ran.error and ran.output == expected.read_bytes()
        count("golden networks", board, int(right), int(not right))
        if not right:
            failures.append(f"{board}, prepared for {level}: {ran.error or 'other bytes'}")

    assert not failures
