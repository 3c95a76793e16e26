# SPDX-License-Identifier: BSD-3-Clause
"""What is said on the link, in words and as data: the fields of each frame by docs/protocol.md."""

from __future__ import annotations

import contextlib
import json
import re
import struct
from typing import Any

from mcugen.device.protocol.faults import decode_cfsr
from mcugen.device.protocol.frames import (
    BAD_FRAME_TYPE,
    REPLY_FLAG,
    STATUS_WORDS,
    Frame,
    FrameType,
    Status,
)
from mcugen.device.protocol.requests import Command
from mcugen.device.protocol.stream import BadFrame, TextLine

_SHOWN_BYTES = 16
_CFSR = re.compile(r"m-fault-cfsr-0x([0-9a-fA-F]{1,8})")

Said = TextLine | Command | Frame | BadFrame


def fields_of(said: Said) -> dict[str, Any]:
    """Return an event as data: `kind` and what belongs to it."""
    if isinstance(said, TextLine):
        return {"kind": "line", "text": said.text}
    if isinstance(said, Command):
        return {"kind": "command", "text": said.text}
    if isinstance(said, BadFrame):
        return {"kind": "bad_frame", "reason": said.reason, "body": said.raw.hex()}
    reply = bool(said.type & REPLY_FLAG)
    kind = said.type & ~REPLY_FLAG
    name = FrameType(kind).name if kind in list(FrameType) else f"0x{kind:02x}"
    found: dict[str, Any] = {"kind": "frame", "type": name, "reply": reply, "seq": said.seq}
    if said.type == BAD_FRAME_TYPE:
        found["type"] = "BAD_FRAME"
    body = said.body
    if reply:
        status = body[0] if body else None
        found["status"] = status
        body = body[1:]
        if status != Status.OK:
            found["message"] = body.decode("utf-8", "replace")
            return found
    with contextlib.suppress(struct.error):  # too short for its type: the body alone
        found |= _reply_fields(kind, body) if reply else _request_fields(kind, body)
    return found | {"body": body.hex()}


def _request_fields(kind: int, body: bytes) -> dict[str, Any]:
    if kind == FrameType.WRITE_INPUT:
        index, offset = struct.unpack_from("<HI", body)
        return {"input": index, "offset": offset, "bytes": len(body) - 6}
    if kind == FrameType.EXECUTE and body:
        return {"first": struct.unpack_from("<H", body)[0]}
    if kind in (FrameType.READ_OUTPUT, FrameType.READ_INPUT):
        index, offset, length = struct.unpack_from("<HIH", body)
        which = "output" if kind == FrameType.READ_OUTPUT else "input"
        return {which: index, "offset": offset, "bytes": length}
    if kind == FrameType.WRITE_MODEL:
        return {"offset": struct.unpack_from("<I", body)[0], "bytes": len(body) - 4}
    if kind == FrameType.LOAD_MODEL:
        size, crc = struct.unpack_from("<II", body)
        return {"bytes": size, "crc32": f"{crc:08x}", "method": body[8:].decode("utf-8", "replace")}
    return {"bytes": len(body)} if body else {}


def _reply_fields(kind: int, body: bytes) -> dict[str, Any]:
    if kind == FrameType.EXECUTE:
        found: dict[str, Any] = {"ticks": struct.unpack_from("<Q", body)[0]}
        if len(body) > 8:
            found["steps"] = (len(body) - 8) // 4
        return found
    return {"bytes": len(body)} if body else {}


def words_of(said: Said) -> str:
    """Return an event as one line for people."""
    if isinstance(said, Command):
        return f"{said.text}%"
    if isinstance(said, BadFrame):
        return f"damaged frame: {said.reason} ({len(said.raw)} B: {_hex(said.raw)})"
    if isinstance(said, TextLine):
        return said.text + _explained(said.text)
    fields = fields_of(said)
    head = f"[{said.seq:3}] {fields['type']}"
    if fields["reply"]:
        status = fields["status"]
        if status is None:
            return f"{head} reply without a status"
        if status != Status.OK:
            known = Status(status) if status in list(Status) else None
            words = STATUS_WORDS[known] if known else f"status {status}"
            return f"{head} {words}" + (f": {fields['message']}" if fields["message"] else "")
        head += " ok"
    shown = [f"{key} {value:,}" for key, value in fields.items() if key in _NUMBERS]
    if "bytes" in fields:
        shown.append(f"{fields['bytes']:,} B")
    if "crc32" in fields:
        shown += [f"CRC-32 {fields['crc32']}", f"method '{fields['method']}'"]
    data = _data(said, fields)
    return head + (f" {', '.join(shown)}" if shown else "") + (f": {_hex(data)}" if data else "")


_NUMBERS = ("input", "output", "offset", "first", "ticks", "steps")
#: What stands in front of the data in the body of a request that carries some.
_HEAD_BYTES = {FrameType.PING: 0, FrameType.WRITE_INPUT: 6, FrameType.WRITE_MODEL: 4}


def _data(frame: Frame, fields: dict[str, Any]) -> bytes:
    kind = frame.type & ~REPLY_FLAG
    if fields["reply"]:
        return b"" if kind == FrameType.EXECUTE else frame.body[1:]
    head = _HEAD_BYTES.get(FrameType(kind)) if kind in list(FrameType) else 0
    return b"" if head is None else frame.body[head:]


def _hex(data: bytes) -> str:
    return data[:_SHOWN_BYTES].hex(" ") + (" …" if len(data) > _SHOWN_BYTES else "")


def _explained(line: str) -> str:
    """Return what a line of the device means where it does not say so itself."""
    if found := _CFSR.fullmatch(line):
        causes = decode_cfsr(int(found[1], 16))
        return f"  ({', '.join(causes)})" if causes else ""
    if line.startswith("m-mcugen-info-"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            info = json.loads(line.removeprefix("m-mcugen-info-"))
            return (
                f"  ({info['model']} on {info['board']}, {info['state']}, "
                f"firmware {info['firmware_id']})"
            )
    return ""
