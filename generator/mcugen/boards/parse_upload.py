# SPDX-License-Identifier: BSD-3-Clause
"""The tables [probe] and [upload] of a board file."""

from __future__ import annotations

import re

from mcugen.boards.table import Table, did_you_mean
from mcugen.boards.upload import PROBE_WAYS, WAYS, Bossac, Dfu, Probe, Uf2, Upload, UsbIds


def parse_probe(table: Table | None) -> Probe | None:
    """Return what [probe] says. Raises ConfigError."""
    if table is None:
        return None
    probe = Probe(
        kind=table.get("kind", str),
        usb_ids=parse_usb_ids(table, "usb_ids", "probe.usb_ids"),
        openocd_args=table.strings("openocd_args"),
        console_port=table.get("console_port", int) if "console_port" in table else None,
    )
    table.close()
    return probe


def parse_upload(table: Table | None, probe: Probe | None, top: Table) -> Upload | None:
    """Return the ways onto a board; None if it has neither [upload] nor [probe].

    Raises ConfigError: a way that does not exist, or lacks what it needs.
    """
    if table is None:
        return None if probe is None else Upload(ways=("openocd",))
    ways = table.strings("ways")
    if not ways:
        raise table.error(f"'upload.ways' must name one way or more of {', '.join(WAYS)}")
    for way in ways:
        if way not in WAYS:
            raise table.error(
                f"'upload.ways': there is no way '{way}'; ways: {', '.join(WAYS)}",
                hint=did_you_mean(way, WAYS),
            )
        if ways.count(way) > 1:
            raise table.error(f"'upload.ways' names '{way}' twice")
        if way in PROBE_WAYS and probe is None:
            raise table.error(f"'upload.ways': '{way}' needs a [probe] table")
    if "openocd" in ways and probe is not None and not probe.openocd_args:
        raise top.error("'upload.ways' names openocd, which needs 'probe.openocd_args'")
    rows = {way: table.table(way, optional=way not in ways) for way in WAYS if way != "openocd"}
    for way, row in rows.items():
        if row is not None and way not in ways:
            raise table.error(f"[upload.{way}] is there, but 'upload.ways' does not name it")
    pyocd, jlink, serial = rows["pyocd"], rows["jlink"], rows["stm32flash"]
    upload = Upload(
        ways=ways,
        pyocd_target=pyocd.get("target", str) if pyocd else None,
        jlink_device=jlink.get("device", str) if jlink else None,
        jlink_speed_khz=jlink.get("speed_khz", int, 4000) if jlink else 4000,
        uf2=_uf2(rows["uf2"]),
        bossac=_bossac(rows["bossac"]),
        dfu=_dfu(rows["dfu"]),
        stm32flash_baud=serial.positive("baud") if serial else None,
    )
    for row in (*rows.values(), table):
        if row is not None:
            row.close()
    return upload


def _uf2(table: Table | None) -> Uf2 | None:
    if table is None:
        return None
    return Uf2(
        family=table.unsigned("family"),
        board_id=table.get("board_id", str),
        usb_ids=parse_usb_ids(table, "usb_ids", "upload.uf2.usb_ids"),
    )


def _bossac(table: Table | None) -> Bossac | None:
    if table is None:
        return None
    return Bossac(
        usb_ids=parse_usb_ids(table, "usb_ids", "upload.bossac.usb_ids"),
        touch_usb_ids=parse_usb_ids(table, "touch_usb_ids", "upload.bossac.touch_usb_ids"),
        offset=table.unsigned("offset"),
    )


def _dfu(table: Table | None) -> Dfu | None:
    if table is None:
        return None
    return Dfu(
        usb_ids=parse_usb_ids(table, "usb_ids", "upload.dfu.usb_ids"), alt=table.unsigned("alt")
    )


def parse_usb_ids(table: Table, key: str, full_key: str) -> UsbIds:
    ids = []
    for text in table.strings(key):
        match = re.fullmatch(r"([0-9a-f]{4}):([0-9a-f]{4})", text)
        if match is None:
            raise table.error(f"'{full_key}': {text!r} is not \"vid:pid\" in lower-case hex")
        ids.append((int(match[1], 16), int(match[2], 16)))
    return tuple(ids)
