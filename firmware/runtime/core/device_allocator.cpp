// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/device_allocator.h>
#include <executorch/runtime/core/device_memory_buffer.h>
#include <runtime/platform/fail.h>

// There is one device on a microcontroller. The registry is here so that code which asks finds
// out; nothing in the runtime uses it.

namespace executorch::runtime {

DeviceAllocatorRegistry& DeviceAllocatorRegistry::instance() {
  // Constant initialization, so no guard.
  static DeviceAllocatorRegistry registry;
  return registry;
}

void DeviceAllocatorRegistry::register_allocator(DeviceAllocator* alloc) {
  ET_CHECK_MSG(alloc != nullptr, "Null allocator");
  const size_t index = static_cast<size_t>(alloc->device_type());
  ET_CHECK_MSG(index < etensor::kNumDeviceTypes && allocators_[index] == nullptr,
               "Device type %zu is unknown or has its allocator", index);
  allocators_[index] = alloc;
}

DeviceAllocator* DeviceAllocatorRegistry::get_allocator(etensor::DeviceType type) {
  const size_t index = static_cast<size_t>(type);
  return index < etensor::kNumDeviceTypes ? allocators_[index] : nullptr;
}

void register_device_allocator(DeviceAllocator* alloc) {
  DeviceAllocatorRegistry::instance().register_allocator(alloc);
}

DeviceAllocator* get_device_allocator(etensor::DeviceType type) {
  return DeviceAllocatorRegistry::instance().get_allocator(type);
}

Result<DeviceMemoryBuffer> DeviceMemoryBuffer::create(size_t size, etensor::DeviceType type,
                                                      etensor::DeviceIndex index,
                                                      size_t alignment) {
  DeviceAllocator* allocator = get_device_allocator(type);
  MCUGEN_CHECK(allocator != nullptr, NotFound, "no allocator for device type %d",
               static_cast<int>(type));
  Result<void*> memory = allocator->allocate(size, index, alignment);
  if (!memory.ok()) {
    return memory.error();
  }
  return DeviceMemoryBuffer(*memory, size, allocator, index);
}

}  // namespace executorch::runtime
