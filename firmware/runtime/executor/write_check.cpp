// SPDX-License-Identifier: BSD-3-Clause
#include <runtime/executor/method_values.h>
#include <runtime/executor/write_check.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>

#include <cstring>

#if MCUGEN_CHECK_OUTPUTS

namespace mcugen {
namespace {

using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::tensor_of;

// Is its first argument what the operator writes to? Its name then ends in "_", but not in "__".
bool writes_first(const executorch_flatbuffer::ExecutionPlan* plan,
                  const executorch_flatbuffer::KernelCall* call) {
  const char* name = operator_name(plan, call);
  const size_t length = strlen(name);
  return (length > 1 && name[length - 1] == '_' && name[length - 2] != '_') ||
         names_equal(name, "executorch_prim::et_copy_index");
}

struct OutCount {
  const char* name;  // Its overload included.
  uint8_t outs;
};

// Operators that do not have one `out`, or a scratch tensor before it. A test compares with the
// schemas in firmware/ops.
constexpr OutCount kOutCounts[] = {
    {"aten::_local_scalar_dense", 0},
    {"aten::_native_batch_norm_legit.no_stats_out", 3},
    {"aten::_native_batch_norm_legit.out", 3},
    {"aten::_native_batch_norm_legit_no_training.out", 3},
    {"aten::max.dim_max", 2},
    {"aten::max_pool2d_with_indices.out", 2},
    {"aten::min.dim_min", 2},
    {"aten::native_dropout.out", 2},
    {"aten::native_group_norm.out", 3},
    {"aten::native_layer_norm.out", 3},
    {"aten::sym_numel", 0},
    {"aten::topk.values", 2},
    {"aten::var_mean.correction_out", 2},
    {"cortex_m::quantized_avg_pool2d.out", 2},
    {"cortex_m::quantized_avg_pool2d_nhwc.out", 2},
    {"cortex_m::quantized_batch_matmul.out", 2},
    {"cortex_m::quantized_conv2d.out", 2},
    {"cortex_m::quantized_conv2d_nhwc.out", 2},
    {"cortex_m::quantized_depthwise_conv2d.out", 2},
    {"cortex_m::quantized_depthwise_conv2d_nhwc.out", 2},
    {"cortex_m::quantized_transpose_conv2d.out", 3},
    {"cortex_m::quantized_transpose_conv2d_nhwc.out", 3},
    {"mcugen::conv2d_in_place.out", 2},
    {"mcugen::conv2d_in_place_nhwc.out", 2},
    {"mcugen::depthwise_conv2d_in_place.out", 2},
    {"mcugen::depthwise_conv2d_in_place_nhwc.out", 2},
    {"mcugen::packed_conv2d.out", 2},
    {"mcugen::packed_conv2d_nhwc.out", 2},
    {"mcugen::packed_conv_depthwise.out", 2},
    {"mcugen::packed_conv_depthwise_nhwc.out", 2},
    {"mcugen::packed_linear.out", 2},
    {"mcugen::packed_linear_4x4.out", 2},
    {"mcugen::packed_linear_5x4.out", 2},
    {"mcugen::quantized_gru.out", 3},
    {"mcugen::quantized_lstm.out", 4},
    {"mcugen::quantized_rnn.out", 3},
};

uint32_t outs_of(const char* name) {
  for (const OutCount& entry : kOutCounts) {
    if (names_equal(entry.name, name)) {
      return entry.outs;
    }
  }
  return 1;
}

bool holds_tensors(const EValue& value) {
  return value.isTensor() || value.isTensorList() || value.isListOptionalTensor();
}

}  // namespace

Error WriteCheck::check_index(int64_t index) {
  MCUGEN_CHECK(index >= 0 && index < n_values_, InvalidProgram, "no value %d",
               static_cast<int>(index));
  return Error::Ok;
}

Error WriteCheck::mark_values() {
  for (uint32_t i = 0; i < n_values_; ++i) {
    const auto* tensor = plan_->values()->Get(i)->val_as_Tensor();
    marks_[i] =
        tensor != nullptr && tensor->allocation_info() == nullptr && tensor->data_buffer_idx() != 0
            ? kConstant
            : 0;
    marks_[i] |=
        tensor != nullptr && !executorch::runtime::has_memory(tensor_of(values_[i])) ? kUnset : 0;
  }
  for (uint32_t i = 0; i < flatbuffers::length(plan_->inputs()); ++i) {
    const uint32_t index = static_cast<uint32_t>(plan_->inputs()->Get(i));
    const auto* tensor = plan_->values()->Get(index)->val_as_Tensor();
    if (tensor != nullptr && tensor->allocation_info() == nullptr) {
      marks_[index] |= kCallerInput;
    }
  }
  // Moves first: what is both moved to and viewed into is refused, as the view would change the
  // tensor that was moved, under another index.
  for (const bool views : {false, true}) {
    for (uint32_t c = 0; c < flatbuffers::length(plan_->chains()); ++c) {
      Error error = mark_destinations(plan_->chains()->Get(c)->instructions(), views);
      if (error != Error::Ok) {
        return error;
      }
    }
  }
  for (uint32_t i = 0; i < n_values_; ++i) {
    const auto* items = items_of(i);
    for (uint32_t j = 0; j < flatbuffers::length(items); ++j) {
      marks_[i] |= items->Get(j) < 0 ? 0 : marks_[items->Get(j)];
    }
  }
  // set_input() copies into planned inputs.
  for (uint32_t i = 0; i < flatbuffers::length(plan_->inputs()); ++i) {
    MCUGEN_CHECK((marks_[plan_->inputs()->Get(i)] & (kMoved | kViewed)) == 0, InvalidProgram,
                 "input %u is the target of a move or view", static_cast<unsigned>(i));
  }
  return Error::Ok;
}

// The items of a list of tensors, in the file. Loading has checked them, -1 is none.
const flatbuffers::Vector<int32_t, uint32_t>* WriteCheck::items_of(uint32_t value) const {
  const executorch_flatbuffer::EValue* serialized = plan_->values()->Get(value);
  if (const auto* list = serialized->val_as_TensorList()) {
    return list->items();
  }
  const auto* optionals = serialized->val_as_OptionalTensorList();
  return optionals == nullptr ? nullptr : optionals->items();
}

Error WriteCheck::mark_destinations(
    const flatbuffers::Vector<flatbuffers::Offset<executorch_flatbuffer::Instruction>, uint32_t>*
        instructions,
    bool views) {
  for (uint32_t i = 0; i < flatbuffers::length(instructions); ++i) {
    const auto* move = instructions->Get(i)->instr_args_as_MoveCall();
    const auto* call = instructions->Get(i)->instr_args_as_KernelCall();
    Error error = Error::Ok;
    if (move != nullptr && !views) {
      error = check_index(move->move_to());
      // Numbers have no memory that a move could give to others.
      if (error == Error::Ok && holds_tensors(values_[move->move_to()])) {
        marks_[move->move_to()] |= kMoved;
      }
    } else if (call != nullptr && views && flatbuffers::length(call->args()) != 0 &&
               is_view(plan_, call)) {
      const int32_t index = call->args()->Get(call->args()->size() - 1);
      error = check_index(index);
      if (error == Error::Ok) {
        error = refuse(call, index, kConstant | kCallerInput | kMoved);
        marks_[index] |= kViewed;
      }
    }
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

// The runtime knows no schemas, but: operators return what they write, as the last argument of a
// call; the argument before is the last of the schema, where `out` stands, which may be a list;
// several outs stand before the list of them; an operator that ends in "_" writes to its first.
// What an operator writes to all the same, as few do, kOutCounts knows.
Error WriteCheck::check(const executorch_flatbuffer::KernelCall* call, const char* name) {
  const auto* indices = call->args();
  const uint32_t count = flatbuffers::length(indices);
  if (count == 0 || is_view(plan_, call)) {
    return Error::Ok;  // mark_destinations() has checked the view.
  }
  const uint32_t returned = static_cast<uint32_t>(indices->Get(count - 1));
  const bool first = writes_first(plan_, call);
  uint32_t outs = first ? 0 : outs_of(name);
  if (count > 1 && values_[indices->Get(count - 2)].isTensor()) {
    const uint32_t items = flatbuffers::length(items_of(returned));
    outs = items > outs ? items : outs;
  }
  Error error = Error::Ok;
  for (uint32_t i = 0; error == Error::Ok && i < count; ++i) {
    if (i + 1 == count || i + 1 + outs >= count || (first && i == 0)) {
      error = refuse(call, indices->Get(i), kConstant | kCallerInput | kMoved | kViewed);
    }
  }
  return error;
}

// Fails if the value has one of these marks.
Error WriteCheck::refuse([[maybe_unused]] const executorch_flatbuffer::KernelCall* call,
                         int32_t index, uint8_t marks) {
  const uint8_t mark = marks_[index] & marks;
  MCUGEN_CHECK(mark == 0, InvalidProgram, "%s writes to value %d: %s", operator_name(plan_, call),
               static_cast<int>(index),
               mark & kConstant      ? "constant"
               : mark & kCallerInput ? "input without planned memory"
                                     : "target of a move or view");
  return Error::Ok;
}

}  // namespace mcugen

#endif  // MCUGEN_CHECK_OUTPUTS
