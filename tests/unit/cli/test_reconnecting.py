# SPDX-License-Identifier: BSD-3-Clause
"""A device that goes away is looked for a few times, and the report says so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mcugen.base.errors import DeviceError, DisconnectedError, FlashError
from mcugen.flow import connection
from mcugen.flow.connection import PAUSES_S, Link, Reconnecting


class Cable:
    """A connection that fails as often as it is told to; counts what is open."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.opened: list[bool] = []
        self.open_now = 0

    @contextlib.contextmanager
    def connect(self, lost: Link | None) -> Iterator[Link]:
        again = lost is not None
        self.opened.append(again)
        if again and self.failures:
            raise self.failures.pop(0)
        self.open_now += 1
        try:
            client = SimpleNamespace(number=len(self.opened))
            yield Link(client, None, True, Path("transcript.txt"))
        finally:
            self.open_now -= 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.time, "sleep", lambda seconds: None)


def test_it_is_tried_until_it_is_back() -> None:
    cable = Cable(FlashError("no board is attached"), DeviceError("it does not answer\nat all"))
    said: list[str] = []
    with Reconnecting(cable.connect) as device:
        first = device.link.client
        lost = DisconnectedError("/dev/tty: the connection was lost; more of that")
        client = device.again(lost, 17, said.append)
        assert client is device.link.client is not first
        assert cable.open_now == 1

    assert cable.opened == [False, True, True, True]
    assert cable.open_now == 0
    assert device.losses == [
        "at sample 17: /dev/tty: the connection was lost; connected again after 3 tries"
    ]
    assert said[1:] == ["try 1 of 5: no board is attached", "try 2 of 5: it does not answer"]


def test_tries_are_bounded_and_the_first_error_is_the_one_that_is_told() -> None:
    cable = Cable(*(FlashError("no board is attached") for _ in range(20)))
    lost = DisconnectedError("the connection was lost")
    with pytest.raises(DisconnectedError) as told, Reconnecting(cable.connect) as device:
        device.again(lost, 0, lambda text: None)

    assert told.value is lost
    assert lost.message == "the connection was lost\nIt did not come back in 5 tries."
    assert len(cable.opened) == 1 + len(PAUSES_S)
    assert cable.open_now == 0
