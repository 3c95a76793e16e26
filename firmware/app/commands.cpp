// SPDX-License-Identifier: BSD-3-Clause
#include <app/commands.h>
#include <app/console_writer.h>
#include <app/info.h>
#include <app/line_parser.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/replies.h>
#include <app/results.h>
#include <port/board.h>
#include <port/console.h>
#include <port/cycle_counter.h>

#include <cstring>

namespace mcugen {
namespace {

constexpr size_t kMaxTokens = 4;  // "infer N W" and one too many
constexpr int32_t kDefaultIterations = 1;
constexpr int32_t kDefaultWarmups = 10;
constexpr size_t kBufferBytesPerLine = 8;
constexpr int8_t kDtypeInt8 = 1;  // executorch::aten::ScalarType::Char

LineParser g_line;
// `db`: bytes announced by `db load`, and how many of them have come. They go to input 0.
size_t g_db_expected;
size_t g_db_received;
bool g_db_started;

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

void command_help() {
  line("m-help-[name timestamp profile infer results db load|print mcugen info]");
}

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

}  // namespace

void commands_feed(uint8_t byte) { handle_line(g_line.feed(byte)); }

void commands_reset() { g_line.reset(); }

void commands_forget_input() {
  g_db_expected = 0;
  g_db_received = 0;
  g_db_started = false;
}

void lap() { line("m-lap-us-", uptime_us()); }

}  // namespace mcugen
