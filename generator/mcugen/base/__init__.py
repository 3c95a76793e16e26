# SPDX-License-Identifier: BSD-3-Clause
"""What every room may use: errors, results kept between runs, tools and files of this machine."""
