// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Proves that the accessors of program_reader.h cannot leave `[data, data + size)`, whichever of
/// them is called on whatever can be reached from the root: every offset, vtable, vector length,
/// alignment and string terminator is checked. Says nothing about meaning: an index into another
/// list is checked by whoever uses it.
///
/// One walk over the file, driven by the schema tables that mcugen.schema_codegen generates.
/// Recursion goes no deeper than the schema (eight tables), and the walk ends after `4 * size`
/// bytes: a file whose offsets share their targets to grow without bounds is refused.
///
/// @param[in] data The FlatBuffer, 8-byte aligned.
/// @param[in] size Its length in bytes.
/// @retval Error::Ok The structure is sound.
/// @retval Error::InvalidArgument `data` is not aligned.
/// @retval Error::InvalidProgram It is not; one log line names the table and the place.
executorch::runtime::Error verify_program(const void* data, size_t size);

}  // namespace mcugen
