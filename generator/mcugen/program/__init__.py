# SPDX-License-Identifier: BSD-3-Clause
"""A `.pte` as data: read, strip, describe, check, plan, and run on the host."""
