# SPDX-License-Identifier: BSD-3-Clause
"""Results as JSON documents and as text: what was built, what was measured, how much is used.

A document's sections are the same in every command that has them: `mcugen.report/1` of `run` has
all, `bench` and `verify` and `build` some. Counts on QEMU are called instructions everywhere; they
are never turned into a time.
"""
