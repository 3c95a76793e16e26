// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// CRC-32/ISO-HDLC (zlib's crc32): polynomial 0x04C11DB7 reflected, initial and final complement.
/// Four instructions a byte; 1 KB of table.
/// @param[in] data `bytes` bytes.
/// @param[in] bytes May be 0.
/// @param[in] crc Result for the bytes before these, 0 at the start.
/// @returns the CRC of everything so far.
uint32_t crc32(const uint8_t* data, size_t bytes, uint32_t crc = 0);

}  // namespace mcugen
