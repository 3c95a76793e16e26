// SPDX-License-Identifier: BSD-3-Clause
#include <app/scalars.h>

#include <cstring>

namespace mcugen {

using executorch::aten::ScalarType;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Result;
using executorch::runtime::Tag;

bool scalar_facts(MethodMeta& meta, Side side, size_t index, IoFacts* facts) {
  const Result<Tag> tag = side == Side::kInput ? meta.input_tag(index) : meta.output_tag(index);
  if (!tag.ok()) {
    return false;
  }
  switch (tag.get()) {
    case Tag::Int:
      *facts = {sizeof(int64_t), static_cast<int8_t>(ScalarType::Long), false};
      return true;
    case Tag::Double:
      *facts = {sizeof(double), static_cast<int8_t>(ScalarType::Double), false};
      return true;
    case Tag::Bool:
      *facts = {sizeof(bool), static_cast<int8_t>(ScalarType::Bool), false};
      return true;
    case Tag::None:
      *facts = {0, static_cast<int8_t>(ScalarType::Byte), false};
      return true;
    default:
      return false;  // a tensor, or what the runtime will refuse
  }
}

void scalars_stage(MethodMeta& meta, Method& method, IoAddress input_address) {
  for (size_t i = 0; i < meta.num_inputs(); ++i) {
    IoFacts facts{};
    if (scalar_facts(meta, Side::kInput, i, &facts)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // nothing else tells the value
      const EValue& value = method.get_input(i);
#pragma GCC diagnostic pop
      std::memcpy(input_address(i), &value.payload.copyable_union, facts.bytes);
    }
  }
}

bool scalar_set_input(MethodMeta& meta, Method& method, size_t index, IoAddress input_address,
                      Error* error) {
  IoFacts facts{};
  if (!scalar_facts(meta, Side::kInput, index, &facts)) {
    return false;
  }
  EValue value;  // None
  const uint8_t* data = input_address(index);
  if (facts.bytes == sizeof(bool)) {
    value = EValue(*data != 0);
  } else if (facts.bytes == sizeof(int64_t)) {
    int64_t bits;
    std::memcpy(&bits, data, sizeof(bits));
    value = EValue(bits);
    if (facts.dtype == static_cast<int8_t>(ScalarType::Double)) {
      value.tag = Tag::Double;  // of the same bits
    }
  }
  *error = method.set_input(value, index);
  return true;
}

bool scalar_read_output(const EValue& value, size_t bytes, size_t index, IoAddress output_address,
                        uint8_t** data) {
  if (value.isTensor()) {
    return false;
  }
  *data = output_address(index);
  std::memcpy(*data, &value.payload.copyable_union, bytes);
  return true;
}

}  // namespace mcugen
