# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch model in, measured and number-checked Cortex-M firmware out."""

__version__ = "0.1.0"
