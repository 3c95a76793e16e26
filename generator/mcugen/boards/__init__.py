# SPDX-License-Identifier: BSD-3-Clause
"""Board files (boards/*.toml) to `BoardSpec`."""
