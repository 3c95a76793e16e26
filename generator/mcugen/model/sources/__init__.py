# SPDX-License-Identifier: BSD-3-Clause
"""Where samples are read from: a module per kind. `mcugen.model.data` chooses among them."""
