# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import numpy as np
import pytest
import samples_of_specs as sample
from serial_peer import Peer, default_info, running

from mcugen.base.errors import DeviceError, OutputMismatchError, ProtocolError
from mcugen.boards.load import load_board
from mcugen.device.console import SerialConsole
from mcugen.device.inference import infer
from mcugen.device.judgement import Truth
from mcugen.device.measure import check_device, clock_warnings, memory_warnings
from mcugen.device.protocol.client import Client
from mcugen.device.protocol.info import parse_info
from mcugen.device.timing import bench, percentile
from mcugen.device.verify import real_values, require_passed, verify
from mcugen.model.catalog import Metric
from mcugen.program.artifact import OperatorUse


@contextlib.contextmanager
def connected(peer: Peer) -> Iterator[Client]:
    with running(peer):
        console = SerialConsole(peer.url, 115_200)
        try:
            client = Client(console)
            client.connect()
            yield client
        finally:
            console.close()


def info(**changes: object):
    import json

    described = default_info() | {"pte_sha256": sample.artifact().sha256} | changes
    return parse_info(json.dumps(described))


def doubled(data: bytes) -> bytes:
    values = struct.unpack("16b", data)
    return struct.pack("16b", *(max(-128, min(127, 2 * v)) for v in values))


SAMPLES = [(bytes(range(n, n + 16)),) for n in range(6)]
EXPECTED = [(doubled(x),) for (x,) in SAMPLES]


def outputs_of(rows: list[tuple[bytes, ...]]) -> np.ndarray:
    """Return output 0 of each sample in its own unit."""
    return real_values(sample.artifact().outputs[0], [row[0] for row in rows])


def test_infer_returns_the_devices_bytes():
    with connected(Peer()) as client:
        outputs, ticks = infer(client, sample.artifact(), SAMPLES[3])

    assert outputs == EXPECTED[3]
    assert ticks == 1003


def test_equal_outputs_verify():
    labels = [int(np.frombuffer(y, np.int8).argmax()) for (y,) in EXPECTED]
    labels[0] = 0
    in_float = outputs_of(EXPECTED)
    in_float[0] = -in_float[0]
    truth = Truth(Metric.ACCURACY, "", np.array(labels), in_float)
    with connected(Peer()) as client:
        result = verify(client, sample.artifact(), SAMPLES, EXPECTED, truth=truth)

    assert (result.samples, result.bit_exact, result.max_step) == (6, 6, 0)
    assert result.passed and result.first_difference is None
    figures = result.judgement
    assert figures.accuracy.device == figures.accuracy.int8_host == pytest.approx(5 / 6)
    assert figures.accuracy.float_model == 1.0
    assert figures.agreement.device == pytest.approx(5 / 6)


def test_autoencoders_are_judged_by_their_errors():
    """Doubled, an input is off by itself: the larger ones are the anomalies."""
    sizes = [int(np.abs(np.frombuffer(x, np.int8).astype(int)).sum()) for (x,) in SAMPLES]
    labels = [int(size > sorted(sizes)[2]) for size in sizes]
    truth = Truth(Metric.AUC, "", np.array(labels))
    with connected(Peer()) as client:
        result = verify(client, sample.artifact(), SAMPLES, EXPECTED, truth=truth)

    figures = result.judgement
    assert figures.auc.device == figures.auc.int8_host
    assert figures.auc.device is not None and figures.auc.float_model is None
    assert figures.accuracy.device is None


def test_first_difference_is_located_and_the_largest_is_counted():
    def off(data: bytes) -> bytes:
        values = bytearray(doubled(data))
        if data[0] in (2, 4):
            values[5] = (values[5] + data[0]) & 0xFF
        return bytes(values)

    with connected(Peer(compute=off)) as client:
        result = verify(client, sample.artifact(), SAMPLES, EXPECTED)

    assert (result.bit_exact, result.max_step) == (4, 4)
    first = result.first_difference
    assert (first.sample, first.output, first.index) == (2, 0, 5)
    assert first.actual - first.expected == 2
    assert result.judgement.accuracy.device is None
    with pytest.raises(OutputMismatchError, match=r"2 of 6 samples.*sample 2.*got 16") as caught:
        require_passed(result)
    assert caught.value.exit_code == 8


def test_float_outputs_are_compared_as_bytes():
    """-0.0 equals 0.0 as a number, yet it is another result: not bit-exact, no step."""
    artifact = sample.artifact(
        outputs=(sample.tensor("y", "float32", shape=(1, 4), dim_order=(0, 1)),)
    )
    zeros, negative = struct.pack("<4f", 0, 1, 2, 3), struct.pack("<4f", -0.0, 1, 2, 3)
    with connected(Peer(compute=lambda data: negative)) as client:
        result = verify(client, artifact, SAMPLES[:1], [(zeros,)])

    assert (result.bit_exact, result.max_step) == (0, 0)
    assert result.first_difference.index == 0


def test_nan_from_the_device_is_as_wrong_as_can_be():
    artifact = sample.artifact(
        outputs=(sample.tensor("y", "float32", shape=(1, 4), dim_order=(0, 1)),)
    )
    good, nan = struct.pack("<4f", 0, 1, 2, 3), struct.pack("<4f", 0, 1, 2, float("nan"))
    with connected(Peer(compute=lambda data: nan)) as client:
        result = verify(client, artifact, SAMPLES[:1], [(good,)])

    assert result.bit_exact == 0
    assert result.max_step == float("inf")


def test_a_program_that_computes_in_float_may_be_one_step_off():
    def off(data: bytes) -> bytes:
        values = bytearray(doubled(data))
        values[5] = (values[5] + 1) & 0xFF
        return bytes(values)

    artifact = sample.artifact(operators=(OperatorUse("aten::exp.out", 1, False),))
    with connected(Peer(compute=off)) as client:
        result = verify(client, artifact, SAMPLES, EXPECTED)

    assert (result.bit_exact, result.close, result.max_step) == (0, 6, 1)
    assert result.float_operators == ("aten::exp.out",)
    require_passed(result)


def test_two_steps_are_wrong_in_float_too():
    def off(data: bytes) -> bytes:
        values = bytearray(doubled(data))
        values[5] = (values[5] + 2) & 0xFF
        return bytes(values)

    artifact = sample.artifact(operators=(OperatorUse("aten::exp.out", 1, False),))
    with connected(Peer(compute=off)) as client:
        result = verify(client, artifact, SAMPLES, EXPECTED)

    with pytest.raises(OutputMismatchError, match="6 of 6 samples"):
        require_passed(result)


def test_selecting_floats_leaves_no_tolerance():
    artifact = sample.artifact(operators=(OperatorUse("aten::clamp.out", 1, False),))
    with connected(Peer()) as client:
        result = verify(client, artifact, SAMPLES, EXPECTED)

    assert result.float_operators == ()


# -- timing


def test_simulated_counts_are_instructions_and_no_latency():
    """qemu-m4's SysTick runs at 25 MHz: 40 instructions a tick at one instruction per ns."""
    peer = Peer(ticks=lambda n: 1003 + n)
    with connected(peer) as client:
        timing = bench(
            client, info(), load_board("qemu-m4"), SAMPLES[0], runs=5, warmups=2, simulated=True
        )

    assert timing.counter == "instructions"
    assert timing.counts == tuple((1000 + n) * 40 for n in range(3, 8))
    assert (timing.runs, timing.warmups) == (5, 2)
    assert (timing.min, timing.median, timing.p99, timing.max) == (40120, 40200, 40280, 40280)
    assert timing.latency_us is None
    assert peer.executions == 7


def test_cycles_on_a_board_become_a_latency_at_the_clock_really_set():
    device = info(clock_hz=16_000_000, counter_hz=16_000_000, counter="dwt")
    with connected(Peer(ticks=lambda n: 16_003)) as client:
        timing = bench(
            client, device, load_board("nucleo"), SAMPLES[0], runs=3, warmups=0, simulated=False
        )

    assert (timing.counter, timing.median) == ("cycles", 16_000)
    assert timing.latency_us == pytest.approx(1000)


def test_device_without_a_counter_times_nothing():
    with connected(Peer()) as client, pytest.raises(DeviceError, match="no working cycle counter"):
        bench(
            client,
            info(counter="none"),
            load_board("qemu-m4"),
            SAMPLES[0],
            runs=1,
            warmups=0,
            simulated=True,
        )


@pytest.mark.parametrize(
    "counts, percent, expected",
    [([7], 99, 7), (range(1, 101), 99, 99), (range(1, 101), 50, 50), ([1, 9], 50, 1)],
)
def test_percentile_is_a_value_that_occurred(counts, percent, expected):
    assert percentile(list(counts), percent) == expected


# -- identity


def test_other_firmware_is_not_measured():
    with pytest.raises(DeviceError, match=r"runs firmware 0123456789abcdef .*not feedfeedfeedfeed"):
        check_device(info(), sample.artifact(), "feedfeedfeedfeed")


def test_firmware_that_could_not_load_its_model_says_why():
    broken = info(state="error", error="model CRC mismatch")

    with pytest.raises(DeviceError, match="could not load the model: model CRC mismatch"):
        check_device(broken, sample.artifact(), sample.FIRMWARE_ID)


def test_other_tensor_sizes_are_noticed():
    with pytest.raises(ProtocolError, match=r"inputs have \[15\] B; the model's have \[16\] B"):
        check_device(info(inputs=[[1, 15]]), sample.artifact(), sample.FIRMWARE_ID)


def test_memory_as_planned_gives_no_warning():
    memory = {
        "planned": [64, 64],
        "method": [512, 512],
        "temp": [0, 16],
        "io": [16, 16],
        "stack": [900, sample.plan().stack_bytes],
    }

    assert memory_warnings(info(memory=memory), sample.artifact(), sample.plan()) == ()


def test_method_that_uses_other_than_predicted_is_a_warning():
    memory = {
        "planned": [64, 64],
        "method": [500, 512],
        "temp": [0, 32],
        "io": [16, 16],
        "stack": [900, sample.plan().stack_bytes],
    }

    warnings = memory_warnings(info(memory=memory), sample.artifact(), sample.plan())

    assert any("used 500 B; 512 B were predicted" in text for text in warnings)
    assert any("temp memory has 32 B on the device; 16 B were planned" in text for text in warnings)


@pytest.mark.parametrize("clock_hz", [180_000_000, 179_900_000])
def test_a_clock_as_its_oscillator_has_it_is_no_warning(clock_hz):
    assert clock_warnings(info(clock_hz=clock_hz), load_board("nucleo")) == ()


def test_a_clock_that_did_not_come_up_is_a_warning():
    """Its times would be taken for those of the board."""
    (text,) = clock_warnings(info(clock_hz=8_000_000, clock_source="hse"), load_board("nucleo"))

    assert "runs at 8,000,000 Hz (hse), not at the 180,000,000 Hz of nucleo_f446re's" in text
