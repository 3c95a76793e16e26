# SPDX-License-Identifier: BSD-3-Clause
"""Which -D switches a source sees: an object is another one for these alone.

That images with objects from the cache are those without: test_build.py, test_reproducible.py.
"""

from __future__ import annotations

import sys

import pytest

from mcugen.base.resources import firmware_dir

sys.path.insert(0, str(firmware_dir() / "platform" / "builder"))
from seen_switches import mentions, seen, without_unseen

CONFIG = b"""
// MCUGEN_IN_A_COMMENT
#ifndef MCUGEN_FULL
#define MCUGEN_FULL 0
#endif
#ifndef MCUGEN_CHECKS
#define MCUGEN_CHECKS MCUGEN_FULL
#endif
#define MCUGEN_CHECK_FILE(condition) \\
  if (MCUGEN_CHECKS && !(condition)) fail()
#ifdef MCUGEN_HOOK
void hook();
#endif
"""


@pytest.mark.parametrize(
    "source, switches",
    [
        (b"int a;", {"MCUGEN_HOOK"}),
        (b"#if MCUGEN_FULL\nint a;\n#endif", {"MCUGEN_HOOK", "MCUGEN_FULL"}),
        (b"int a = MCUGEN_CHECKS;", {"MCUGEN_HOOK", "MCUGEN_CHECKS", "MCUGEN_FULL"}),
        (
            b"void f() { MCUGEN_CHECK_FILE(1); }",
            {"MCUGEN_HOOK", "MCUGEN_CHECK_FILE", "MCUGEN_CHECKS", "MCUGEN_FULL"},
        ),
        (b"#define CHECK(x) MCUGEN_FULL", {"MCUGEN_HOOK", "MCUGEN_FULL"}),
        (b"#ifndef MCUGEN_FULL\nint a;\n#endif", {"MCUGEN_HOOK", "MCUGEN_FULL"}),
    ],
)
def test_what_a_source_reads_by_way_of_any_macro_is_seen(source, switches):
    assert seen(map(mentions, (source, CONFIG))) == {name.encode() for name in switches}


def test_no_name_is_put_together_where_it_would_not_be_found():
    sources = [*firmware_dir().rglob("*.h"), *firmware_dir().rglob("*.cpp")]

    assert [path for path in sources if b"MCUGEN_##" in path.read_bytes()] == []


def test_a_command_keeps_what_is_seen():
    command = b"g++ -Os -D NDEBUG -DMCUGEN_A=0 -D MCUGEN_B=1 -DMCUGEN_AB -DMCUGEN_C=2 -c"

    assert without_unseen(command, {b"MCUGEN_B"}) == b"g++ -Os -D NDEBUG -D MCUGEN_B=1 -c"
