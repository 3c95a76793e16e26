# SPDX-License-Identifier: BSD-3-Clause
"""The serial protocol of docs/protocol.md, host side."""
