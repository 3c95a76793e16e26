# SPDX-License-Identifier: BSD-3-Clause
"""One module per subcommand: `command` is what typer calls; its document is made beside it.

Nothing heavy is imported until a command runs.
"""
