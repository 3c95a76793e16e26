# SPDX-License-Identifier: BSD-3-Clause
"""One inference as a simulated machine executed it: block by block, call by call.

The image is the one that a board would get. QEMU's log names each translation block (a straight run
of instructions) that is executed; `machine` starts and reads such a log, `log` takes it apart,
`code` knows what the blocks hold, `calls` says which operator call each belongs to, and `cycles`
estimates what a core would take for them.
"""
