// SPDX-License-Identifier: BSD-3-Clause
#include <app/console_writer.h>
#include <app/info.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/replies.h>
#include <port/board.h>
#include <port/cycle_counter.h>
#include <port/stack.h>

namespace mcugen {
namespace {

constexpr uint32_t kProtocolVersion = 1;

const char* clock_source_name() {
  switch (board_clock_source()) {
    case ClockSource::kPll:
      return "pll";
    case ClockSource::kHse:
      return "hse";
    case ClockSource::kHsi:
      return "hsi";
    case ClockSource::kMsiLocked:
      return "msi_lse";
    case ClockSource::kMsi:
      return "msi";
    case ClockSource::kHfint:
      return "hfint";
    case ClockSource::kRosc:
      return "rosc";
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

void json_truth(const char* key, bool value) {
  json_key(key);
  console_writer().text(value ? "true" : "false");
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

void json_flash(const FlashSetup& flash) {
  const bool told = flash.wait_states >= 0;
  if (!told && !flash.prefetch && !flash.instruction_cache && !flash.data_cache) {
    return;
  }
  json_key("flash");
  TextWriter& out = console_writer();
  out.text("{\"wait_states\":");
  if (told) {
    out.decimal(static_cast<uint32_t>(flash.wait_states));
  } else {
    out.text("null");
  }
  json_truth("prefetch", flash.prefetch);
  json_truth("icache", flash.instruction_cache);
  json_truth("dcache", flash.data_cache);
  out.character('}');
}

}  // namespace

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
  json_flash(board_flash_setup());
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

}  // namespace mcugen
