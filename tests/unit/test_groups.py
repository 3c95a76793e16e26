# SPDX-License-Identifier: BSD-3-Clause
"""Tests that share what one of them makes run in one worker: each makes it once."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_pytest_xdist_tells_the_groups(request: pytest.FixtureRequest) -> None:
    """By the end of a test's name; with pytest 9.2, xdist 3.8.0 put it where nobody looks."""
    if not request.config.getoption("loadgroup", False):
        pytest.skip("not a worker of --dist loadgroup")

    assert request.node.nodeid.endswith("@groups")
