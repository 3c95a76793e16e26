# SPDX-License-Identifier: BSD-3-Clause
"""Which of our switches (`-DMCUGEN_…`) a source can see.

A project sets a dozen for all of a library, and most sources read one or none: their objects are
the same with any of the others. In doubt a switch is seen: conditions are not evaluated, and every
mention counts but those in comments and in macros that are not used.
"""

import re

_NAME = re.compile(rb"MCUGEN_\w+")
_DEFINE = re.compile(rb"#\s*define\s+(\w+)(.*)", re.DOTALL)
_DEFAULT = re.compile(rb"^[ \t]*#\s*ifndef\s+(\w+)\s*\n(?=[ \t]*#\s*define\s+\1\b)", re.MULTILINE)
_COMMENT = re.compile(rb"^[ \t]*//.*$", re.MULTILINE)
_OPTION = re.compile(rb"-D\s*(MCUGEN_\w+)(?:=\S*)?\s*")


def mentions(text):
    """Return the names in a file: those it reads, and of each macro those that it stands for.

    Macros of other names are taken to be used.
    """
    read = set()
    macros = {}
    if b"MCUGEN_" in text:
        text = _COMMENT.sub(b"", text.replace(b"\r\n", b"\n").replace(b"\\\n", b" "))
        for line in _DEFAULT.sub(b"", text).split(b"\n"):
            define = _DEFINE.fullmatch(line.strip())
            if define and _NAME.fullmatch(define[1]):
                macros.setdefault(define[1], set()).update(_NAME.findall(define[2]))
            else:
                read.update(_NAME.findall(line))
    return read, macros


def seen(files):
    """Return the switches that a source sees.

    files: of itself and of every header it may include, what `mentions` gives.
    """
    macros = {}
    found = set()
    left = set()
    for read, defined in files:
        left |= read
        for name, others in defined.items():
            macros.setdefault(name, set()).update(others)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left |= macros.get(name, set())
    return found


def without_unseen(command, switches):
    """Return a compile command without the switches that are not among these."""
    return _OPTION.sub(lambda match: match[0] if match[1] in switches else b"", command)
