# SPDX-License-Identifier: BSD-3-Clause
"""Real handwritten digits, 8 x 8 pixels."""
