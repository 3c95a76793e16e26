# SPDX-License-Identifier: BSD-3-Clause
"""The captured graph made ready for the quantizer: one rewrite a module."""
