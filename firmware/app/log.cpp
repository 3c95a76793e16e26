// SPDX-License-Identifier: BSD-3-Clause
#include <app/console_writer.h>
#include <app/log.h>
#include <app/text_writer.h>
#include <executorch/runtime/platform/platform.h>
#include <port/cycle_counter.h>
#include <port/panic.h>

namespace mcugen {
namespace {

char g_first_error[120];
bool g_to_console;

// What a message may not hold, as it goes between brackets and inside a JSON string.
char sanitized(char character) { return character >= ' ' && character <= '~' ? character : '?'; }

void write_line(TextWriter& out, const char* file, size_t line, const char* message,
                size_t length) {
  out.text(file);
  out.character(':');
  out.decimal(line);
  out.character(' ');
  for (size_t i = 0; i < length && message[i] != '\0'; ++i) {
    out.character(sanitized(message[i]));
  }
}

}  // namespace

void log_reset_first_error() { g_first_error[0] = '\0'; }

const char* log_first_error() { return g_first_error; }

void log_to_console(bool enabled) { g_to_console = enabled; }

#if defined(MCUGEN_UPSTREAM)
void log_out_of_memory(const char* pool, size_t wanted, size_t left, size_t total) {
  char text[96];
  TextBuffer buffer(text, sizeof(text));
  TextWriter& out = buffer.writer();
  out.text(pool);
  out.text(": ");
  out.decimal(wanted);
  out.text(" B wanted, ");
  out.decimal(left);
  out.text(" of ");
  out.decimal(total);
  out.text(" B left");
  et_pal_emit_log_message(0, kError, __FILE_NAME__, "", __LINE__, text, buffer.size());
}
#endif

}  // namespace mcugen

extern "C" {

void et_pal_init() {}

#if !defined(MCUGEN_UPSTREAM)  // else it is in upstream/abort.cpp
void et_pal_abort() { MCUGEN_PANIC("ExecuTorch runtime aborted"); }
#endif

et_timestamp_t et_pal_current_ticks() { return mcugen::cycle_counter_now(); }

et_tick_ratio_t et_pal_ticks_to_ns_multiplier() {
  return {1000000000u, mcugen::cycle_counter_hz()};
}

void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t level, const char* filename,
                             const char*, size_t line, const char* message, size_t length) {
  using namespace mcugen;
  const bool is_error = level == kError || level == kFatal;
  if (is_error && g_first_error[0] == '\0') {
    TextBuffer buffer(g_first_error, sizeof(g_first_error) - 1);
    write_line(buffer.writer(), filename, line, message, length);
    g_first_error[buffer.size()] = '\0';
  }
  if (g_to_console) {
    TextWriter& out = console_writer();
    out.text("m-log-[");
    out.character(static_cast<char>(level));
    out.character(' ');
    write_line(out, filename, line, message, length);
    out.text("]\r\n");
  }
}

void* et_pal_allocate(size_t) { return nullptr; }  // there is no heap

void et_pal_free(void*) {}

}  // extern "C"
