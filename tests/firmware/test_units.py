# SPDX-License-Identifier: BSD-3-Clause
"""CRC, frames, the line parser and number formatting, on the host under ASan and UBSan."""

from __future__ import annotations

import json
import math
import random
import struct
import subprocess
import zlib
from collections.abc import Callable

import pytest
from cobs import cobs
from firmware_build import HERE, build_host, unframe

Ask = Callable[[list[str]], list[str]]
MAX_BODY = 512


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Run the firmware's code on a list of jobs; one answer each."""
    sources = ["crc32", "frame", "line_parser", "results", "text_writer"]
    program = build_host(
        HERE / "host_units.cpp",
        [f"app/{name}.cpp" for name in sources],
        tmp_path_factory.mktemp("units"),
        str(HERE / "test_config.cpp"),
    )

    def run(jobs: list[str]) -> list[str]:
        done = subprocess.run(
            [program], input="\n".join(jobs) + "\n", capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        answers = done.stdout.split("\n")[:-1]
        assert len(answers) == len(jobs)
        return answers

    return run


def payloads() -> list[bytes]:
    """Sizes around COBS' block of 254, with and without zeros, up to the largest body."""
    rng = random.Random(1)
    found = [bytes(n) for n in (2, 3, 253, 254, 255, 256)]
    for size in (2, 3, 250, 253, 254, 255, 256, 257, 300, 507, 508, 509, 510, 513, 514):
        found.append(bytes(rng.randrange(1, 256) for _ in range(size)))
        found.append(bytes(rng.randrange(256) for _ in range(size)))
        found.append(bytes(rng.choice((0, 7)) for _ in range(size)))
    return found


def test_crc_is_zlibs(ask: Ask) -> None:
    data = [b"", b"\0", b"123456789", *payloads()]

    assert ask([f"crc {d.hex()}" for d in data]) == [str(zlib.crc32(d)) for d in data]


def sealed(payload: bytes) -> bytes:
    return payload + struct.pack("<I", zlib.crc32(payload))


def test_sent_frames_are_what_the_cobs_package_makes(ask: Ask) -> None:
    answers = ask([f"encode {p.hex()}" for p in payloads()])

    for payload, answer in zip(payloads(), answers, strict=True):
        assert bytes.fromhex(answer) == b"\0" + cobs.encode(sealed(payload)) + b"\0"


def test_received_frames_are_what_the_cobs_package_made(ask: Ask) -> None:
    streams = [cobs.encode(sealed(p)) + b"\0" for p in payloads()]

    answers = ask([f"decode {s.hex()}" for s in streams])

    assert [a.strip() for a in answers] == [f"frame:{p.hex()}" for p in payloads()]


def test_zeros_between_frames_are_ignored(ask: Ask) -> None:
    one = cobs.encode(sealed(b"\1\2abc")) + b"\0"

    assert ask([f"decode {(bytes(5) + one + bytes(3) + one).hex()}"]) == [
        "frame:0102616263 frame:0102616263 "
    ]


def test_every_single_bit_error_is_noticed(ask: Ask) -> None:
    good = cobs.encode(sealed(b"\2\x55" + bytes(range(40)))) + b"\0"
    jobs = []
    for bit in range(8 * (len(good) - 1)):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        jobs.append(f"decode {damaged.hex()}")

    answers = ask(jobs)

    for answer in answers:
        assert answer and all(word in ("bad_cobs", "bad_crc") for word in answer.split())


def test_a_frame_of_the_largest_size_fits_and_one_more_byte_does_not(ask: Ask) -> None:
    largest = cobs.encode(sealed(b"\1\1" + b"x" * MAX_BODY)) + b"\0"
    larger = cobs.encode(sealed(b"\1\1" + b"x" * (MAX_BODY + 1))) + b"\0"
    endless = b"\x05abcd" * 1000 + b"\0"

    answers = ask([f"decode {s.hex()}" for s in (largest, larger, endless)])

    assert answers[0].startswith("frame:")
    assert answers[1:] == ["too_long ", "too_long "]


def test_short_and_cut_frames_are_refused(ask: Ask) -> None:
    good = cobs.encode(sealed(b"\1\1abcdef"))

    answers = ask([f"decode {(good[:n]).hex()}00" for n in range(1, len(good))])

    assert set(a.strip() for a in answers) <= {"bad_cobs", "bad_crc"}


def test_random_bytes_never_pass_for_a_frame(ask: Ask) -> None:
    rng = random.Random(2)

    answers = ask([f"decode {rng.randbytes(2000).hex()}" for _ in range(100)])

    assert not any("frame:" in answer for answer in answers)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"name%", "(name)"),
        (b"infer 1 2%", "(infer)(1)(2)"),
        (b"a  b%", "(a)()(b)"),
        (b"a b c d e%", "(a)(b)(c)(d e)"),
        (b"%", "()"),
        (b"\r\nname\r\n%\r\nhelp%", "(name) (help)"),
        (b"x" * 80 + b"%", "(" + "x" * 80 + ")"),
        (b"x" * 81 + b"%name%", "too_long (name)"),
        (b"x" * 100000 + b"%name%", "too_long (name)"),
        (b"na\xffme%name%", "bad_byte (name)"),
        (b"na\x00me%name%", "bad_byte (name)"),
        (b"na\x1bme%~%", "bad_byte (~)"),
        (b"unfinished", ""),
    ],
)
def test_commands_are_cut_at_percent_signs(ask: Ask, stream: bytes, expected: str) -> None:
    assert ask([f"lines {stream.hex()}"])[0].strip() == expected


def test_decimal_numbers_are_read_whole_or_refused(ask: Ask) -> None:
    good = ["0", "7", "-1", "007", "2147483647", "-2147483647"]
    bad = [
        "",
        "-",
        "1x",
        "x",
        " 1",
        "1 ",
        "2147483648",
        "99999999999999999999",
        "+1",
        "0x10",
        "1.0",
    ]

    assert ask([f"number {n}" for n in good]) == [str(int(n)) for n in good]
    assert ask([f"number {n}" for n in bad]) == ["no"] * len(bad)


def test_numbers_have_three_decimals_as_printf_rounds_them(ask: Ask) -> None:
    rng = random.Random(3)
    values = [0.0, -0.0, 1.0, 0.0005, 0.0015, 0.0625, 0.1875, 0.9995, 0.99951172, -1.0005, 1e-30]
    values += [2.0**52, 2.0**53 * (1 - 2**-24), 8388609.0, 123456.789, -3.0517578e-05, 1.4e-45]
    values += [k / 16 for k in range(-40, 40)] + [k / 2000 for k in range(40)]
    values += [rng.uniform(-1, 1) * 10 ** rng.randint(-6, 12) for _ in range(2000)]
    floats = [struct.pack("<f", v) for v in values]

    answers = ask([f"fixed {f.hex()}" for f in floats])

    assert answers == [f"{struct.unpack('<f', f)[0]:.3f}" for f in floats]


def test_numbers_that_are_not_finite_are_named(ask: Ask) -> None:
    floats = [math.inf, -math.inf, math.nan, 2.0**53, -3e38]

    answers = ask([f"fixed {struct.pack('<f', f).hex()}" for f in floats])

    assert answers == ["inf", "-inf", "nan", "inf", "-inf"]


def softmax(values: list[float]) -> list[float]:
    powers = [math.exp(v - max(values)) for v in values]
    return [p / sum(powers) for p in powers]


def test_results_are_probabilities(ask: Ask) -> None:
    # The configuration says scale 0.5, zero point -1, softmax.
    rng = random.Random(4)
    outputs = [[rng.randint(-128, 127) for _ in range(10)] for _ in range(200)]
    outputs += [[rng.randint(-10, 10) for _ in range(3)] for _ in range(200)]
    outputs += [[5], [-128, 127], [0] * 50]

    answers = ask([f"results_int8 {struct.pack(f'{len(o)}b', *o).hex()}" for o in outputs])

    for output, answer in zip(outputs, answers, strict=True):
        expected = softmax([0.5 * (q + 1) for q in output])
        # Half a unit of rounding to three decimals, and float32 against float64.
        for shown, real in zip(map(float, answer.split(",")), expected, strict=True):
            assert abs(shown - real) < 0.0005 + 2e-6


def test_results_of_float_outputs_are_not_scaled(ask: Ask) -> None:
    rng = random.Random(5)
    outputs = [[rng.uniform(-30, 30) for _ in range(12)] for _ in range(200)]
    outputs += [[1e30, -1e30], [0.0, -87.0, -103.0, -1e38]]

    answers = ask([f"results_float {struct.pack(f'<{len(o)}f', *o).hex()}" for o in outputs])

    for output, answer in zip(outputs, answers, strict=True):
        for shown, real in zip(map(float, answer.split(",")), softmax(output), strict=True):
            assert abs(shown - real) < 0.0005 + 2e-6


def test_json_strings_survive_any_text(ask: Ask) -> None:
    texts = ['plain "quoted" \\ back', "tab\there", "\x01\x7f\xff", ""]

    answers = ask([f"json {t.encode('latin-1').hex()}" for t in texts])

    assert [json.loads(a) for a in answers] == ['plain "quoted" \\ back', "tab?here", "???", ""]


def test_decimals_have_64_bit(ask: Ask) -> None:
    values = [0, 9, 10, 4294967295, 4294967296, 2**64 - 1]

    assert ask([f"decimal {v}" for v in values]) == [str(v) for v in values]


def test_frames_of_the_sample_transcript_are_whole() -> None:
    """docs/protocol_transcript.txt was captured; every reply answers the request before it."""
    text = (HERE.parent.parent / "docs/protocol_transcript.txt").read_text(encoding="ascii")
    sent = [bytes.fromhex(line[7:]) for line in text.splitlines() if line.startswith("frame> ")]
    got = [bytes.fromhex(line[7:]) for line in text.splitlines() if line.startswith("frame< ")]

    assert len(sent) == len(got) > 5
    for request, reply in zip(sent[:-1], got[:-1], strict=True):
        asked, answered = unframe(request), unframe(reply)
        assert answered[:2] == (asked[0] | 0x80, asked[1])
    assert unframe(got[-1]) == (0xFF, 0, b"\1bad CRC")  # the last request is damaged on purpose
