# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from mcugen.base.cache import cache_dir, sha256_hex
from mcugen.base.toolchain import COMPILER, find_tool
from mcugen.boards.load import load_board
from mcugen.program.memory import plan_memory
from mcugen.program.planning.fit import arrange_for
from mcugen.program.read import read_pte
from mcugen.project.build import build_project
from mcugen.project.contents import model_contents
from mcugen.project.generate import write_project
from mcugen.project.render import render_project

# The smallest of the golden networks.
MODEL = Path(__file__).parents[1] / "golden" / "nets" / "net_23_m4.pte"


@pytest.fixture(scope="session")
def image_of() -> Callable[[str], Path]:
    """Build the small model for a board, once per machine for the same sources; return the ELF.

    Raises AssertionError if the compiler or the linker warns.
    """
    built: dict[str, Path] = {}

    def build(board_id: str) -> Path:
        if board_id not in built:
            board = load_board(board_id)
            artifact = arrange_for(read_pte(MODEL.read_bytes(), name="small"), board)
            plan = plan_memory(artifact, board)
            sources = render_project(model_contents(artifact, plan, board)).firmware_id
            compiler = find_tool(COMPILER).description
            made_from = sha256_hex(f"{sources} {compiler}".encode())[:16]
            root = cache_dir() / "test-boards" / board_id
            root.parent.mkdir(parents=True, exist_ok=True)
            elf = root.parent / f"{board_id}-{made_from}.elf"
            with open(root.parent / f"{board_id}.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not elf.exists():
                    image = build_project(write_project(artifact, plan, board, root), board)
                    log = image.log_path.read_text()
                    assert "warning" not in log.lower(), log
                    for old in root.parent.glob(f"{board_id}-*.elf"):
                        old.unlink()
                    copy = elf.with_suffix(".new")
                    copy.write_bytes(image.elf.read_bytes())
                    copy.replace(elf)
            built[board_id] = elf
        return built[board_id]

    return build
