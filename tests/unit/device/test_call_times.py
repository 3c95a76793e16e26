# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from dataclasses import replace

import pytest
from serial_peer import Peer, default_info, running

from mcugen.base.errors import ConfigError, DeviceError, ProtocolError
from mcugen.boards.load import load_board
from mcugen.device.call_times import CallTimes, time_calls
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client
from mcugen.program.call_facts import CallFacts, CallSequence

#: Of each instruction whether it is a call.
CALLS = [True] * 128 + [False, True]
BOARD = load_board("qemu-m4")  # 40 instructions a tick


def sequence(*, jump: bool = False) -> CallSequence:
    calls: list[CallFacts] = []
    kinds = []
    for is_call in CALLS:
        kinds.append(("call", len(calls)) if is_call else ("other", 0))
        if is_call:
            calls.append(CallFacts(len(calls), "aten::add.out", "add", 7, (), (), len(calls)))
    if jump:
        kinds[-2] = ("jump", 0)
    return CallSequence(tuple(calls), (tuple(kinds),))


def timed(
    peer: Peer, *, simulated: bool = True, reload: bool = False, jump: bool = False
) -> CallTimes:
    with running(peer):
        console = SerialConsole(peer.url, 115_200)
        try:
            client = Client(console)
            return time_calls(
                client,
                client.connect(),
                BOARD,
                sequence(jump=jump),
                ["body"] * sum(CALLS),
                (bytes(16),),
                runs=3,
                warmups=1,
                simulated=simulated,
                reload=reload,
            )
        finally:
            console.close()


def peer_of(steps: list[int]) -> Peer:
    """Of three inferences the first is whole; counting costs the others a tick an instruction."""
    return Peer(steps=steps, ticks=lambda n: 1003 if n % 3 == 1 else 1003 + len(steps))


def test_calls_are_what_their_instructions_took_without_the_counting():
    peer = peer_of([n + 5 for n in range(len(CALLS))])

    times = timed(peer)

    # 130 do not fit into a reply.
    assert peer.executions == (1 + 3) * 3
    assert times.timing.counts == (1000 * 40,) * 3 and times.timing.counter == "instructions"
    assert times.counting == 40 and times.resolution == 40
    assert [each.median for each in times.calls[:3]] == [4 * 40, 5 * 40, 6 * 40]
    # The instruction before it is no call.
    assert times.calls[-1].median == (129 + 5 - 1) * 40
    assert [each.call.number for each in times.calls] == list(range(129))
    assert {each.layer for each in times.calls} == {"body"}


def test_a_board_measures_cycles():
    times = timed(peer_of([9] * len(CALLS)), simulated=False)

    assert times.timing.counter == "cycles" and times.timing.latency_us == 40
    assert times.counting == 1 and times.calls[0].counts == (8, 8, 8)
    assert times.other == 0  # nothing is left: here the calls are longer than the whole


def test_state_is_as_loaded_before_each_inference():
    peer = peer_of([9] * len(CALLS))

    timed(peer, reload=True)

    # Inputs are zero after it.
    kinds = [kind for kind in peer.requests if kind != 1]
    assert kinds == [0x12, 0x02, 0x03] * 12


def test_older_firmware_is_named_as_such():
    with pytest.raises(DeviceError, match="an older mcugen has made it") as caught:
        timed(Peer())

    assert "Build and flash" in str(caught.value.hint)


def test_another_refusal_is_what_the_device_says():
    info = default_info() | {"state": "error", "error": "no memory"}
    with pytest.raises(DeviceError, match="EXECUTE: not ready: no memory"):
        timed(Peer(info=info, steps=[]))


@pytest.mark.parametrize("more", [-1, 1])
def test_another_number_of_instructions_than_the_programs_is_refused(more):
    with pytest.raises(ProtocolError, match=f"timed {130 + more} instructions; .* has 130"):
        timed(peer_of([9] * (len(CALLS) + more)))


def test_a_program_with_jumps_is_refused():
    with pytest.raises(ConfigError, match="the program branches"):
        timed(Peer(), jump=True)


def test_layers_of_another_number_are_not_known():
    calls = sequence()
    arithmetic = replace(calls, calls=(*calls.calls[:-1], replace(calls.calls[-1], own=None)))

    assert calls.layers(["one"]) == (None,) * 129
    assert arithmetic.layers(["body"] * 128) == (*["body"] * 128, "")
