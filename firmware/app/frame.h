// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Binary frames (docs/protocol.md, "Frames"): 0x00, COBS(type, seq, body, CRC-32 little-endian),
/// 0x00.

constexpr size_t kFrameMaxBody = 512;
constexpr size_t kFrameHeaderBytes = 2;  // type, seq
constexpr size_t kFrameCrcBytes = 4;
constexpr size_t kFrameMaxBytes = kFrameHeaderBytes + kFrameMaxBody + kFrameCrcBytes;

/// Undoes the byte stuffing as bytes come in, and checks the CRC at the end. Its buffer also
/// serves to build the reply: a frame that has been answered is not needed any more.
class FrameDecoder {
 public:
  enum class Event : uint8_t {
    kNone,     ///< In the middle of a frame, or between two zeros.
    kFrame,    ///< A frame with a right CRC is complete: `data()`, `body_bytes()`.
    kBadCobs,  ///< A frame ended in the middle of a COBS block, or is too short.
    kBadCrc,   ///< A frame's CRC is wrong.
    kTooLong,  ///< A frame ended that has more than kFrameMaxBytes bytes.
  };

  /// Begin a frame: the byte fed next is the first after the opening 0x00.
  void start();

  /// Take one byte. 0x00 ends the frame and gives something other than kNone, except directly
  /// after the opening 0x00.
  Event feed(uint8_t byte);

  /// @returns the whole decoded frame: type, seq, body. kFrameMaxBytes bytes, may be written to.
  uint8_t* data() { return data_; }
  uint8_t type() const { return data_[0]; }
  uint8_t seq() const { return data_[1]; }
  const uint8_t* body() const { return data_ + kFrameHeaderBytes; }
  /// @returns the size of the body after kFrame.
  size_t body_bytes() const { return size_ - kFrameHeaderBytes - kFrameCrcBytes; }

 private:
  void append(uint8_t byte);

  uint8_t data_[kFrameMaxBytes] = {};
  uint16_t size_ = 0;
  uint8_t code_ = 0;       // code byte of the current COBS block; 0 before the first
  uint8_t remaining_ = 0;  // data bytes it still announces
  bool too_long_ = false;
};

/// Send one frame.
/// @param[in,out] data type, seq, body, and room for kFrameCrcBytes more bytes, which are filled
/// in.
/// @param[in] bytes Size of type, seq and body.
/// @param[in] write Takes the bytes of the frame one by one, both zeros included.
void frame_send(uint8_t* data, size_t bytes, void (*write)(uint8_t byte));

}  // namespace mcugen
