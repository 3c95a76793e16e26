# SPDX-License-Identifier: BSD-3-Clause
"""The serial protocol of docs/protocol.md, host side.

Three layers, none of which opens anything: framing (COBS + CRC-32), `StreamDemultiplexer` (bytes
in any chunks to text lines and frames, through noise), and `Client` (commands with a deadline
each, over a `Console`). What a reply means is parsed into frozen dataclasses.
"""
