# SPDX-License-Identifier: BSD-3-Clause
"""Run a `.pte` on the host: what the device must compute, byte for byte."""
