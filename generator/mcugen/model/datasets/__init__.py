# SPDX-License-Identifier: BSD-3-Clause
"""tensorflow-datasets builders that come with mcugen; each makes its data without a download."""
