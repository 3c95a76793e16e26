# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen bench --suite`: the MLPerf Tiny workloads on simulated cores, beside others' figures.

`published.json` and `goals.json` hold what the figures are compared with, each with its source.
"""
