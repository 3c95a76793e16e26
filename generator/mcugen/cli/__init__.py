# SPDX-License-Identifier: BSD-3-Clause
"""The command line: options in, one call per subcommand, an exit code out.

Nothing heavy is imported until the stage that needs it runs.
"""
