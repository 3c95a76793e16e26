# SPDX-License-Identifier: BSD-3-Clause
"""Generated projects: the same bytes every time, and nothing of the user's is ever lost."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from sample_project import sample_artifact, sample_plan, use_sample_firmware, write_sample

from mcugen.base.cache import sha256_hex
from mcugen.base.errors import TemplateError
from mcugen.base.resources import executorch_include_dir
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.spec import BoardSpec
from mcugen.project import libraries, place
from mcugen.project.contents import model_contents
from mcugen.project.headers import INCLUDE, header_closure
from mcugen.project.manifest import MANIFEST
from mcugen.project.place import load_project
from mcugen.project.render import APP_CONFIG, render

GOLDEN = Path(__file__).parents[2] / "golden" / "projects"
# One project whole, the others as what differs.
GOLDEN_BOARD = load_board("nucleo")
OTHER_BOARDS = [board for board in list_boards() if board != GOLDEN_BOARD]
BOARD = load_board("qemu-m4")


@pytest.fixture(autouse=True)
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_sample_firmware(tmp_path / "firmware", monkeypatch)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def mtimes(root: Path) -> dict[str, int]:
    return {path: (root / path).stat().st_mtime_ns for path in tree(root)}


def rendered(board: BoardSpec) -> dict[str, str]:
    """Return what is rendered, not what is copied; without firmware id, which depends on that."""
    artifact = sample_artifact()
    contents = model_contents(artifact, sample_plan(artifact), board)
    files = {path: render(context) for path, context in contents.templates.items()}
    files[APP_CONFIG] = render(contents.config)
    files |= {path: data.decode() for path, data in contents.generated.items()}
    # The version changes with every release, and says nothing about the templates.
    version = f'"version": "{libraries.version()}"'
    return {path: text.replace(version, '"version": "VERSION"') for path, text in files.items()}


def differences(board: BoardSpec) -> str:
    """Return, as one patch, what is rendered otherwise than for the board most like it."""
    like = BOARD if board.simulated_only and board != BOARD else GOLDEN_BOARD
    before, after = (
        {path.replace(f"/{each.id}.", "/BOARD."): text for path, text in rendered(each).items()}
        for each in (like, board)
    )
    lines: list[str] = []
    for path in sorted({*before, *after}):
        old, new = (files.get(path, "").splitlines(keepends=True) for files in (before, after))
        names = [f"{each.id}/{path.replace('BOARD', each.id)}" for each in (like, board)]
        lines += difflib.unified_diff(old, new, *names, n=1)
    return "".join(lines)


def test_generated_files_are_as_reviewed(update_golden: bool) -> None:
    files = rendered(GOLDEN_BOARD)
    folder = GOLDEN / GOLDEN_BOARD.id
    if update_golden:
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    assert {path: data.decode() for path, data in tree(folder).items()} == files


@pytest.mark.parametrize("board", OTHER_BOARDS, ids=lambda board: board.id)
def test_other_boards_differ_as_reviewed(board: BoardSpec, update_golden: bool) -> None:
    file = GOLDEN / f"{board.id}.diff"
    if update_golden:
        file.write_text(differences(board))

    assert file.read_text() == differences(board)


def test_every_board_has_its_golden_file_and_no_other_is_there() -> None:
    expected = {GOLDEN_BOARD.id, *(f"{board.id}.diff" for board in OTHER_BOARDS)}

    assert {path.name for path in GOLDEN.iterdir()} - {"README.md"} == expected


def test_the_same_bytes_in_different_folders(tmp_path: Path) -> None:
    first = write_sample(BOARD, tmp_path / "a")
    second = write_sample(BOARD, tmp_path / "deeper" / "b c")

    assert tree(tmp_path / "a") == tree(tmp_path / "deeper" / "b c")
    assert first.firmware_id == second.firmware_id
    assert str(tmp_path).encode() not in b"".join(tree(tmp_path / "a").values())


def test_every_file_ends_its_lines_with_lf(tmp_path: Path) -> None:
    write_sample(BOARD, tmp_path / "a")

    assert [path for path, data in tree(tmp_path / "a").items() if b"\r" in data] == []


def test_writing_again_touches_nothing(tmp_path: Path) -> None:
    """PlatformIO rebuilds what was touched."""
    write_sample(BOARD, tmp_path / "a")
    before = mtimes(tmp_path / "a")
    write_sample(BOARD, tmp_path / "a")

    assert mtimes(tmp_path / "a") == before


def test_another_model_touches_only_what_depends_on_it(tmp_path: Path) -> None:
    write_sample(BOARD, tmp_path / "a")
    before = mtimes(tmp_path / "a")
    write_sample(BOARD, tmp_path / "a", pte=b"other model")
    after = mtimes(tmp_path / "a")

    assert {path for path in after if after[path] != before[path]} == {
        "README.md",
        "mcugen/manifest.json",
        "src/app_config.cpp",
        "src/model_pte.c",
    }


def test_the_set_of_files_does_not_depend_on_the_model(tmp_path: Path) -> None:
    """PlatformIO wipes the build folder when the set of source names changes."""
    first = write_sample(BOARD, tmp_path / "a")
    second = write_sample(BOARD, tmp_path / "b", pte=b"other", name="other-model")

    assert set(first.manifest) == set(second.manifest)


def test_manifest_lists_every_file_with_its_sha256(tmp_path: Path) -> None:
    written = write_sample(BOARD, tmp_path / "a")
    on_disk = {p: sha256_hex(d) for p, d in tree(tmp_path / "a").items() if p != MANIFEST}

    assert dict(written.manifest) == on_disk
    assert json.loads((tmp_path / "a" / MANIFEST).read_text())["files"] == on_disk


def test_firmware_id_depends_on_model_board_and_firmware(tmp_path: Path, firmware: Path) -> None:
    ids = [
        write_sample(BOARD, tmp_path / "a").firmware_id,
        write_sample(BOARD, tmp_path / "b", pte=b"other").firmware_id,
        write_sample(load_board("qemu-m7"), tmp_path / "c").firmware_id,
    ]
    with open(firmware / "kernels" / "sum_scalar.cpp", "a") as file:
        file.write("// changed\n")
    ids.append(write_sample(BOARD, tmp_path / "d").firmware_id)

    assert len(set(ids)) == 4
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)
    assert ids[0] in (tmp_path / "a" / "src" / "app_config.cpp").read_text()


def test_copies_one_bsp_and_the_variants_the_core_runs(tmp_path: Path) -> None:
    write_sample(BOARD, tmp_path / "a")
    write_sample(load_board("qemu-m55"), tmp_path / "b")

    assert (tmp_path / "a" / "lib/mcugen_runtime/bsp/mps").is_dir()
    assert not (tmp_path / "a" / "lib/mcugen_runtime/bsp/stm32f4").exists()
    assert not (tmp_path / "a" / "lib/mcugen_kernels/kernels/sum_mve.cpp").exists()
    assert (tmp_path / "b" / "lib/mcugen_kernels/kernels/sum_mve.cpp").is_file()


def test_header_closure_is_complete_and_minimal() -> None:
    """Every ExecuTorch include of every copied header is copied; the rest of the wheel is not."""
    headers = header_closure([b"#include <executorch/runtime/kernel/operator_registry.h>\n"])
    total = len(list((executorch_include_dir() / "executorch").rglob("*.h")))

    assert "executorch/runtime/kernel/operator_registry.h" in headers
    assert 20 < len(headers) < total
    for data in headers.values():
        for match in INCLUDE.finditer(data):
            name = match[2].decode()
            if name.startswith("executorch/") and (executorch_include_dir() / name).is_file():
                assert name in headers


def test_header_closure_follows_quoted_includes_from_their_folder() -> None:
    sources = [b'#include "executorch/runtime/core/portable_type/half.h"\n']

    assert any("c10/util/Half.h" in path for path in header_closure(sources))


def test_executorch_s_license_goes_with_its_headers(tmp_path: Path) -> None:
    write_sample(BOARD, tmp_path / "a")
    text = (tmp_path / "a" / "lib/mcugen_runtime/executorch/LICENSE").read_text()

    assert "Redistribution and use in source and binary forms" in text
    assert "ExecuTorch 1.5.1" in (tmp_path / "a" / "README.md").read_text()


# -- what is already there


def test_refuses_to_overwrite_an_edited_file(tmp_path: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    (root / "src/main.cpp").write_text("// mine\n")
    before = tree(root)
    with pytest.raises(TemplateError) as caught:
        write_sample(BOARD, root, pte=b"other")

    assert "src/main.cpp was edited since mcugen wrote it" in caught.value.message
    assert "-o DIR" in (caught.value.hint or "")
    assert tree(root) == before


def test_refuses_to_remove_an_edited_file(tmp_path: Path, firmware: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    (root / "lib/mcugen_runtime/runtime/state.cpp").write_text("// mine\n")
    (firmware / "runtime/state.cpp").unlink()

    with pytest.raises(TemplateError, match="was edited"):
        write_sample(BOARD, root)


def test_refuses_a_folder_with_other_people_s_files_in_the_way(tmp_path: Path) -> None:
    root = tmp_path / "a"
    root.mkdir()
    (root / "platformio.ini").write_text("[env:mine]\n")

    with pytest.raises(TemplateError, match="was not written by mcugen"):
        write_sample(BOARD, root)
    assert tree(root) == {"platformio.ini": b"[env:mine]\n"}


def test_leaves_files_of_the_user_alone(tmp_path: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    (root / "src/app.cpp").write_text("// mine\n")
    write_sample(BOARD, root, pte=b"other")

    assert (root / "src/app.cpp").read_text() == "// mine\n"


def test_restores_a_deleted_file(tmp_path: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    before = tree(root)
    (root / "linker/memory.ld").unlink()
    write_sample(BOARD, root)

    assert tree(root) == before


def test_removes_files_that_are_no_longer_needed(tmp_path: Path, firmware: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    (firmware / "runtime/state.cpp").unlink()
    write_sample(BOARD, root)

    assert not (root / "lib/mcugen_runtime/runtime").exists()
    assert "lib/mcugen_runtime/runtime/state.cpp" not in load_project(root).manifest


def test_a_manifest_cannot_lead_out_of_the_project(tmp_path: Path) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    document = json.loads((root / MANIFEST).read_text())
    document["files"]["../victim"] = sha256_hex(b"precious")
    (root / MANIFEST).write_text(json.dumps(document))

    with pytest.raises(TemplateError, match="damaged"):
        write_sample(BOARD, root)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99, "files": {}}'])
def test_a_damaged_manifest_is_said_to_be_damaged(tmp_path: Path, text: str) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    (root / MANIFEST).write_text(text)

    with pytest.raises(TemplateError, match="damaged"):
        load_project(root)


def test_load_project_returns_what_was_written(tmp_path: Path) -> None:
    written = write_sample(BOARD, tmp_path / "a")

    assert dataclasses.asdict(load_project(tmp_path / "a")) == dataclasses.asdict(written)


def test_load_project_of_another_folder(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="is not a project of mcugen"):
        load_project(tmp_path)


# -- interruptions


class Killed(BaseException):
    """Ends the process' work at once, as SIGKILL would: nothing cleans up behind it."""


def interrupt_after(monkeypatch: pytest.MonkeyPatch, function: str, calls: int) -> None:
    real = getattr(os, function)
    count = 0

    def replacement(*args, **kwargs):
        nonlocal count
        count += 1
        if count > calls:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(os, function, replacement)


@pytest.mark.parametrize("calls", range(6))
def test_a_kill_between_two_renames_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Old or new afterwards, never a mixture: four files and the commit plan are renamed."""
    root = tmp_path / "a"
    write_sample(BOARD, root)
    old = tree(root)
    write_sample(BOARD, tmp_path / "new", pte=b"other")
    new = tree(tmp_path / "new")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "replace", calls)
        try:
            write_sample(BOARD, root, pte=b"other")
        except Killed:
            pass
        else:
            assert calls == 5

    place.finish_interrupted_write(root)
    assert tree(root) == (old if calls == 0 else new)
    assert write_sample(BOARD, root).root == root
    assert tree(root) == old


def test_a_kill_while_a_new_project_is_staged_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, "replace", 0)
        with pytest.raises(Killed):
            write_sample(BOARD, tmp_path / "out" / "a")

    assert list((tmp_path / "out").iterdir()) == []


def test_ctrl_c_waits_for_the_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "a"
    write_sample(BOARD, root)
    write_sample(BOARD, tmp_path / "new", pte=b"other")
    real = os.replace
    pressed = False

    def press_and_replace(source, target):
        nonlocal pressed
        if not pressed and str(target).endswith("commit.json"):
            pressed = True
            signal.raise_signal(signal.SIGINT)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", press_and_replace)
        with pytest.raises(KeyboardInterrupt):
            write_sample(BOARD, root, pte=b"other")

    assert tree(root) == tree(tmp_path / "new")


def test_one_at_a_time_writes_and_builds_in_a_folder(tmp_path: Path) -> None:
    entered: list[str] = []

    def second() -> None:
        with place.project_lock(tmp_path / "same"):
            entered.append("second")

    thread = threading.Thread(target=second)
    with place.project_lock(tmp_path / "same"), place.project_lock(tmp_path / "other"):
        thread.start()
        thread.join(timeout=0.3)
        entered.append("first")
    thread.join(timeout=10)

    assert entered == ["first", "second"]
    assert not any(tmp_path.glob("[so]*"))
