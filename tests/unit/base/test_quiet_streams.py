# SPDX-License-Identifier: BSD-3-Clause
"""Quiet where stdout and stderr are no file descriptors, as in a notebook."""

from __future__ import annotations

import io
import logging
import subprocess
import sys

import pytest

from mcugen.base.quiet import aloud, quiet


@pytest.fixture
def put_in_place(monkeypatch):
    """Called in the test itself: pytest puts its own streams in place before it."""

    def put() -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


def test_such_streams_and_loggers_are_quiet_but_where_aloud(put_in_place):
    """A logger that was made before, as torch's are, writes to the stream itself."""
    stream = put_in_place()
    logger = logging.getLogger("mcugen-test")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    with quiet():
        print("lost")
        logger.warning("lost")
        with aloud():
            print("heard")
            logger.warning("heard, too")
        print("lost again", file=sys.stderr)
        logger.error("lost again")
    print("after")
    logger.warning("after that")
    logger.removeHandler(handler)

    assert stream.getvalue() == "heard\nheard, too\nafter\nafter that\n"
    assert sys.stdout is stream


def test_a_handler_made_inside_writes_where_it_should_afterwards(put_in_place):
    stream = put_in_place()
    logger = logging.getLogger("mcugen-test-inside")
    with quiet():
        handler = logging.StreamHandler()
        logger.addHandler(handler)
        logger.warning("lost")
    logger.warning("heard")
    logger.removeHandler(handler)

    assert stream.getvalue() == "heard\n"


INTERRUPTED = """
import os
from mcugen.base import quiet

def interrupt(*_):
    raise KeyboardInterrupt

real = {name: getattr({place}, name) for name in [{name!r}]}
try:
    with quiet.quiet():
        {place}.{name} = interrupt
        {inside}
except KeyboardInterrupt:
    {place}.{name} = real[{name!r}]
    quiet.give_back()
    os.write(1, b"said")
"""


@pytest.mark.parametrize("inside", ["pass", "with quiet.aloud(): pass", "os.write(1, b'hushed')"])
@pytest.mark.parametrize("place, name", [("quiet", "_flush"), ("quiet.os", "dup2")])
def test_a_ctrl_c_at_a_bad_moment_leaves_the_streams_as_they_were(place, name, inside):
    code = INTERRUPTED
    for key, value in {"{place}": place, "{name!r}": repr(name), "{name}": name}.items():
        code = code.replace(key, value)

    done = subprocess.run(
        [sys.executable, "-c", code.replace("{inside}", inside)], capture_output=True, text=True
    )

    assert (done.stdout, done.stderr, done.returncode) == ("said", "", 0)
