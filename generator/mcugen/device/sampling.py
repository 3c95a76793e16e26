# SPDX-License-Identifier: BSD-3-Clause
"""Many samples through a device, which may go away in the middle; results kept as they come."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mcugen.base.errors import DeviceTimeoutError, DisconnectedError, McugenError, ProtocolError
from mcugen.base.files import writing_to
from mcugen.device.inference import Advance, TensorBytes, infer, nothing
from mcugen.device.protocol.client import Client

if TYPE_CHECKING:
    from mcugen.program.artifact import PteArtifact

#: What a lost cable, a reset board or a simulator that has ended look like. A device that answers
#: with an error, or with a fault report, is there.
LOST = (DisconnectedError, DeviceTimeoutError, ProtocolError)
#: A sample at which the device is lost as often is what it is lost of.
MOST_LOSSES_AT_A_SAMPLE = 3
#: Given the error and the sample that was not answered, return a client that is connected anew.
Again = Callable[[McugenError, int], Client]
_CRC_BYTES = 4


class Record:
    """Outputs of samples that a device has run, in a file that outlives this process.

    One line of JSON that says what they are of; then, for each sample, the bytes of its outputs
    behind a CRC-32 of its number and of them. What is damaged, cut or not in its place (two
    commands wrote at once) is not taken, nor what follows it.
    """

    def __init__(self, path: Path, key: str, output_bytes: Sequence[int]) -> None:
        """Open the record of `key`; a file of another one is written anew.

        Args:
            output_bytes: size of each output.

        Raises BuildError if it cannot be written.
        """
        self.path = path
        self._sizes = tuple(output_bytes)
        self._header = json.dumps({"key": key, "output_bytes": self._sizes}).encode() + b"\n"
        self._stack = contextlib.ExitStack()
        with writing_to(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.kept: list[TensorBytes] = self._read()
            self.samples = len(self.kept)
            self._file: IO[bytes] = self._stack.enter_context(path.open("ab"))
            # Behind what was taken: nothing of what was not may stay.
            if self.kept:
                step = _CRC_BYTES + sum(self._sizes)
                self._file.truncate(len(self._header) + self.samples * step)
            else:
                self._file.truncate(0)
                self._file.write(self._header)
                self._file.flush()

    def _read(self) -> list[TensorBytes]:
        data = self.path.read_bytes() if self.path.is_file() else b""
        if not data.startswith(self._header):
            return []
        found: list[TensorBytes] = []
        step = _CRC_BYTES + sum(self._sizes)
        for start in range(len(self._header), len(data) - step + 1, step):
            crc, body = data[start : start + _CRC_BYTES], data[start + _CRC_BYTES : start + step]
            if crc != _crc(len(found), body):
                break
            found.append(self._split(body))
        return found

    def _split(self, body: bytes) -> TensorBytes:
        parts, start = [], 0
        for size in self._sizes:
            parts.append(body[start : start + size])
            start += size
        return tuple(parts)

    def add(self, outputs: TensorBytes) -> None:
        """Append a sample's outputs."""
        body = b"".join(outputs)
        with writing_to(self.path.parent):
            self._file.write(_crc(self.samples, body) + body)
            self._file.flush()
        self.samples += 1

    def close(self, *, remove: bool = False) -> None:
        """Close the file. remove: all has been said that is in it."""
        self._stack.close()
        if remove:
            self.path.unlink(missing_ok=True)


def _crc(sample: int, body: bytes) -> bytes:
    number = sample.to_bytes(8, "little")
    return zlib.crc32(number + body).to_bytes(_CRC_BYTES, "little")


def run_samples(
    client: Client,
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    *,
    record: Record | None = None,
    again: Again | None = None,
    advance: Advance = nothing,
) -> list[TensorBytes]:
    """Return the outputs of each sample.

    Args:
        record: whose samples need not be run; the others are added to it. None for a model that
            keeps state, each of whose outputs hangs on those before.
        again: called when the device is lost, as long as that does not happen at one sample
            MOST_LOSSES_AT_A_SAMPLE times; None: the error is raised. A model that keeps state
            begins with the first sample again.
        advance: called once for each sample.

    Raises DeviceError, DeviceTimeoutError.
    """
    done: list[TensorBytes] = list(record.kept) if record is not None else []
    for _ in done:
        advance()
    reached, losses = len(done), 0
    while len(done) < len(samples):
        try:
            outputs, _ = infer(client, artifact, samples[len(done)])
        except LOST as error:
            losses += 1
            if again is None or losses == MOST_LOSSES_AT_A_SAMPLE:
                raise
            client = again(error, len(done))
            if artifact.keeps_state:
                done.clear()
            continue
        done.append(outputs)
        if record is not None:
            record.add(outputs)
        if len(done) > reached:  # not once more for what is run again
            reached, losses = len(done), 0
            advance()
    return done
