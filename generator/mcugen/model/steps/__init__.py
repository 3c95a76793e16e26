# SPDX-License-Identifier: BSD-3-Clause
"""Steps of preprocessing: each a frozen dataclass that turns one sample into one, or several."""
