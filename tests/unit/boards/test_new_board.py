# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen boards new`, and boards that lie outside of mcugen's tree."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import samples_of_specs as sample

from mcugen.base.errors import ConfigError
from mcugen.base.resources import boards_dir
from mcugen.boards.load import load_board
from mcugen.boards.new import write_board
from mcugen.boards.new_sheet import Wanted
from mcugen.program.memory import plan_memory

ROOT = Path(__file__).resolve().parents[3]
COMMAND = Path(sys.executable).parent / "mcugen"
#: In the form of PlatformIO's boards; figures by ST's data sheet DS8626.
F405 = {
    "build": {"cpu": "cortex-m4", "f_cpu": "168000000L", "mcu": "stm32f405rgt6"},
    "debug": {"jlink_device": "STM32F405RG", "openocd_target": "stm32f4x"},
    "name": 'My "Own" F405',
    "upload": {"maximum_ram_size": 131072, "maximum_size": 1048576, "protocol": "stlink"},
    "url": "https://example.org/f405",
    "vendor": "myself",
}
#: Its part is one of ours.
F401 = F405 | {
    "build": {"cpu": "cortex-m4", "f_cpu": "84000000L", "mcu": "stm32f401ret6"},
    "upload": {"maximum_ram_size": 98304, "maximum_size": 524288, "protocol": "stlink"},
}
SVD = """<?xml version="1.0"?>
<device><name>STM32F405</name><peripherals>
<peripheral><name>USART2</name><baseAddress>0x40004400</baseAddress>
<interrupt><name>USART2</name><value>38</value></interrupt></peripheral>
<peripheral><name>USART6</name><baseAddress>0x40011400</baseAddress></peripheral>
</peripherals></device>
"""
#: RM0090 6.2, 5.4.1, 6.3.2: limits of the buses and of the PLL, voltage scale 1.
MACROS = (
    *("MCUGEN_APB1_MAX_HZ=42000000", "MCUGEN_APB2_MAX_HZ=84000000", "MCUGEN_VOS=1"),
    *("MCUGEN_PLL_N_MIN=50", "MCUGEN_OVERDRIVE_ABOVE_HZ=0"),
    *("MCUGEN_HSE_HZ=8000000", "MCUGEN_HSE_BYPASS=0", "MCUGEN_UART_AF=7"),
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "f405.json").write_text(json.dumps(F405))
    (tmp_path / "f401.json").write_text(json.dumps(F401))
    (tmp_path / "F405.svd").write_text(SVD)
    return tmp_path


def wanted(files: Path, name: str = "my_f405.toml", **changes: object) -> Wanted:
    values = {
        "svd": files / "F405.svd",
        **{"uart": "USART2", "tx": "PA2", "rx": "PA3"},
        "defines": MACROS,
        "flash_wait": "30000000:16:64",
    }
    return Wanted(files / name, str(files / changes.pop("pio", "f405.json")), **(values | changes))


def test_a_board_is_written_from_its_sources_alone(files):
    board = write_board(wanted(files))

    text = (files / "my_f405.toml").read_text()
    assert "nucleo_" not in text and "FIXME" not in text and "TODO" not in text
    assert (board.id, board.name) == ("my_f405", 'My "Own" F405')
    assert (board.cpu, board.fpu, board.bsp) == ("cortex-m4", "fpv4-sp-d16", "stm32f4")
    assert board.clock_hz == 168_000_000
    assert (board.console.base, dict(board.defines)["MCUGEN_UART_RX_IRQ"]) == (0x40004400, "38")
    assert [(r.start, r.size_bytes) for r in board.regions] == [
        (0x08000000, 1024 * 1024),
        (0x20000000, 128 * 1024),
    ]
    assert board.upload.ways == ("openocd", "jlink")
    assert board.probe.openocd_args[-1] == "target/stm32f4x.cfg"
    assert (0x0483, 0x374B) in board.probe.usb_ids
    assert board.verified_level == "builds"
    # Every number has its source beside it, or in the head of its table.
    sources = tomllib.loads(text)["sources"]
    assert "f405.json" in sources["memory"] and sources["console"] == "F405.svd"


def test_what_no_source_says_is_listed_with_its_option_and_nothing_is_written(files):
    with pytest.raises(ConfigError, match="this is said by no file") as caught:
        write_board(
            wanted(files, svd=None, uart=None, tx=None, rx=None, defines=(), flash_wait=None)
        )

    for option in ("--uart", "--tx", "--rx", "--svd", "--flash-wait", "--define MCUGEN_HSE_HZ"):
        assert option in caught.value.message
    assert "(nucleo_f401re: 8000000)" in caught.value.message
    assert "--like nucleo_f401re" in caught.value.hint
    assert not (files / "my_f405.toml").exists()


def test_like_takes_the_rest_and_says_so(files):
    write_board(wanted(files, defines=MACROS[:5], flash_wait=None, like="nucleo_f446re"))

    text = (files / "my_f405.toml").read_text()
    assert "MCUGEN_HSE_HZ = 8000000  # as nucleo_f446re" in text
    assert "MCUGEN_APB1_MAX_HZ = 42000000  # --define" in text
    assert "[mcu.regions.wait]  # as nucleo_f446re" in text


def test_a_part_of_ours_is_named_and_only_the_boards_own_macros_are_asked_for(files):
    board = write_board(wanted(files, pio="f401.json", defines=MACROS[5:], flash_wait=None))

    assert 'mcu = "stm32f401re"' in (files / "my_f405.toml").read_text()
    assert (board.mcu, dict(board.defines)["MCUGEN_PLL_N_MIN"]) == ("STM32F401RE", "192")
    assert dict(board.defines)["MCUGEN_HSE_BYPASS"] == "0"
    assert board.clock_hz == 84_000_000


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"uart": "USART9"}, "has no USART9; it has USART2, USART6"),
        ({"like": "nucleo_l476rg"}, "is of family stm32l4, not stm32f4"),
        ({"family": "avr"}, "is of no known family"),
        ({"name": "nucleo.toml"}, "there is a board 'nucleo' already"),
        ({"name": "My Board.toml"}, "a board file is called <id>.toml"),
        ({"defines": ("MCUGEN_HSE_HZ=fast",)}, "it is NAME=INTEGER"),
        ({"ram": ("sram",)}, "it is NAME:START:KIB:ROLES"),
        ({"ram": ("sram:0x20000000:96:io",)}, "no region has the role"),
        ({"probe": "wire"}, "--probe must be stlink or jlink or cmsis-dap"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(files, changes, message):
    with pytest.raises(ConfigError, match=message):
        write_board(wanted(files, **changes))

    assert list(files.glob("*.toml")) == []


def test_a_file_that_is_there_is_kept(files):
    (files / "my_f405.toml").write_text("mine")

    with pytest.raises(ConfigError, match="is there already"):
        write_board(wanted(files))

    assert (files / "my_f405.toml").read_text() == "mine"


def test_a_board_of_an_installed_platform_is_found_by_its_id(files, monkeypatch):
    folder = files / "core/platforms/ststm32/boards"
    folder.mkdir(parents=True)
    (folder / "my_f405.json").write_text(json.dumps(F405))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(files / "core"))
    here = wanted(files)

    board = write_board(Wanted(**{**vars(here), "pio": "my_f405"}))
    assert board.mcu == "STM32F405RGT6"

    with pytest.raises(ConfigError, match="no installed PlatformIO platform has a board 'none'"):
        write_board(Wanted(**{**vars(here), "path": files / "b.toml", "pio": "none"}))


def test_a_users_board_is_planned_for_by_its_file(files, monkeypatch):
    write_board(wanted(files))
    monkeypatch.chdir(files)

    board = load_board("my_f405.toml")

    assert board.reference == str(files / "my_f405.toml")
    assert load_board(board.reference) == board
    plan = plan_memory(sample.artifact(), board)
    assert plan.planned_bytes == (64,)
    with pytest.raises(ConfigError, match=r"there is no board file other\.toml"):
        load_board("other.toml")


def test_a_users_board_may_name_a_part_of_ours_or_one_beside_it(files):
    text = (ROOT / "boards/nucleo_f446re.toml").read_text().replace('["nucleo"]', "[]")
    (files / "mine.toml").write_text(text.replace('"nucleo_f446re"', '"mine"'))

    assert load_board(str(files / "mine.toml")).mcu == "STM32F446RE"

    part = (ROOT / "boards/mcu/stm32f446re.toml").read_text()
    (files / "mcu").mkdir()
    (files / "mcu/stm32f446re.toml").write_text(part.replace("STM32F446RE", "STM32F446RX"))
    assert load_board(str(files / "mine.toml")).mcu == "STM32F446RX"


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("MCUGEN_HSE_HZ", "MCUGEN_HES_HZ", "macro 'MCUGEN_HSE_HZ' is missing", "'MCUGEN_HES_HZ'"),
        ("MCUGEN_HSE_HZ = 8", "#", "macro 'MCUGEN_HSE_HZ' is missing", "has 8000000 in its"),
        ("MCUGEN_HSE_HZ", "MCUGEN_HSE_MHZ = 8\nMCUGEN_HSE_HZ", "'MCUGEN_HSE_MHZ' is none", "_HZ'?"),
        ("clock_hz", "clok_hz", "key 'clock_hz' is missing", "'clok_hz' is there: is it meant?"),
        ("baud =", 'parity = "none"\nbaud =', "unknown key 'console.parity'", "boards/README.md"),
    ],
)
def test_a_slip_in_a_users_board_is_named(tmp_path, old, new, message, hint):
    """What is misspelt would be told by the compiler, after a minute, or by nobody."""
    text = (boards_dir() / "nucleo_f446re.toml").read_text(encoding="utf-8")
    text = text.replace('"nucleo_f446re"', '"mine"').replace('aliases = ["nucleo"]\n', "")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert load_board(str(tmp_path / "mine.toml")).id == "mine"
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_board(str(tmp_path / "mine.toml"))

    assert message in caught.value.message and hint in caught.value.hint


def test_a_users_board_may_not_take_the_name_of_one_of_ours(files):
    text = (ROOT / "boards/nucleo_f446re.toml").read_text()
    (files / "nucleo_f446re.toml").write_text(text)

    with pytest.raises(ConfigError, match="which is a board of mcugen's own"):
        load_board(str(files / "nucleo_f446re.toml"))


@pytest.mark.toolchain
def test_the_command_writes_a_board_that_builds_and_is_known_to_later_commands(files):
    """From another folder, with the last build remembered; the image is of the whole firmware."""
    words = ["--pio", "f405.json", "--svd", "F405.svd", "--uart", "USART2", "--tx", "PA2"]
    words += ["--rx", "PA3", "--flash-wait", "30000000:16:64"]
    words += [word for macro in MACROS for word in ("--define", macro)]

    def mcugen(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([COMMAND, *arguments], cwd=files, capture_output=True, text=True)

    made = mcugen("boards", "new", "my_f405.toml", *words, "--json")
    assert made.returncode == 0, made.stderr
    pte = ROOT / "tests/golden/mlperf_tiny/ad_cm_q_m4.pte"
    built = mcugen("build", str(pte), "--board", "my_f405.toml", "--json")
    assert built.returncode == 0, built.stderr
    flashed = mcugen("flash")

    assert json.loads(made.stdout)["board"] == "my_f405"
    assert json.loads(built.stdout)["board"]["id"] == "my_f405"
    assert flashed.returncode == 7
    assert 'no My "Own" F405 (my_f405) is attached' in flashed.stderr
