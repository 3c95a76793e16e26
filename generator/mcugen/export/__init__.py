# SPDX-License-Identifier: BSD-3-Clause
"""From a PyTorch module to a `.pte`. Imports torch where it works."""
