// SPDX-License-Identifier: BSD-3-Clause
//
// ExecuTorch stops the program for good where a kernel cannot be registered, before a host can have
// opened the console. So the report says why, and is sent again whenever the host sends something.
#include <app/log.h>
#include <app/text_writer.h>
#include <executorch/runtime/kernel/operator_registry.h>
#include <executorch/runtime/platform/platform.h>
#include <port/console.h>
#include <port/cycle_counter.h>
#include <port/panic.h>
#include <upstream/boot.h>

#include <cstdint>

namespace mcugen {
namespace {

constexpr uint64_t kQuietUs = 20000;  // ends what the host sends in one go

BootStage g_stage = BootStage::kRunning;
const char* g_kernel;

void describe(TextWriter& out) {
  const size_t registered = executorch::runtime::get_registered_kernels().size();
  switch (g_stage) {
    case BootStage::kConstructors:
      out.text("a library registers a kernel twice, or more than MAX_KERNEL_NUM: ");
      out.decimal(registered);
      out.text(" are registered");
      break;
    case BootStage::kRegistering:
      out.text("ExecuTorch's registry is full at ");
      out.decimal(registered);
      out.text(" kernels; build it with a larger MAX_KERNEL_NUM for ");
      out.text(g_kernel);
      break;
    case BootStage::kRunning:
      out.text("ExecuTorch runtime aborted");
      break;
  }
  if (log_first_error()[0] != '\0') {
    out.text("; ");
    out.text(log_first_error());
  }
}

void wait_for_host() {
  uint8_t byte;
  while (!console_read(&byte)) {
    console_wait();
  }
  uint64_t last = uptime_us();
  while (uptime_us() - last < kQuietUs) {
    if (console_read(&byte)) {
      last = uptime_us();
    }
  }
}

}  // namespace

void boot_stage(BootStage stage, const char* kernel) {
  g_stage = stage;
  g_kernel = kernel;
}

}  // namespace mcugen

extern "C" void et_pal_abort() {
  using namespace mcugen;
  const void* caller = __builtin_return_address(0);
  char cause[320];
  TextBuffer buffer(cause, sizeof(cause) - 1);
  describe(buffer.writer());
  cause[buffer.size()] = '\0';
  for (;;) {
    panic_report(__FILE_NAME__, __LINE__, cause, caller);
    wait_for_host();
  }
}
