// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/span.h>

#include <cstddef>
#include <cstdint>

// <executorch/runtime/kernel/operator_registry.h> takes the compiler a second.
namespace executorch::runtime {
struct Kernel;
}

namespace mcugen {

/// Everything that differs from one generated project to the next: the model, its operators and
/// the memory set aside for it. Defined by the generated `app_config.cpp`; constant, in flash.
struct AppConfig {
  const char* firmware_id;    ///< 16 hex digits: identifies this exact firmware.
  const char* model_name;     ///< As the user named it.
  const char* profile_model;  ///< What `profile%` answers: "ic01", "kws01", …, or the model's name.
  const char* method_name;    ///< Method to load, normally "forward".
  const uint8_t* pte;         ///< The `.pte`, 16-byte aligned.
  size_t pte_bytes;
  uint32_t pte_crc32;      ///< CRC-32/ISO-HDLC of the `.pte`, checked at boot.
  const char* pte_sha256;  ///< 64 hex digits.

  executorch::runtime::Span<const executorch::runtime::Kernel> kernels;

  /// One per memory-planned buffer of the method, in order of memory id (1, 2, …).
  const executorch::runtime::Span<uint8_t>* planned_buffers;
  size_t num_planned_buffers;
  executorch::runtime::Span<uint8_t> method_pool;
  executorch::runtime::Span<uint8_t> temp_pool;
  /// Staging copy of each input, each 16-byte aligned, in order; then each output that the memory
  /// plan leaves to the caller, 16-byte aligned, in order.
  executorch::runtime::Span<uint8_t> io_pool;

  /// How `results%` turns output 0 into probabilities.
  float output_scale;  ///< real = scale * (q - zero_point), for int8 outputs.
  int32_t output_zero_point;
  bool softmax;  ///< Outputs are logits: apply softmax before printing.

  /// The model has buffers that it changes: planned memory starts as zeros, and it can be reloaded.
  bool keeps_state;
};

extern const AppConfig kAppConfig;

}  // namespace mcugen
