// SPDX-License-Identifier: BSD-3-Clause
// Weak platform hooks: what happens where the application does not say otherwise.

#define ET_INTERNAL_PLATFORM_WEAKNESS ET_WEAK
#include <executorch/runtime/platform/platform.h>

#if defined(__unix__)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#endif

extern "C" {

void et_pal_init(void) {}

#if defined(__unix__)

ET_NORETURN void et_pal_abort(void) { abort(); }

et_timestamp_t et_pal_current_ticks(void) {
  return static_cast<et_timestamp_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t level, const char* filename,
                             const char*, size_t line, const char* message, size_t) {
  fprintf(stderr, "%c %s:%zu %s\n", static_cast<char>(level), filename, line, message);
}

void* et_pal_allocate(size_t size) { return malloc(size); }

void et_pal_free(void* ptr) { free(ptr); }

#else

ET_NORETURN void et_pal_abort(void) {
  while (true) {
  }
}

et_timestamp_t et_pal_current_ticks(void) { return 0; }

void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t, const char*, const char*, size_t,
                             const char*, size_t) {}

// There is no heap.
void* et_pal_allocate(size_t) { return nullptr; }

void et_pal_free(void*) {}

// std::variant, inside FreeableBuffer, ends here if it is misused.
ET_WEAK void abort(void) { executorch::runtime::pal_abort(); }

#endif

et_tick_ratio_t et_pal_ticks_to_ns_multiplier(void) { return {1, 1}; }

}  // extern "C"

#if !defined(__unix__)

// The vtables of classes with a virtual destructor name this function; nothing calls it. The one
// in libstdc++ would bring malloc() and free() into the image.
ET_WEAK void operator delete(void*) noexcept {}
ET_WEAK void operator delete(void*, size_t) noexcept {}

#endif
