# SPDX-License-Identifier: BSD-3-Clause
"""`--runtime PREFIX`: link an Arm build of ExecuTorch itself instead of firmware/runtime and ops.

Operators of our own that the model calls come along with their kernels.

docs/upstream.md says what PREFIX must hold, and how the project differs.
"""
