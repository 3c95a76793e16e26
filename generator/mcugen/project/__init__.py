# SPDX-License-Identifier: BSD-3-Clause
"""What is generated and built: a PlatformIO project, its image."""
