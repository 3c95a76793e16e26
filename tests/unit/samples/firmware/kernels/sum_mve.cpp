// SPDX-License-Identifier: BSD-3-Clause
#if !defined(__ARM_FEATURE_MVE)
#error "copied only where the core has Helium"
#endif
