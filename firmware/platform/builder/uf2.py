# SPDX-License-Identifier: BSD-3-Clause
"""An ELF file as UF2, copied to the volume that a boot loader shows; a program of its own.

The format: https://github.com/microsoft/uf2. RP2040 datasheet 2.8.4.2, RP2350 datasheet 5.5.3:
payloads of 256 bytes, and the boot loader restarts the chip behind the last block.
"""

import argparse
import os
import shutil
import string
import struct
import sys
import time

BLOCK_BYTES = 512
PAYLOAD_BYTES = 256
MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
FLAG_FAMILY = 0x2000
INFO_NAME = "INFO_UF2.TXT"
PT_LOAD = 1
GONE_AFTER_S = 20.0


class Uf2Error(Exception):
    """What went wrong, in words."""


def segments(elf):
    """Return (address in flash, bytes) of each loaded segment of a 32-bit little-endian ELF."""
    if elf[:7] != b"\x7fELF\x01\x01\x01":
        raise Uf2Error("not a 32-bit little-endian ELF file")
    offset, (size, count) = struct.unpack_from("<I", elf, 28)[0], struct.unpack_from("<HH", elf, 42)
    found = []
    for number in range(count):
        kind, start, _, address, length, *_ = struct.unpack_from("<8I", elf, offset + number * size)
        if kind == PT_LOAD and length:
            found.append((address, elf[start : start + length]))
    return found


def from_elf(elf, family):
    """Return the UF2 file: pages of 256 bytes, gaps within a page filled with 0."""
    pages = {}
    for address, data in segments(elf):
        for offset, byte in enumerate(data):
            base, at = divmod(address + offset, PAYLOAD_BYTES)
            pages.setdefault(base, bytearray(PAYLOAD_BYTES))[at] = byte
    blocks = []
    for number, base in enumerate(sorted(pages)):
        head = struct.pack(
            "<8I",
            *(MAGIC[0], MAGIC[1], FLAG_FAMILY, base * PAYLOAD_BYTES, PAYLOAD_BYTES),
            *(number, len(pages), family),
        )
        block = head + bytes(pages[base])
        blocks.append(block.ljust(BLOCK_BYTES - 4, b"\0") + struct.pack("<I", MAGIC[2]))
    return b"".join(blocks)


def mounted():
    """Return the folders at which volumes may be mounted."""
    override = os.environ.get("MCUGEN_UF2_VOLUMES")
    if override is not None:
        return [path for path in override.split(os.pathsep) if path]
    if os.name == "nt":
        return [f"{letter}:\\" for letter in string.ascii_uppercase]
    if sys.platform == "darwin":
        return [os.path.join("/Volumes", name) for name in sorted(os.listdir("/Volumes"))]
    try:
        with open("/proc/mounts", encoding="utf-8") as file:
            # Spaces are written as \040 there.
            points = [line.split()[1].encode().decode("unicode_escape") for line in file]
    except OSError:
        return []
    return sorted(points)


def volumes(board_id=None):
    """Return (folder, Board-ID) of the boot loaders' volumes; of one kind of board only if asked.

    A Board-ID begins with what is asked for: "RPI-RP2" is the whole of it on an RP2040.
    """
    found = []
    for folder in mounted():
        try:
            path = os.path.join(folder, INFO_NAME)
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(4096)
        except OSError:
            continue
        for line in text.splitlines():
            key, colon, value = line.partition(":")
            if colon and key.strip() == "Board-ID":
                if board_id is None or value.strip() == board_id:
                    found.append((folder, value.strip()))
                break
    return found


def choose(board_id):
    """Return the folder of the one volume there is."""
    found = volumes(board_id)
    if len(found) == 1:
        return found[0][0]
    if not found:
        others = "; ".join(f"{folder} is a {name}" for folder, name in volumes())
        raise Uf2Error(
            f"no volume of a {board_id} is mounted"
            + (f" ({others})" if others else "")
            + ". Hold BOOTSEL while you plug the board in, and let the system mount the volume."
        )
    raise Uf2Error(
        f"{len(found)} volumes of a {board_id} are mounted: "
        + ", ".join(folder for folder, _ in found)
        + ". Choose one with --volume."
    )


def copy(image, folder, gone_after_s=GONE_AFTER_S):
    """Write the image to a volume and wait until that is gone: the board has restarted then."""
    info = os.path.join(folder, INFO_NAME)
    if not os.path.isfile(info):
        raise Uf2Error(f"{folder} holds no {INFO_NAME}: it is not a boot loader's volume")
    free = shutil.disk_usage(folder).free
    if free < len(image):
        raise Uf2Error(f"{folder} takes {free:,} B; the image has {len(image):,} B")
    written = 0
    try:
        with open(os.path.join(folder, "mcugen.uf2"), "wb") as file:
            for start in range(0, len(image), 64 * BLOCK_BYTES):
                written += file.write(image[start : start + 64 * BLOCK_BYTES])
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # The boot loader takes its volume away once it has the last block, which is a success.
        if written < len(image) or os.path.isfile(info):
            raise Uf2Error(
                f"{folder}: writing ended after {written:,} of {len(image):,} B: {error}. "
                "The board still has its boot loader: plug it in with BOOTSEL held and try again."
            ) from None
    deadline = time.monotonic() + gone_after_s
    while os.path.isfile(info):
        if time.monotonic() > deadline:
            raise Uf2Error(
                f"{folder} is still there {gone_after_s:.0f} s after {len(image):,} B were "
                "written: the boot loader has not taken the image (is it for this chip?)"
            )
        time.sleep(0.05)


def main(argv=None):
    """Convert, copy, wait; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--elf", required=True)
    parser.add_argument("--family", type=lambda text: int(text, 0), required=True)
    parser.add_argument("--board-id", required=True, help="Board-ID in INFO_UF2.TXT")
    parser.add_argument("--volume", help="where it is mounted (default: the only one there is)")
    parser.add_argument("--output", help="write the UF2 file there instead of onto a board")
    parser.add_argument("--gone-after", type=float, default=GONE_AFTER_S, metavar="SECONDS")
    arguments = parser.parse_args(argv)
    try:
        with open(arguments.elf, "rb") as file:
            image = from_elf(file.read(), arguments.family)
        if arguments.output:
            with open(arguments.output, "wb") as file:
                file.write(image)
            return 0
        folder = arguments.volume or choose(arguments.board_id)
        copy(image, folder, arguments.gone_after)
    except (Uf2Error, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(f"{len(image):,} B were written to {folder}; the board has restarted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
