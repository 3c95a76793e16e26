# SPDX-License-Identifier: BSD-3-Clause
"""Datasets that mcugen knows: one as a tensorflow-datasets builder, others read from packages."""
