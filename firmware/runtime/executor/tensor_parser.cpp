// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/executor/program.h>
#include <runtime/core/portable_type/strides.h>
#include <runtime/executor/method_layout.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/executor/tensor_parser.h>
#include <runtime/platform/fail.h>

#include <new>

namespace executorch::runtime::deserialization {
namespace {

// The stride of every vector. Static tensors' shapes are never written (tensor_impl.cpp).
constexpr int32_t kUnitStride[1] = {1};

}  // namespace

Error TensorParser::find_data(const Program* program, MemoryManager* memory_manager,
                              const executorch_flatbuffer::ExecutionPlan* plan,
                              const executorch_flatbuffer::Tensor* serialized, size_t nbytes,
                              void** data) {
  const uint32_t buffer_idx = serialized->data_buffer_idx();
  const auto* allocation = serialized->allocation_info();
  *data = nullptr;
  if (allocation == nullptr) {
    if (buffer_idx != 0) {
      Result<const void*> constant = program->get_constant_buffer_data(buffer_idx, nbytes);
      if (!constant.ok()) {
        return constant.error();
      }
      // Tensors have no const data; the schema makes it one.
      *data = const_cast<void*>(*constant);
    }
    return Error::Ok;
  }

  // Buffer 0 of the serialized list stands for the constants; planned memory starts with 1.
  const uint32_t memory_id = allocation->memory_id();
  const auto* sizes = plan->non_const_buffer_sizes();
  MCUGEN_CHECK_FILE(memory_id >= 1 && memory_id < flatbuffers::length(sizes), InvalidProgram,
                    "tensor in planned buffer %u", static_cast<unsigned>(memory_id));
  const uint64_t offset = static_cast<uint64_t>(allocation->memory_offset_high()) << 32 |
                          allocation->memory_offset_low();
  const int64_t size = sizes->Get(memory_id);
  MCUGEN_CHECK_FILE(size >= 0 && offset <= static_cast<uint64_t>(size) &&
                        nbytes <= static_cast<uint64_t>(size) - offset && size <= PTRDIFF_MAX,
                    InvalidProgram, "tensor leaves planned buffer %u",
                    static_cast<unsigned>(memory_id));
  HierarchicalAllocator* planned = memory_manager->planned_memory();
  MCUGEN_CHECK(planned != nullptr, InvalidArgument, "the method needs planned memory");
  // All up to the tensor's end: one of the overflow checks inside falls away.
  Result<void*> address =
      planned->get_offset_address(memory_id - 1, 0, static_cast<size_t>(offset) + nbytes);
  if (!address.ok()) {
    return address.error();
  }
  *data = static_cast<uint8_t*>(*address) + static_cast<size_t>(offset);
  if (buffer_idx == 0) {
    return Error::Ok;
  }
  const auto* extra = serialized->extra_tensor_info();
  const uint64_t list = extra == nullptr ? 0 : extra->mutable_data_segments_idx();
  // A list that does not fit size_t does not exist either.
  return program->load_mutable_subsegment_into(
      list <= SIZE_MAX ? static_cast<size_t>(list) : SIZE_MAX, buffer_idx, nbytes, *data);
}

Error TensorParser::parse(const Program* program, MemoryManager* memory_manager,
                          const executorch_flatbuffer::ExecutionPlan* plan,
                          const executorch_flatbuffer::Tensor* serialized,
                          executorch::aten::TensorImpl* tensor, int32_t** shape_words) {
  mcugen::TensorFacts facts;
  Error error = mcugen::read_tensor_facts(serialized, &facts);
  if (error != Error::Ok) {
    return error;
  }
  const auto dynamism = static_cast<TensorShapeDynamism>(serialized->shape_dynamism());
  MCUGEN_CHECK_FILE(
      dynamism == TensorShapeDynamism::STATIC || dynamism == TensorShapeDynamism::DYNAMIC_BOUND,
      NotSupported, "tensor of unbounded shape");
  MCUGEN_CHECK_FILE(serialized->storage_offset() == 0, NotSupported, "tensor with storage offset");
  if (const auto* extra = serialized->extra_tensor_info()) {
    MCUGEN_CHECK_FILE(extra->location() == executorch_flatbuffer::TensorDataLocation::SEGMENT,
                      NotSupported, "tensor %s: data outside of the program",
                      mcugen::tensor_name(serialized).data());
    MCUGEN_CHECK_FILE(extra->device_type() == executorch_flatbuffer::DeviceType::CPU, NotSupported,
                      "tensor on another device");
  }
  void* data;
  error = find_data(program, memory_manager, plan, serialized, facts.nbytes, &data);
  if (error != Error::Ok) {
    return error;
  }
  // No scalar type needs more than 8; its alignment is its size otherwise.
  const uint32_t alignment = facts.element_bytes < 8 ? facts.element_bytes : 8;
  MCUGEN_CHECK_FILE((reinterpret_cast<uintptr_t>(data) & (alignment - 1)) == 0, InvalidProgram,
                    "tensor's data at %p is not aligned", data);

  const bool is_static = dynamism == TensorShapeDynamism::STATIC;
  int32_t* words = *shape_words;
  *shape_words += mcugen::shape_words(facts.dim, is_static);
  int32_t* sizes = const_cast<int32_t*>(facts.sizes);
  if (!is_static) {
    sizes = words;
    words += facts.dim;
    for (uint32_t i = 0; i < facts.dim; ++i) {
      sizes[i] = facts.sizes[i];
    }
  }
  if (is_static && facts.dim < 2) {
    words = const_cast<int32_t*>(kUnitStride);
  } else {
    mcugen::set_strides(sizes, facts.dim_order, facts.dim, words);
  }
  new (tensor)
      executorch::aten::TensorImpl(facts.scalar_type, static_cast<ssize_t>(facts.dim), sizes, data,
                                   const_cast<uint8_t*>(facts.dim_order), words, dynamism);
  return Error::Ok;
}

}  // namespace executorch::runtime::deserialization
