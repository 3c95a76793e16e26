# SPDX-License-Identifier: BSD-3-Clause
"""ExecuTorch's Cortex-M passes, mended."""
