// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// What ExecuTorch's own libraries do that ours do not, and that a firmware must bear.

namespace stand_in {

/// In libexecutorch_core.a: a text is made with snprintf, from a format that position-independent
/// code finds through the global offset table.
/// @returns whether the text is right.
bool text_is_made();

/// In libkernels_util_all_deps.a: malloc is called, and refuses.
/// @returns whether it did, with ENOMEM.
bool heap_refuses();

/// In libkernels_util_all_deps.a: a frame of 3,484 bytes, as `_clone_dim_order` has at -O3.
/// @returns whether its bytes keep what is written to them.
bool large_frame_holds();

inline bool traits_hold() { return text_is_made() && heap_refuses() && large_frame_holds(); }

}  // namespace stand_in
