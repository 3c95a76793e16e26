# SPDX-License-Identifier: BSD-3-Clause
"""The hardware map: what is refused, and what is chosen from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hardware_map
import pytest
from flashed import Flashed

ENTRY = {
    "connected": True,
    "id": "one",
    "platform": "nucleo_f446re",
    "product": "STM32 STLink",
    "runner": "openocd",
    "serial": "/dev/ttyACM0",
    "probe_id": "0674FF",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "map.yml"


def entry(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (ENTRY | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "a hardware map is a list of devices"),
        (["x"], "entry 1: a device is a mapping"),
        ([entry(speed=1)], "entry 1: 'speed' is no key of the schema"),
        ([entry(pre_script="a.sh")], "'pre_script' is not supported here"),
        ([entry(product=None)], "'product' is missing"),
        ([entry(probe_id=674)], "probe_id must be a string: put it in quotes"),
        ([entry(probe_id=None)], r"a real board needs probe_id \(or runner: none\)"),
        ([entry(runner="nrfjprog")], "runner 'nrfjprog' is not one of qemu, none, openocd, pyocd"),
        ([entry(serial=None)], "a real board needs serial"),
        ([entry(fixtures="loop")], "fixtures must be a list of names"),
        ([entry(), entry(probe_id="1", serial="/dev/b")], "id 'one' stands more than once"),
        ([entry(), entry(id="two", serial="/dev/b")], "probe_id '0674FF' stands more than once"),
        ([entry(), entry(id="two", probe_id="1")], "serial '/dev/ttyACM0' stands more than once"),
    ],
)
def test_a_wrong_map_is_named_by_entry_and_key(path, entries, message):
    path.write_text(json.dumps(entries))

    with pytest.raises(ValueError, match=message):
        hardware_map.load(path)


def test_devices_are_chosen_by_board_and_by_all_of_their_fixtures(path):
    other = {"platform": "qemu-m4", "runner": "qemu", "serial": None, "probe_id": None}
    path.write_text(
        json.dumps(
            [
                entry(fixtures=["loop", "sensor"]),
                entry(id="off", connected=False),
                entry(id="sim", fixtures=["loop"], **other),
            ]
        )
    )

    def chosen(*arguments: list[str]) -> list[str]:
        return [device.id for device in hardware_map.choose(path, *arguments)]

    assert chosen() == ["one", "sim"]
    assert chosen(["qemu-m4", "other"]) == ["sim"]
    assert chosen([], ["loop"]) == ["one", "sim"]
    assert chosen([], ["loop", "sensor"]) == ["one"]
    with pytest.raises(
        ValueError, match=r"that is qemu-m4 with fixture sensor; it has one \(nucle"
    ):
        chosen(["qemu-m4"], ["sensor"])


def test_a_real_board_is_named_by_probe_port_and_way(path):
    path.write_text(json.dumps([entry()]))
    (device,) = hardware_map.choose(path)

    target = Flashed(device, path.parent, device.port, None, 1.0, {}).target

    assert target == ("--device", "0674FF", "--port", "/dev/ttyACM0", "--with", "openocd")


def test_the_map_that_comes_with_it_is_right():
    (device,) = hardware_map.choose(Path(hardware_map.__file__).with_name("hardware-map.yml"))

    assert device.simulated and device.platform == "nucleo_f446re"
