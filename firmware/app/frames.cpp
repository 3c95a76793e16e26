// SPDX-License-Identifier: BSD-3-Clause
#include <app/commands.h>
#include <app/frame.h>
#include <app/frames.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/text_writer.h>
#include <port/console.h>

#include <cstring>

namespace mcugen {
namespace {

enum class Status : uint8_t {
  kOk = 0,
  kBadFrame = 1,
  kUnknownType = 2,
  kBadArgument = 3,
  kNotReady = 4,
  kExecuteFailed = 5,
  // 6, load failed: the runner's (runner/model_store.cpp)
};

enum FrameType : uint8_t {
  kPing = 0x01,
  kWriteInput = 0x02,
  kExecute = 0x03,
  kReadOutput = 0x04,
  kReadInput = 0x05,
  kReplyBit = 0x80,
  kBadFrameReply = 0xFF,
};

FrameDecoder g_frame;
bool g_in_frame;

void write_byte(uint8_t byte) { console_write(byte); }

uint32_t little_endian(const uint8_t* data, size_t bytes) {
  uint32_t value = 0;
  for (size_t i = bytes; i > 0; --i) {
    value = value << 8 | data[i - 1];
  }
  return value;
}

// The reply is built where the request lies: `payload_bytes` bytes are already behind the status.
void reply(uint8_t type, Status status, size_t payload_bytes) {
  uint8_t* data = g_frame.data();
  data[0] = type;
  data[kFrameHeaderBytes] = static_cast<uint8_t>(status);
  frame_send(data, kFrameHeaderBytes + 1 + payload_bytes, write_byte);
}

uint8_t* reply_payload() { return g_frame.data() + kFrameHeaderBytes + 1; }
constexpr size_t kMaxPayload = kFrameMaxBody - 1;

void reply_text(uint8_t type, Status status, const char* text) {
  TextBuffer buffer(reinterpret_cast<char*>(reply_payload()), kMaxPayload);
  buffer.writer().text(text);
  reply(type, status, buffer.size());
}

void reply_model_error(uint8_t type, Status status) {
  TextBuffer buffer(reinterpret_cast<char*>(reply_payload()), kMaxPayload);
  model_describe_error(buffer.writer());
  reply(type, status, buffer.size());
}

constexpr const char kNoSuchTensor[] = "no such tensor";
constexpr const char kOutOfRange[] = "out of range";

void frame_ping(uint8_t type, size_t bytes) {
  if (bytes > kMaxPayload) {
    reply_text(type, Status::kBadArgument, kOutOfRange);
    return;
  }
  for (size_t i = bytes; i > 0; --i) {
    reply_payload()[i - 1] = g_frame.body()[i - 1];  // one further on: from the end
  }
  reply(type, Status::kOk, bytes);
}

void frame_write_input(uint8_t type, size_t bytes) {
  constexpr size_t kHeader = 6;  // input u16, offset u32
  const uint8_t* body = g_frame.body();
  TensorBytes input;
  if (bytes < kHeader || !model_input(little_endian(body, 2), &input)) {
    reply_text(type, Status::kBadArgument, kNoSuchTensor);
    return;
  }
  const size_t offset = little_endian(body + 2, 4);
  const size_t count = bytes - kHeader;
  if (offset > input.bytes || count > input.bytes - offset) {
    reply_text(type, Status::kBadArgument, kOutOfRange);
    return;
  }
  std::memcpy(input.data + offset, body + kHeader, count);
  reply(type, Status::kOk, 0);
}

void frame_read(uint8_t type, size_t bytes, bool (*get)(size_t, TensorBytes*)) {
  constexpr size_t kBytes = 8;  // index u16, offset u32, length u16
  const uint8_t* body = g_frame.body();
  TensorBytes tensor;
  if (bytes != kBytes || !get(little_endian(body, 2), &tensor)) {
    reply_text(type, Status::kBadArgument, kNoSuchTensor);
    return;
  }
  const size_t offset = little_endian(body + 2, 4);
  const size_t count = little_endian(body + 6, 2);
  if (count > kMaxPayload || offset > tensor.bytes || count > tensor.bytes - offset) {
    reply_text(type, Status::kBadArgument, kOutOfRange);
    return;
  }
  std::memcpy(reply_payload(), tensor.data + offset, count);
  reply(type, Status::kOk, count);
}

void frame_execute(uint8_t type, size_t bytes) {
  constexpr size_t kFirst = 2;  // instruction u16
  if (bytes != 0 && bytes != kFirst) {
    reply_text(type, Status::kBadArgument, kOutOfRange);
    return;
  }
  uint64_t ticks;
  // Each instruction's ticks follow those of all in the reply, where the request lies no longer.
  StepTicks steps{little_endian(g_frame.body(), bytes), reply_payload() + sizeof(ticks),
                  (kMaxPayload - sizeof(ticks)) / sizeof(uint32_t), 0};
  if (bytes == 0 ? !model_execute(&ticks) : !model_execute_steps(&ticks, &steps)) {
    reply_model_error(type, Status::kExecuteFailed);
    return;
  }
  for (size_t i = 0; i < sizeof(ticks); ++i) {
    reply_payload()[i] = static_cast<uint8_t>(ticks >> (8 * i));
  }
  reply(type, Status::kOk, sizeof(ticks) + steps.count * sizeof(uint32_t));
}

void frame_of_store(uint8_t answer, uint8_t type, size_t bytes) {
  StoreAnswer of_store;
  if (!model_store_frame(type, g_frame.body(), bytes, &of_store)) {
    reply_text(answer, Status::kUnknownType, "unknown frame type");
    return;
  }
  commands_forget_input();
  const Status status = static_cast<Status>(of_store.status);
  if (of_store.text != nullptr) {
    reply_text(answer, status, of_store.text);
  } else {
    reply_model_error(answer, status);
  }
}

void run_frame() {
  const uint8_t type = g_frame.type();
  const size_t bytes = g_frame.body_bytes();
  const uint8_t answer = type | kReplyBit;
  const bool needs_model = type >= kWriteInput && type <= kReadInput;
  if (needs_model && !model_ready()) {
    reply_model_error(answer, Status::kNotReady);
    return;
  }
  switch (type) {
    case kPing:
      frame_ping(answer, bytes);
      break;
    case kWriteInput:
      frame_write_input(answer, bytes);
      break;
    case kExecute:
      frame_execute(answer, bytes);
      break;
    case kReadOutput:
      if (!model_has_result()) {
        reply_text(answer, Status::kNotReady, "no result yet");
        break;
      }
      frame_read(answer, bytes, model_output);
      break;
    case kReadInput:
      frame_read(answer, bytes, model_input);
      break;
    default:
      frame_of_store(answer, type, bytes);
      break;
  }
}

void handle_frame(FrameDecoder::Event event) {
  const char* problem = nullptr;
  switch (event) {
    case FrameDecoder::Event::kNone:
      return;
    case FrameDecoder::Event::kFrame:
      break;
    case FrameDecoder::Event::kBadCobs:
      problem = "bad COBS";
      break;
    case FrameDecoder::Event::kBadCrc:
      problem = "bad CRC";
      break;
    case FrameDecoder::Event::kTooLong:
      problem = "frame too long";
      break;
  }
  g_in_frame = false;
  const uint32_t lost = console_take_lost();
  if (problem == nullptr) {
    run_frame();
    return;
  }
  if (lost != 0) {
    problem = "receive overrun";
  }
  g_frame.data()[1] = 0;  // whatever came as seq is not to be trusted
  reply_text(kBadFrameReply, Status::kBadFrame, problem);
}

}  // namespace

void frames_start() {
  g_frame.start();
  g_in_frame = true;
}

void frames_feed(uint8_t byte) { handle_frame(g_frame.feed(byte)); }

bool frames_active() { return g_in_frame; }

void frames_abort() { g_in_frame = false; }

}  // namespace mcugen
