# SPDX-License-Identifier: BSD-3-Clause
"""The command server on the host, under ASan and UBSan: what it answers and what it survives."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from firmware_build import FIRMWARE, HERE, build_host, frame, unframe

Talk = Callable[..., bytes]
BANNER = b"m-timestamp-mode-performance\r\nm-lap-us-0\r\nm-init-done\r\nm-ready\r\n"
SILENCE = b"<silence>"
OVERRUN = b"<overrun>"
FAIL = 0xE0
NOT_READY = 0xE5
#: By the first instruction that is asked for: those of the stand-in that a reply then has.
STEPS = {0: range(125), 1: range(1, 126), 125: range(125, 130), 130: (), 0xFFFF: ()}


def build(folder: Path, *flags: str) -> Path:
    sources = [f"app/{path.name}" for path in sorted(FIRMWARE.glob("app/*.cpp"))]
    sources = [name for name in sources if name not in ("app/main.cpp", "app/model.cpp")]
    sources.append("app/embedded/model_store.cpp")
    return build_host(
        HERE / "host_server.cpp",
        sources,
        folder,
        *flags,
        str(HERE / "fake_model.cpp"),
        str(HERE / "test_config.cpp"),
    )


def converse(program: Path, sent: bytes) -> bytes:
    """What the server answers to a stream of bytes, without its banner."""
    done = subprocess.run([program, SILENCE, OVERRUN], input=sent, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(BANNER)
    return done.stdout[len(BANNER) :]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    program = build(tmp_path_factory.mktemp("server"))
    return lambda sent: converse(program, sent)


def lines(answer: bytes) -> list[str]:
    """Lines of a text answer, its m-ready checked and cut off."""
    text = answer.decode("ascii")
    assert text.endswith("m-ready\r\n"), text
    return text.split("\r\n")[:-2]


def frames(answer: bytes) -> list[tuple[int, int, bytes]]:
    found = re.findall(rb"\0[^\0]+\0", answer)
    assert b"".join(found) == answer, answer
    return [unframe(one) for one in found]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"%", []),
        (b"name%", ["m-name-dut-[mcugen]"]),
        (b"name\r\n%", ["m-name-dut-[mcugen]"]),
        (b"timestamp%", ["m-lap-us-90"]),
        (b"profile%", ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[fake]"]),
        (b"nonsense%", ["e-[Unknown command: nonsense]"]),
        (b"name it%", ["e-[Unknown command: name it]"]),
        (b"a b c d e%", ["e-[Unknown command: a b c d e]"]),
        (b"mcugen%", ["e-[Unknown command: mcugen]"]),
        (b"mcugen inform%", ["e-[Unknown command: mcugen inform]"]),
        (b"infer 0%", ["e-[Inference iterations must be >0]"]),
        (b"infer -1%", ["e-[Inference iterations must be >0]"]),
        (b"infer 1 -1%", ["e-[Inference warmup must be >=0]"]),
        (b"infer x%", ["e-[Invalid number: x]"]),
        (b"infer 1 x%", ["e-[Invalid number: x]"]),
        (b"infer 99999999999%", ["e-[Invalid number: 99999999999]"]),
        (b"results%", ["e-[No result yet]"]),
        (b"db%", ["e-[Command 'db' requires a subcommand]"]),
        (b"db 00%", ["e-[Command 'db load' must come first]"]),
        (b"db load%", ["e-[Command 'db load' requires the # of bytes]"]),
        (b"db load 0%", ["e-[Command 'db load' requires the # of bytes]"]),
        (b"db load 601%", ["e-[Input 0 holds 600 bytes]"]),
        (b"db load 600%", ["m-[Expecting 600 bytes]"]),
        (b"x" * 81 + b"%", ["e-[Command too long]"]),
        (b"n\x07ame%", ["e-[Bad character in command]"]),
        (b"na" + OVERRUN + b"me%", ["e-[Receive overrun: 3 bytes lost]"]),
    ],
)
def test_text_commands(talk: Talk, sent: bytes, expected: list[str]) -> None:
    answer = talk(sent)

    assert lines(answer) == expected


def test_the_device_is_usable_after_each_kind_of_bad_command(talk: Talk) -> None:
    bad = [b"x" * 81, b"n\x80", b"no", b"db zz", b"infer 0", OVERRUN + b"name"]

    answer = talk(b"".join(b + b"%name%" for b in bad))

    assert lines(answer).count("m-name-dut-[mcugen]") == len(bad)


def test_help_names_every_command(talk: Talk) -> None:
    answer = talk(b"help%").decode()

    for word in ("name", "timestamp", "profile", "results", "infer", "db", "mcugen info"):
        assert word in answer


def test_infer_reports_as_the_runner_expects(talk: Talk) -> None:
    answer = lines(talk(b"db load 3%db 102030%infer 2 3%results%"))

    assert answer[:3] == ["m-[Expecting 3 bytes]", "m-ready", "m-load-done"]
    shown = [re.sub(r"lap-us-\d+", "lap-us-N", one) for one in answer[4:]]
    results = shown[-1]
    assert shown == [
        "m-warmup-start-3",
        "m-warmup-done",
        "m-infer-start-2",
        "m-lap-us-N",
        "m-lap-us-N",
        "m-infer-done",
        results,
        "m-ready",
        results,
    ]
    assert results == "m-results-[0.000,0.000,1.000,0.000,0.000,0.000,0.000,0.000,0.000,0.000]"


def test_infer_without_arguments_runs_once_after_ten_warmups(talk: Talk) -> None:
    answer = lines(talk(b"infer%"))

    assert answer[0] == "m-warmup-start-10" and answer[2] == "m-infer-start-1"


def test_db_takes_chunks_and_ignores_what_is_too_much(talk: Talk) -> None:
    answer = lines(talk(b"db load 10%db 0001020304%db 05060708090A0B%db ff%db print%"))

    assert answer == [
        "m-[Expecting 10 bytes]",
        "m-ready",
        "m-ready",
        "m-load-done",
        "m-ready",
        "m-ready",
        "m-buffer-00-01-02-03-04-05-06-07",
        "m-buffer-08-09",
    ]


def test_db_takes_a_damaged_chunk_not_at_all(talk: Talk) -> None:
    answer = lines(talk(b"db load 2%db 11zz%db 1%db %db 2233%db print%"))

    assert [one for one in answer if one != "m-ready"] == [
        "m-[Expecting 2 bytes]",
        "e-[Invalid hex digit 'zz']",
        "e-[Insufficent number of hex digits]",
        "e-[Insufficent number of hex digits]",
        "m-load-done",
        "m-buffer-22-33",
    ]


def test_images_of_the_runner_are_unsigned(tmp_path: Path) -> None:
    program = build(tmp_path, '-DTEST_PROFILE_MODEL="ic01"')
    read = frame(5, 1, struct.pack("<HIH", 0, 0, 4))

    answer = converse(program, b"db load 4%db 00018fff%db print%" + read)

    assert b"m-buffer-00-01-8f-ff" in answer
    assert frames(answer[answer.index(b"\0") :]) == [(0x85, 1, b"\0\x80\x81\x0f\x7f")]


def test_info_is_one_json_document(talk: Talk) -> None:
    (line,) = lines(talk(b"mcugen info%"))
    info = json.loads(line.removeprefix("m-mcugen-info-"))

    assert info == {
        "protocol": 1,
        "firmware_id": "0123456789abcdef",
        "board": "test",
        "model": 'fa"ke\\',
        "pte_sha256": "00ff",
        "pte_bytes": 16,
        "method": "forward",
        "clock_hz": 1000000,
        "clock_source": "pll",
        "counter": "dwt",
        "counter_hz": 1000000,
        "empty_ticks": 9,
        "state": "ready",
        "error": None,
        "memory": {
            "planned": [1, 2],
            "method": [3, 4],
            "temp": [5, 6],
            "io": [7, 8],
            "stack": [1000, 4096],
        },
        "inputs": [[1, 600], [6, 16]],
        "outputs": [[1, 10], [6, 16]],
        "reset": "power",
        "flash": {"wait_states": 5, "prefetch": True, "icache": True, "dcache": False},
    }


def write_input(index: int, offset: int, data: bytes, seq: int = 0) -> bytes:
    return frame(2, seq, struct.pack("<HI", index, offset) + data)


def test_a_failed_inference_shows_the_first_error_line(talk: Talk) -> None:
    answer = talk(write_input(0, 0, bytes([FAIL])) + b"infer%")

    assert answer.count(b'm-log-[E fake.cpp:42 bad "thing"]?]\r\n') == 1
    assert lines(answer[answer.index(b"m-warmup") :])[-1] == (
        'e-[Inference failed: execute: 0x12 fake.cpp:42 bad "thing"]?]'
    )


def test_a_failed_execute_frame_carries_the_error(talk: Talk) -> None:
    answer = talk(write_input(0, 0, bytes([FAIL])) + frame(3, 7) + frame(4, 8, bytes(8)))

    before, log, after = answer.partition(b'm-log-[E fake.cpp:42 bad "thing"]?]\r\n')
    assert log and len(frames(before)) == 1
    assert frames(after) == [
        (0x83, 7, b'\5execute: 0x12 fake.cpp:42 bad "thing"]?'),
        (0x84, 8, b"\4no result yet"),
    ]


def test_a_model_that_did_not_load_leaves_the_device_usable(talk: Talk) -> None:
    broken = write_input(0, 0, bytes([NOT_READY])) + frame(3, 1)
    requests = [frame(kind, kind) for kind in (2, 3, 4, 5)]
    answer = talk(broken + b"infer%results%db load 5%mcugen info%name%" + b"".join(requests))

    reason = 'load_method: 0x23 fake.cpp:42 bad "thing"]?'
    text = answer[answer.index(b"e-[") :]
    text = text[: text.index(b"\0")]
    shown = [one for one in lines(text) if one != "m-ready"]
    assert shown[:3] == [f"e-[Not ready: {reason}]"] * 3
    info = json.loads(shown[3].removeprefix("m-mcugen-info-"))
    assert (info["state"], info["error"]) == ("error", reason)
    assert shown[4] == "m-name-dut-[mcugen]"
    replies = frames(answer[answer.index(text) + len(text) :])
    assert replies == [(0x80 | k, k, b"\4" + reason.encode()) for k in (2, 3, 4, 5)]


def test_frames_write_execute_and_read(talk: Talk) -> None:
    echo = struct.pack("<4f", 1.5, -2.5, 3.5, 0.0)
    answer = talk(
        frame(1, 1, b"any\0thing")
        + write_input(0, 10, b"\1\2\3", seq=2)
        + write_input(1, 0, echo, seq=3)
        + frame(5, 4, struct.pack("<HIH", 0, 9, 5))
        + frame(3, 5)
        + frame(4, 6, struct.pack("<HIH", 0, 0, 10))
        + frame(4, 7, struct.pack("<HIH", 1, 4, 12))
    )

    assert frames(answer) == [
        (0x81, 1, b"\0any\0thing"),
        (0x82, 2, b"\0"),
        (0x82, 3, b"\0"),
        (0x85, 4, b"\0\0\1\2\3\0"),
        (0x83, 5, b"\0" + (0x0102030405060708).to_bytes(8, "little")),
        (0x84, 6, b"\0\1\2\3" + bytes(7)),
        (0x84, 7, b"\0" + echo[4:]),
    ]


def test_execute_times_as_many_instructions_as_a_reply_holds(talk: Talk) -> None:
    answer = talk(b"".join(frame(3, n, struct.pack("<H", first)) for n, first in enumerate(STEPS)))

    total = (0x0102030405060708).to_bytes(8, "little")
    assert frames(answer) == [
        (0x83, n, b"\0" + total + b"".join(struct.pack("<I", step + 1) for step in steps))
        for n, steps in enumerate(STEPS.values())
    ]


def test_a_failed_execute_frame_with_times_carries_the_error(talk: Talk) -> None:
    answer = talk(write_input(0, 0, bytes([FAIL])) + frame(3, 7, bytes(2)))

    assert frames(answer[answer.rindex(b"\n") + 1 :]) == [
        (0x83, 7, b'\5execute: 0x12 fake.cpp:42 bad "thing"]?')
    ]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (0x00, b"", 2),
        (0x06, b"", 2),
        (0x81, b"", 2),
        (0x01, bytes(512), 3),
        (0x02, b"", 3),
        (0x02, bytes(5), 3),
        (0x02, struct.pack("<HI", 2, 0), 3),
        (0x02, struct.pack("<HI", 0, 600) + b"x", 3),
        (0x02, struct.pack("<HI", 0, 0xFFFFFFFF) + b"x", 3),
        (0x02, struct.pack("<HI", 1, 16), 0),
        (0x03, b"x", 3),
        (0x03, b"xyz", 3),
        (0x04, bytes(8), 4),
        (0x05, bytes(7), 3),
        (0x05, bytes(9), 3),
        (0x05, struct.pack("<HIH", 0xFFFF, 0, 0), 3),
        (0x05, struct.pack("<HIH", 0, 600, 1), 3),
        (0x05, struct.pack("<HIH", 0, 0xFFFFFFFF, 2), 3),
        (0x05, struct.pack("<HIH", 0, 0, 512), 3),
        (0x05, struct.pack("<HIH", 0, 0, 511), 0),
        (0x05, struct.pack("<HIH", 0, 600, 0), 0),
        (0x01, bytes(511), 0),
    ],
)
def test_arguments_of_frames_are_checked(talk: Talk, kind: int, body: bytes, status: int) -> None:
    answer = frames(talk(frame(kind, 9, body) + frame(1, 10)))

    assert (answer[0][0], answer[0][1], answer[0][2][0]) == (kind | 0x80, 9, status)
    assert answer[1] == (0x81, 10, b"\0")


def damaged_crc() -> bytes:
    data = bytearray(frame(1, 1, b"abcdef"))
    data[5] ^= 0x20
    return bytes(data)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (damaged_crc(), b"bad CRC"),
        (b"\0\1\0", b"bad COBS"),
        (b"\0\7abc\0", b"bad COBS"),
        (
            b"\0" + b"\xff" + b"x" * 254 + b"\xff" + b"x" * 254 + b"\xff" + b"x" * 254 + b"\0",
            b"frame too long",
        ),
        (frame(1, 1, b"x")[:-2] + OVERRUN + b"\0", b"receive overrun"),
    ],
)
def test_bad_frames_are_answered_and_forgotten(talk: Talk, sent: bytes, text: bytes) -> None:
    answer = talk(sent + b"name%" + frame(1, 2))

    before, name, after = answer.partition(b"m-name-dut-[mcugen]\r\nm-ready\r\n")
    assert name
    assert frames(before) == [(0xFF, 0, b"\1" + text)]
    assert frames(after) == [(0x81, 2, b"\0")]


def test_silence_ends_a_frame(talk: Talk) -> None:
    answer = talk(b"\0\5ab" + SILENCE + b"name%" + SILENCE + frame(1, 2))

    timeout, _, rest = answer.partition(b"m-name-dut-[mcugen]\r\nm-ready\r\n")
    assert timeout == b"e-[Frame timeout]\r\nm-ready\r\n"
    assert frames(rest) == [(0x81, 2, b"\0")]


def test_a_zero_drops_a_half_typed_command(talk: Talk) -> None:
    answer = talk(b"garb" + frame(1, 2) + b"name%")

    assert answer.endswith(b"\0m-name-dut-[mcugen]\r\nm-ready\r\n")


def test_extra_zeros_around_frames_do_no_harm(talk: Talk) -> None:
    answer = talk(b"\0\0\0" + frame(1, 2)[1:] + b"\0" + frame(1, 3))

    assert frames(answer) == [(0x81, 2, b"\0"), (0x81, 3, b"\0")]


def test_noise_never_hurts(talk: Talk) -> None:
    """Random bytes, random pieces of good input; then the device still answers."""
    rng = random.Random(6)
    pieces = [b"db load 600%", b"db " + b"5a" * 31 + b"%", b"infer 1 1%", b"%", b"\0", b"results%"]
    pieces += [frame(k, 1, bytes(8)) for k in range(1, 7)] + [SILENCE, OVERRUN, b"db print%"]
    for _ in range(60):
        noise = b""
        for _ in range(200):
            piece = rng.choice(pieces)
            at = rng.randrange(len(piece))
            noise += rng.choice((piece, piece[:at], piece[at:], rng.randbytes(rng.randrange(60))))

        answer = talk(noise + SILENCE + b"%" + SILENCE + b"%name%")

        assert answer.endswith(b"m-name-dut-[mcugen]\r\nm-ready\r\n")
