// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/executor/program_validation.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/platform/fail.h>

namespace executorch::runtime {

Error validate_tensor(const executorch_flatbuffer::Tensor* tensor) {
  MCUGEN_CHECK(tensor != nullptr, InvalidProgram, "no tensor");
  mcugen::TensorFacts facts;
  return mcugen::read_tensor_facts(tensor, &facts);
}

namespace {

Error validate_plan(const executorch_flatbuffer::ExecutionPlan* plan) {
  using executorch_flatbuffer::KernelTypes;
  for (uint32_t i = 0; i < flatbuffers::length(plan->values()); ++i) {
    const executorch_flatbuffer::EValue* value;
    Error error = mcugen::value_at(plan, static_cast<int32_t>(i), &value);
    if (error != Error::Ok) {
      return error;
    }
    if (const auto* tensor = value->val_as_Tensor()) {
      error = validate_tensor(tensor);
      if (error != Error::Ok) {
        return error;
      }
    }
    const auto* list = value->val_as_TensorList();
    const auto* items = list == nullptr ? nullptr : list->items();
    for (uint32_t j = 0; j < flatbuffers::length(items); ++j) {
      const executorch_flatbuffer::EValue* item;
      error = mcugen::value_at(plan, items->Get(j), &item);
      if (error != Error::Ok) {
        return error;
      }
      MCUGEN_CHECK(item->val_type() == KernelTypes::Tensor, InvalidProgram,
                   "item %u of tensor list %u is not a tensor", static_cast<unsigned>(j),
                   static_cast<unsigned>(i));
    }
  }
  return Error::Ok;
}

}  // namespace

Error validate_program(const executorch_flatbuffer::Program* program) {
  MCUGEN_CHECK(program != nullptr, InvalidProgram, "no program");
  const auto* plans = program->execution_plan();
  for (uint32_t i = 0; i < flatbuffers::length(plans); ++i) {
    Error error = validate_plan(plans->Get(i));
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

}  // namespace executorch::runtime
