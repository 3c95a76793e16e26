// SPDX-License-Identifier: BSD-3-Clause
// Names every public function of ExecuTorch's runtime headers that is not inline. It links only if
// all of them are defined; it is not run.

#include <executorch/runtime/backend/interface.h>
#include <executorch/runtime/core/device_allocator.h>
#include <executorch/runtime/core/device_memory_buffer.h>
#include <executorch/runtime/core/event_tracer_hooks.h>
#include <executorch/runtime/core/event_tracer_hooks_delegate.h>
#include <executorch/runtime/core/exec_aten/util/tensor_shape_to_c_string.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/core/tensor_layout.h>
#include <executorch/runtime/executor/merged_data_map.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/platform_memory_allocator.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/executor/program_validation.h>
#include <executorch/runtime/executor/pte_data_map.h>
#include <executorch/runtime/kernel/kernel_includes.h>
#include <executorch/runtime/kernel/thread_parallel_interface.h>
#include <executorch/runtime/platform/abort.h>
#include <executorch/runtime/platform/clock.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/profiler.h>
#include <executorch/runtime/platform/runtime.h>
#include <executorch/runtime/platform/system.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

using namespace executorch::runtime;
using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;

// The address of a function or member function, as bytes that the compiler cannot drop.
template <typename F>
static void use(F function) {
  asm volatile("" : : "r"(&function) : "memory");
}

int main() {
  // executor/program.h
  use(&Program::load);
  use(&Program::get_constant_buffer_data);
  use(&Program::get_named_data_map);
  use(&Program::num_methods);
  use(&Program::get_method_name);
  use(&Program::load_method);
  use(&Program::method_meta);
  use(&Program::get_output_flattening_encoding);
  use(&Program::check_header);
  // executor/method.h
  use(&Method::set_input);
  use(&Method::set_inputs);
  use(&Method::set_output_data_ptr);
  use(&Method::get_outputs);
  use(&Method::get_inputs);
  use(&Method::get_attribute);
  use(&Method::execute);
  use(&Method::step);
  use(&Method::experimental_step);
  use(&Method::in_progress);
  use(&Method::reset_execution);
  use(&Method::experimental_reset_execution);
  use(&Method::method_meta);
  use(&Method::inputs_size);
  use(&Method::outputs_size);
  use(&Method::get_output);
  use(&Method::get_event_tracer);
  use(&Method::get_input);
  use(&Method::mutable_input);
  use(&Method::mutable_output);
  use(+[](Method* method) { method->~Method(); });
  // executor/method_meta.h
  use(&TensorInfo::sizes);
  use(&TensorInfo::dim_order);
  use(&TensorInfo::scalar_type);
  use(&TensorInfo::is_memory_planned);
  use(&TensorInfo::nbytes);
  use(&TensorInfo::name);
  use(&MethodMeta::name);
  use(&MethodMeta::num_inputs);
  use(&MethodMeta::input_tag);
  use(&MethodMeta::input_tensor_meta);
  use(&MethodMeta::num_outputs);
  use(&MethodMeta::output_tag);
  use(&MethodMeta::output_tensor_meta);
  use(&MethodMeta::num_attributes);
  use(&MethodMeta::attribute_tensor_meta);
  use(&MethodMeta::num_memory_planned_buffers);
  use(&MethodMeta::memory_planned_buffer_size);
  use(&MethodMeta::memory_planned_buffer_device);
  use(&MethodMeta::num_non_const_buffers);
  use(&MethodMeta::non_const_buffer_size);
  use(&MethodMeta::uses_backend);
  use(&MethodMeta::num_backends);
  use(&MethodMeta::get_backend_name);
  use(&MethodMeta::num_instructions);
  // executor/*.h
  use(&validate_tensor);
  use(&validate_program);
  use(&executorch::runtime::internal::PteDataMap::create);
  use(&executorch::runtime::internal::PteDataMap::get_tensor_layout);
  use(&executorch::runtime::internal::PteDataMap::get_data);
  use(&executorch::runtime::internal::PteDataMap::load_data_into);
  use(&executorch::runtime::internal::PteDataMap::get_num_keys);
  use(&executorch::runtime::internal::PteDataMap::get_key);
  use(&executorch::runtime::internal::MergedDataMap::load);
  use(&executorch::runtime::internal::PlatformMemoryAllocator::allocate);
  // kernel/
  use(static_cast<Result<OpFunction> (*)(const char*, Span<const TensorMeta>)>(
      &get_op_function_from_registry));
  use(static_cast<Result<OpFunction> (*)(const char*, Span<const TensorMeta>, Span<const Kernel>)>(
      &get_op_function_from_registry));
  use(&registry_has_op_function);
  use(&get_registered_kernels);
  use(&register_kernels);
  use(&register_kernel);
  use(&executorch::runtime::internal::make_kernel_key_string);
  use(&KernelRuntimeContext::fail);
  use(&KernelRuntimeContext::allocate_temp);
  // backend/interface.h
  use(&get_backend_class);
  use(&register_backend);
  use(&get_num_registered_backends);
  use(&get_backend_name);
  use(&executorch::runtime::set_option);
  use(&executorch::runtime::get_option);
  use(+[](BackendInterface* backend) { backend->~BackendInterface(); });
  // core/
  use(static_cast<size_t (*)(Tag, char*, size_t)>(&tag_to_string));
  use(&TensorLayout::create);
  use(&DeviceMemoryBuffer::create);
  use(&DeviceAllocatorRegistry::instance);
  use(&DeviceAllocatorRegistry::register_allocator);
  use(&DeviceAllocatorRegistry::get_allocator);
  use(&register_device_allocator);
  use(&get_device_allocator);
  use(&BoxedEvalueList<std::optional<Tensor>>::get);
  use(&BoxedEvalueList<std::optional<Tensor>>::tryGet);
  use(&BoxedEvalueList<Tensor>::get);
  use(&BoxedEvalueList<int64_t>::tryGet);
  use(&etensor::compute_numel);
  use(&etensor::safe_numel);
  use(&TensorImpl::nbytes);
  use(&TensorImpl::size);
  use(&TensorImpl::element_size);
  use(&TensorImpl::set_sizes_contiguous);
  use(&TensorImpl::set_data);
  use(static_cast<std::array<char, kTensorShapeStringSizeLimit> (*)(Span<const int32_t>)>(
      &tensor_shape_to_c_string));
  use(static_cast<std::array<char, kTensorShapeStringSizeLimit> (*)(Span<const int64_t>)>(
      &tensor_shape_to_c_string));
  use(&get_dim_order);
  use(&tensor_has_valid_dim_order);
  use(&tensor_is_default_dim_order);
  use(&tensor_is_default_or_channels_last_dim_order);
  use(&tensor_is_channels_last_dim_order);
  use(static_cast<bool (*)(const executorch::aten::ArrayRef<Tensor>)>(
      &tensors_have_same_dim_order));
  use(&executorch::runtime::internal::share_tensor_data);
  use(&executorch::runtime::internal::copy_tensor_data);
  use(&executorch::runtime::internal::set_tensor_data);
  use(&executorch::runtime::internal::reset_data_ptr);
  use(&executorch::runtime::internal::resize_tensor_impl);
  // platform/
  use(&runtime_init);
  use(&runtime_abort);
  use(&register_pal);
  use(&get_pal_impl);
  use(static_cast<PalImpl (*)(pal_emit_log_message_method, const char*)>(&PalImpl::create));
  use(&pal_init);
  use(&pal_abort);
  use(&pal_current_ticks);
  use(&pal_ticks_to_ns_multiplier);
  use(&pal_emit_log_message);
  use(&pal_allocate);
  use(&pal_free);
  use(&et_pal_init);
  use(&et_pal_abort);
  use(&et_pal_current_ticks);
  use(&et_pal_ticks_to_ns_multiplier);
  use(&et_pal_emit_log_message);
  use(&et_pal_allocate);
  use(&et_pal_free);
  use(&executorch::runtime::internal::get_log_timestamp);
  use(&executorch::runtime::internal::vlogf);
  use(&profiler_init);
  use(&begin_profiling);
  use(&end_profiling);
  use(&dump_profile_stats);
  use(&reset_profile_stats);
  use(&track_allocation);
  use(&track_allocator);
  use(&profiling_create_block);
  use(&get_profile_tls_state);
  use(&set_profile_tls_state);
  ExecutorchProfiler profiler("main");
  ExecutorchProfilerInstructionScope scope(get_profile_tls_state());
  return 0;
}
