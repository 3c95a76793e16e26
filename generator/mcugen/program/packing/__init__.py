# SPDX-License-Identifier: BSD-3-Clause
"""Rewrites of a program, ahead of time, to what our kernels read fastest; no output byte changes.

Each module is one rewrite and can be left out. What it makes are operators of our own namespace
(`mcugen::…`) or the standard ones with other constants; a call that does not meet a rewrite's
conditions stays as it is. The host reference of the program as it was before is the oracle.
"""
