// SPDX-License-Identifier: BSD-3-Clause
#include <app/crc32.h>
#include <app/frame.h>

namespace mcugen {

// COBS (Cheshire and Baker, 1999): a block is a code byte n and n - 1 bytes that are not 0; it
// stands for these bytes and a 0 after them. No 0 follows a block with n = 255, nor the last one.
constexpr uint8_t kFullBlock = 0xFF;

void FrameDecoder::start() {
  size_ = 0;
  code_ = 0;
  remaining_ = 0;
  too_long_ = false;
}

void FrameDecoder::append(uint8_t byte) {
  if (size_ == kFrameMaxBytes) {
    too_long_ = true;
  } else {
    data_[size_++] = byte;
  }
}

FrameDecoder::Event FrameDecoder::feed(uint8_t byte) {
  if (byte != 0) {
    if (remaining_ != 0) {
      append(byte);
      --remaining_;
      return Event::kNone;
    }
    if (code_ != 0 && code_ != kFullBlock) {
      append(0);  // of the block before
    }
    code_ = byte;
    remaining_ = static_cast<uint8_t>(byte - 1);
    return Event::kNone;
  }
  if (code_ == 0) {
    return Event::kNone;  // two zeros in a row
  }
  if (too_long_) {
    return Event::kTooLong;
  }
  if (remaining_ != 0 || size_ < kFrameHeaderBytes + kFrameCrcBytes) {
    return Event::kBadCobs;
  }
  // A CRC appended in little-endian order brings the register to a constant; comparing is clearer.
  const uint8_t* crc = data_ + size_ - kFrameCrcBytes;
  const uint32_t expected = static_cast<uint32_t>(crc[0]) | static_cast<uint32_t>(crc[1]) << 8 |
                            static_cast<uint32_t>(crc[2]) << 16 |
                            static_cast<uint32_t>(crc[3]) << 24;
  return crc32(data_, size_ - kFrameCrcBytes) == expected ? Event::kFrame : Event::kBadCrc;
}

void frame_send(uint8_t* data, size_t bytes, void (*write)(uint8_t byte)) {
  const uint32_t crc = crc32(data, bytes);
  for (size_t i = 0; i < kFrameCrcBytes; ++i) {
    data[bytes + i] = static_cast<uint8_t>(crc >> (8 * i));
  }
  const size_t total = bytes + kFrameCrcBytes;

  write(0);
  size_t begin = 0;
  for (;;) {
    size_t end = begin;
    while (end < total && end - begin < kFullBlock - 1u && data[end] != 0) {
      ++end;
    }
    const size_t length = end - begin;
    write(static_cast<uint8_t>(length + 1));
    for (; begin < end; ++begin) {
      write(data[begin]);
    }
    if (end == total) {
      break;  // also right after a full block: nothing more to say
    }
    if (length < kFullBlock - 1u) {
      ++begin;  // the 0 that the block stands for; it may be the very last byte
    }
  }
  write(0);
}

}  // namespace mcugen
