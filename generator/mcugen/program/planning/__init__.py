# SPDX-License-Identifier: BSD-3-Clause
"""Where each tensor of a program lies in planned memory, planned anew for this class of machine."""
