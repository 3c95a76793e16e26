# SPDX-License-Identifier: BSD-3-Clause
"""Where models and their data come from."""
