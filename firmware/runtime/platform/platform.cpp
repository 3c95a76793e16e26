// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/platform/platform.h>

namespace executorch::runtime {
namespace {

// The linker puts the strong et_pal_*() of the application here, or the weak defaults. Constant
// initialization: nothing runs before main().
PalImpl pal_impl = {et_pal_init,
                    et_pal_abort,
                    et_pal_current_ticks,
                    et_pal_ticks_to_ns_multiplier,
                    et_pal_emit_log_message,
                    et_pal_allocate,
                    et_pal_free,
                    nullptr};

}  // namespace

PalImpl PalImpl::create(pal_emit_log_message_method emit_log_message, const char* source_filename) {
  return create(nullptr, nullptr, nullptr, nullptr, emit_log_message, nullptr, nullptr,
                source_filename);
}

PalImpl PalImpl::create(pal_init_method init, pal_abort_method abort,
                        pal_current_ticks_method current_ticks,
                        pal_ticks_to_ns_multiplier_method ticks_to_ns_multiplier,
                        pal_emit_log_message_method emit_log_message, pal_allocate_method allocate,
                        pal_free_method free, const char* source_filename) {
  return PalImpl{init,     abort, current_ticks,  ticks_to_ns_multiplier, emit_log_message,
                 allocate, free,  source_filename};
}

bool register_pal(PalImpl impl) {
  if (impl.init != nullptr) {
    pal_impl.init = impl.init;
  }
  if (impl.abort != nullptr) {
    pal_impl.abort = impl.abort;
  }
  if (impl.current_ticks != nullptr) {
    pal_impl.current_ticks = impl.current_ticks;
  }
  if (impl.ticks_to_ns_multiplier != nullptr) {
    pal_impl.ticks_to_ns_multiplier = impl.ticks_to_ns_multiplier;
  }
  if (impl.emit_log_message != nullptr) {
    pal_impl.emit_log_message = impl.emit_log_message;
  }
  if (impl.allocate != nullptr) {
    pal_impl.allocate = impl.allocate;
  }
  if (impl.free != nullptr) {
    pal_impl.free = impl.free;
  }
  pal_impl.source_filename = impl.source_filename;
  return true;
}

const PalImpl* get_pal_impl() { return &pal_impl; }

void pal_init() { pal_impl.init(); }

ET_NORETURN void pal_abort() {
  pal_impl.abort();
  // A registered function that returns must not make this one return.
  while (true) {
  }
}

et_timestamp_t pal_current_ticks() { return pal_impl.current_ticks(); }

et_tick_ratio_t pal_ticks_to_ns_multiplier() { return pal_impl.ticks_to_ns_multiplier(); }

void pal_emit_log_message(et_timestamp_t timestamp, et_pal_log_level_t level, const char* filename,
                          const char* function, size_t line, const char* message, size_t length) {
  pal_impl.emit_log_message(timestamp, level, filename, function, line, message, length);
}

void* pal_allocate(size_t size) { return pal_impl.allocate(size); }

void pal_free(void* ptr) { pal_impl.free(ptr); }

}  // namespace executorch::runtime
