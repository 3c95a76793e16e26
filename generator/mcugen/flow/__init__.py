# SPDX-License-Identifier: BSD-3-Clause
"""From settings to a report: the stages in order, as the command line and the Python API take them.

Nothing here prints or ends the process: what is said goes to a `Terminal`, errors are raised.
"""
