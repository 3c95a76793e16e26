# SPDX-License-Identifier: BSD-3-Clause
"""mcugen for scripts and notebooks; `import mcugen` hands it out.

The same stages as the command line. Nothing is printed, and errors are raised.
"""
