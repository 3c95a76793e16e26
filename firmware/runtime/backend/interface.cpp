// SPDX-License-Identifier: BSD-3-Clause
// Delegates are not supported (README.md): the functions are here so that code which asks for a
// backend links, and is told that there is none.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"  // In the wheel's headers.
#include <executorch/runtime/backend/interface.h>
#pragma GCC diagnostic pop
#include <runtime/platform/fail.h>

namespace executorch::runtime {

BackendInterface::~BackendInterface() {}

BackendInterface* get_backend_class(const char*) { return nullptr; }

Error register_backend(const Backend& backend) {
  return MCUGEN_FAIL(NotSupported, "backend %s: delegates are not supported", backend.name);
}

size_t get_num_registered_backends() { return 0; }

Result<const char*> get_backend_name(size_t index) {
  return MCUGEN_FAIL(InvalidArgument, "backend %zu: there are none", index);
}

Error set_option(const char* backend_name, const Span<BackendOption>) {
  return MCUGEN_FAIL(NotFound, "backend %s is not registered", backend_name);
}

Error get_option(const char* backend_name, Span<BackendOption>) {
  return MCUGEN_FAIL(NotFound, "backend %s is not registered", backend_name);
}

}  // namespace executorch::runtime
