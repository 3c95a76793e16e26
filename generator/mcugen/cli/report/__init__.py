# SPDX-License-Identifier: BSD-3-Clause
"""Results as JSON documents and as text."""
