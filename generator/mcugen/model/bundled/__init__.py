# SPDX-License-Identifier: BSD-3-Clause
"""The models that come with mcugen. Importing this package does not import torch."""
