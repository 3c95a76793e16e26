// SPDX-License-Identifier: BSD-3-Clause
#include <app/console_writer.h>
#include <app/frame.h>
#include <app/line_parser.h>
#include <app/log.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/results.h>
#include <app/server.h>
#include <port/board.h>
#include <port/console.h>
#include <port/cycle_counter.h>
#include <port/panic.h>
#include <port/stack.h>

#include <cstring>

namespace mcugen {
namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr uint64_t kFrameTimeoutUs = 500000;  // silence that ends a frame
constexpr size_t kMaxTokens = 4;              // "infer N W" and one too many
constexpr int32_t kDefaultIterations = 1;
constexpr int32_t kDefaultWarmups = 10;
constexpr size_t kBufferBytesPerLine = 8;
constexpr int8_t kDtypeInt8 = 1;  // executorch::aten::ScalarType::Char

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

LineParser g_line;
FrameDecoder g_frame;
bool g_in_frame;
uint64_t g_last_frame_byte;  // uptime_us(): the cycle counter may stop while the core sleeps
// `db`: bytes announced by `db load`, and how many of them have come. They go to input 0.
size_t g_db_expected;
size_t g_db_received;
bool g_db_started;

void write_byte(uint8_t byte) { console_write(byte); }

void line(const char* text) {
  TextWriter& out = console_writer();
  out.text(text);
  out.text("\r\n");
}

void line(const char* prefix, uint64_t number) {
  console_writer().text(prefix);
  console_writer().decimal(number);
  line("");
}

/// `before` and the text between brackets: most replies.
void line(const char* before, const char* inside) {
  TextWriter& out = console_writer();
  out.text(before);
  out.character('[');
  out.text(inside);
  line("]");
}

void error(const char* what, const char* detail = "") {
  TextWriter& out = console_writer();
  out.text("e-[");
  out.text(what);
  out.text(detail);
  line("]");
}

void model_error(const char* what) {
  TextWriter& out = console_writer();
  out.text("e-[");
  out.text(what);
  model_describe_error(out);
  line("]");
}

bool require_ready() {
  if (!model_ready()) {
    model_error("Not ready: ");
    return false;
  }
  return true;
}

// ---- Text commands ----

const char* clock_source_name() {
  switch (board_clock_source()) {
    case ClockSource::kPll:
      return "pll";
    case ClockSource::kHse:
      return "hse";
    case ClockSource::kHsi:
      return "hsi";
    case ClockSource::kFixed:
      break;
  }
  return "fixed";
}

const char* counter_name() {
  switch (cycle_counter_kind()) {
    case CounterKind::kDwt:
      return "dwt";
    case CounterKind::kSystick:
      return "systick";
    case CounterKind::kNone:
      break;
  }
  return "none";
}

void json_key(const char* key) {
  TextWriter& out = console_writer();
  out.text(",\"");
  out.text(key);
  out.text("\":");
}

void json_field(const char* key, const char* value) {
  json_key(key);
  console_writer().json_string(value);
}

void json_field(const char* key, uint64_t value) {
  json_key(key);
  console_writer().decimal(value);
}

void json_pair(uint64_t first, uint64_t second) {
  TextWriter& out = console_writer();
  out.character('[');
  out.decimal(first);
  out.character(',');
  out.decimal(second);
  out.character(']');
}

void json_tensors(const char* key, bool (*get)(size_t, TensorBytes*)) {
  TextWriter& out = console_writer();
  json_key(key);
  out.character('[');
  TensorBytes tensor;
  for (size_t i = 0; get(i, &tensor); ++i) {
    if (i != 0) {
      out.character(',');
    }
    json_pair(static_cast<uint64_t>(tensor.dtype), tensor.bytes);
  }
  out.character(']');
}

void json_error() {
  TextWriter& out = console_writer();
  json_key("error");
  if (model_ready()) {
    out.text("null");
    return;
  }
  char text[200];
  TextBuffer buffer(text, sizeof(text) - 1);
  model_describe_error(buffer.writer());
  text[buffer.size()] = '\0';
  out.json_string(text);
}

void command_info() {
  TextWriter& out = console_writer();
  const MemoryUse memory = model_memory();
  out.text("m-mcugen-info-{\"protocol\":");
  out.decimal(kProtocolVersion);
  json_field("firmware_id", model_config().firmware_id);
  json_field("board", kBoardConfig.id);
  json_field("model", model_config().model_name);
  json_field("pte_sha256", model_config().pte_sha256);
  json_field("pte_bytes", model_config().pte_bytes);
  json_field("method", model_config().method_name);
  json_field("clock_hz", board_clock_hz());
  json_field("clock_source", clock_source_name());
  json_field("counter", counter_name());
  json_field("counter_hz", cycle_counter_hz());
  json_field("empty_ticks", cycle_counter_empty());
  json_field("state", model_ready() ? "ready" : model_store_empty() ? "empty" : "error");
  json_error();
  json_key("memory");
  out.text("{\"planned\":");
  json_pair(memory.planned.used, memory.planned.total);
  json_key("method");
  json_pair(memory.method.used, memory.method.total);
  json_key("temp");
  json_pair(memory.temp.used, memory.temp.total);
  json_key("io");
  json_pair(memory.io.used, memory.io.total);
  json_key("stack");
  json_pair(stack_peak_bytes(), stack_total_bytes());
  out.character('}');
  json_tensors("inputs", model_input);
  json_tensors("outputs", model_output);
  model_store_info(out);
  if (board_reset_cause() != nullptr) {
    json_field("reset", board_reset_cause());
  }
  line("}");
}

void command_help() {
  line("m-help-[name timestamp profile infer results db load|print mcugen info]");
}

void lap() { line("m-lap-us-", uptime_us()); }

void command_results() {
  TensorBytes output;
  if (!require_ready()) {
    return;
  }
  if (!model_has_result() || !model_output(0, &output)) {
    error("No result yet");
    return;
  }
  if (!results_supported(output)) {
    error("Output 0 has no numbers");
    return;
  }
  console_writer().text("m-results-[");
  results_write(console_writer(), output);
  line("]");
}

bool execute_many(int32_t times) {
  for (int32_t i = 0; i < times; ++i) {
    uint64_t ticks;
    if (!model_execute(&ticks)) {
      model_error("Inference failed: ");
      return false;
    }
  }
  return true;
}

void command_infer(const char* iterations_token, const char* warmups_token) {
  int32_t iterations = kDefaultIterations;
  int32_t warmups = kDefaultWarmups;
  if (iterations_token != nullptr && !parse_decimal(iterations_token, &iterations)) {
    error("Invalid number: ", iterations_token);
    return;
  }
  if (warmups_token != nullptr && !parse_decimal(warmups_token, &warmups)) {
    error("Invalid number: ", warmups_token);
    return;
  }
  if (iterations <= 0) {
    error("Inference iterations must be >0");
    return;
  }
  if (warmups < 0) {
    error("Inference warmup must be >=0");
    return;
  }
  if (!require_ready()) {
    return;
  }
  line("m-warmup-start-", static_cast<uint64_t>(warmups));
  if (!execute_many(warmups)) {
    return;
  }
  line("m-warmup-done");
  line("m-infer-start-", static_cast<uint64_t>(iterations));
  lap();
  if (!execute_many(iterations)) {
    return;
  }
  lap();
  line("m-infer-done");
  command_results();
}

// The runner sends images as unsigned bytes; an int8 model's input is the same shifted by 128.
uint8_t db_flip(const TensorBytes& input) {
  const bool image = std::strcmp(model_config().profile_model, "ic01") == 0 ||
                     std::strcmp(model_config().profile_model, "vww01") == 0;
  return image && input.dtype == kDtypeInt8 ? 0x80 : 0;
}

void command_db_load(const char* count_token, const TensorBytes& input) {
  int32_t count = 0;
  if (count_token == nullptr || !parse_decimal(count_token, &count) || count <= 0) {
    error("Command 'db load' requires the # of bytes");
    return;
  }
  if (static_cast<size_t>(count) > input.bytes) {
    TextWriter& out = console_writer();
    out.text("e-[Input 0 holds ");
    out.decimal(input.bytes);
    line(" bytes]");
    return;
  }
  g_db_expected = static_cast<size_t>(count);
  g_db_received = 0;
  g_db_started = true;
  console_writer().text("m-[Expecting ");
  console_writer().decimal(g_db_expected);
  line(" bytes]");
}

void command_db_print(const TensorBytes& input) {
  TextWriter& out = console_writer();
  const uint8_t flip = db_flip(input);
  for (size_t i = 0; i < g_db_expected; ++i) {
    if (i % kBufferBytesPerLine == 0) {
      out.text("m-buffer");
    }
    out.character('-');
    out.hex_byte(input.data[i] ^ flip);
    if (i % kBufferBytesPerLine == kBufferBytesPerLine - 1 || i + 1 == g_db_expected) {
      line("");
    }
  }
}

void command_db_data(const char* digits, const TensorBytes& input) {
  if (!g_db_started) {
    error("Command 'db load' must come first");
    return;
  }
  size_t count = 0;
  while (digits[count] != '\0') {
    ++count;
  }
  if (count == 0 || count % 2 != 0) {
    error("Insufficent number of hex digits");  // spelt as the runner's firmware does
    return;
  }
  // All of a chunk or nothing: a damaged one can be sent again.
  for (size_t i = 0; i < count; i += 2) {
    if (hex_digit(digits[i]) < 0 || hex_digit(digits[i + 1]) < 0) {
      const char pair[] = {'\'', digits[i], digits[i + 1], '\'', '\0'};
      error("Invalid hex digit ", pair);
      return;
    }
  }
  if (g_db_received == g_db_expected) {
    return;  // complete: the rest is ignored
  }
  const uint8_t flip = db_flip(input);
  for (size_t i = 0; i < count && g_db_received < g_db_expected; i += 2) {
    const uint8_t byte = static_cast<uint8_t>(hex_digit(digits[i]) << 4 | hex_digit(digits[i + 1]));
    input.data[g_db_received++] = byte ^ flip;
  }
  if (g_db_received == g_db_expected) {
    line("m-load-done");
  }
}

void command_db(char** tokens, size_t count) {
  TensorBytes input;
  if (count < 2) {
    error("Command 'db' requires a subcommand");
  } else if (!require_ready()) {
    return;
  } else if (!model_input(0, &input)) {
    error("The model has no input");
  } else if (std::strcmp(tokens[1], "load") == 0) {
    command_db_load(count > 2 ? tokens[2] : nullptr, input);
  } else if (std::strcmp(tokens[1], "print") == 0) {
    command_db_print(input);
  } else {
    command_db_data(tokens[1], input);
  }
}

// @returns false when no command has that name and number of tokens.
bool dispatch(char** tokens, size_t count) {
  const auto is = [&](const char* name, size_t max_tokens) {
    return std::strcmp(tokens[0], name) == 0 && count <= max_tokens;
  };
  if (is("name", 1)) {
    line("m-name-dut-", kBoardConfig.vendor);
  } else if (is("timestamp", 1)) {
    lap();
  } else if (is("profile", 1)) {
    line("m-profile-[ULPMark for tinyML Firmware V0.0.1]");
    line("m-model-", model_config().profile_model);
  } else if (is("help", 1)) {
    command_help();
  } else if (is("db", 3)) {
    command_db(tokens, count);
  } else if (is("infer", 3)) {
    command_infer(count > 1 ? tokens[1] : nullptr, count > 2 ? tokens[2] : nullptr);
  } else if (is("results", 1)) {
    command_results();
  } else if (is("mcugen", 2) && count == 2 && std::strcmp(tokens[1], "info") == 0) {
    command_info();
  } else {
    return false;
  }
  return true;
}

void run_command() {
  char* tokens[kMaxTokens];
  const size_t count = split_tokens(g_line.command(), tokens, kMaxTokens);
  if (count == 1 && tokens[0][0] == '\0') {
    return;  // a lone '%' only asks whether we are there
  }
  if (!dispatch(tokens, count)) {
    // Put the command together again: the reply names all of it.
    for (size_t i = 1; i < count; ++i) {
      tokens[i][-1] = ' ';
    }
    error("Unknown command: ", tokens[0]);
  }
}

void handle_line(LineParser::Event event) {
  if (event == LineParser::Event::kNone) {
    return;
  }
  const uint32_t lost = console_take_lost();
  if (lost != 0) {
    // Neither the command nor its end can be trusted.
    TextWriter& out = console_writer();
    out.text("e-[Receive overrun: ");
    out.decimal(lost);
    line(" bytes lost]");
  } else if (event == LineParser::Event::kTooLong) {
    error("Command too long");
  } else if (event == LineParser::Event::kBadByte) {
    error("Bad character in command");
  } else {
    run_command();
  }
  line("m-ready");
}

// ---- Frames ----

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
  if (bytes != 0) {
    reply_text(type, Status::kBadArgument, kOutOfRange);
    return;
  }
  uint64_t ticks;
  if (!model_execute(&ticks)) {
    reply_model_error(type, Status::kExecuteFailed);
    return;
  }
  for (size_t i = 0; i < sizeof(ticks); ++i) {
    reply_payload()[i] = static_cast<uint8_t>(ticks >> (8 * i));
  }
  reply(type, Status::kOk, sizeof(ticks));
}

void frame_of_store(uint8_t answer, uint8_t type, size_t bytes) {
  StoreAnswer of_store;
  if (!model_store_frame(type, g_frame.body(), bytes, &of_store)) {
    reply_text(answer, Status::kUnknownType, "unknown frame type");
    return;
  }
  // Another model: what `db` announced was for the input of the one before.
  g_db_expected = 0;
  g_db_received = 0;
  g_db_started = false;
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

void server_start() {
  line("m-timestamp-mode-performance");
  lap();
  line("m-init-done");
  line("m-ready");
}

void server_feed(uint8_t byte) {
  log_to_console(true);
  if (g_in_frame) {
    g_last_frame_byte = uptime_us();
    handle_frame(g_frame.feed(byte));
  } else if (byte == 0) {
    g_line.reset();
    g_frame.start();
    g_in_frame = true;
    g_last_frame_byte = uptime_us();
  } else {
    handle_line(g_line.feed(byte));
  }
  log_to_console(false);
  if (stack_overflowed()) {
    MCUGEN_PANIC("stack overflow");
  }
}

void server_idle() {
  if (g_in_frame && uptime_us() - g_last_frame_byte > kFrameTimeoutUs) {
    g_in_frame = false;
    console_take_lost();
    error("Frame timeout");
    line("m-ready");
  }
}

void server_run() {
  server_start();
  for (;;) {
    uint8_t byte;
    if (console_read(&byte)) {
      server_feed(byte);
    } else {
      server_idle();
      console_wait();
    }
  }
}

}  // namespace mcugen
