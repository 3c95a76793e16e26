// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <app/model.h>
#include <app/text_writer.h>

namespace mcugen {

/// @returns whether `results_write()` knows the tensor's type: int8, uint8 or float32.
bool results_supported(const TensorBytes& tensor);

/// Write a tensor's elements as real numbers, "%0.3f" each, separated by commas: integers times
/// `kAppConfig.output_scale` after the zero point, then softmax over all of them if
/// `kAppConfig.softmax`.
void results_write(TextWriter& out, const TensorBytes& tensor);

}  // namespace mcugen
