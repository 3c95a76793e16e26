# SPDX-License-Identifier: BSD-3-Clause
"""What devices measured, kept and compared: one document for each run and device."""
