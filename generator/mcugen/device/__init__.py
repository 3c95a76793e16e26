# SPDX-License-Identifier: BSD-3-Clause
"""What is attached or simulated: find, flash, talk to, measure."""
