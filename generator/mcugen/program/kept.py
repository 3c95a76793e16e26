# SPDX-License-Identifier: BSD-3-Clause
"""What is found out about a program, kept between runs: reading a `.pte` imports torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from mcugen.base import cache
from mcugen.program.artifact import PteArtifact

T = TypeVar("T")


def kept(
    kind: str,
    artifact: PteArtifact,
    make: Callable[[], Any],
    read: Callable[[Any], T],
    **parts: object,
) -> T:
    """Return what `read` makes of the document that `make` gives, or has given in an earlier run.

    Args:
        kind: of the cache's KINDS.
        artifact: whose `.pte` the document is about.
        make: its document, as JSON has it: no tuples, no sets.
        read: the result from it. Raises KeyError, TypeError or ValueError if it is another one.
        parts: what it depends on besides the `.pte` and this room's sources.
    """
    key = cache.make_key(
        what=kind,
        pte=artifact.sha256,
        source=cache.source_hash(("program",)),
        versions=cache.package_versions(("executorch",)),
        **parts,
    )
    files = cache.load(kind, key)
    if files is not None:
        try:
            return read(json.loads(files[f"{kind}.json"]))
        except (KeyError, TypeError, ValueError, RecursionError):
            pass  # Written by something else: look again.
    document = make()
    cache.store(kind, key, {f"{kind}.json": json.dumps(document).encode()})
    return read(document)
