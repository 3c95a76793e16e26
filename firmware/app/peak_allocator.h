// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/memory_allocator.h>

#include <cstddef>

namespace mcugen {

/// The runtime resets the temp allocator after every kernel; we want to know the most it held.
class PeakAllocator : public executorch::runtime::MemoryAllocator {
 public:
  using MemoryAllocator::MemoryAllocator;
  void* allocate(size_t size, size_t alignment) override {
    void* memory = MemoryAllocator::allocate(size, alignment);
    note(used_size());
    return memory;
  }
  size_t peak() const { return peak_; }

 protected:
  void note(size_t used) { peak_ = used > peak_ ? used : peak_; }

 private:
  size_t peak_ = 0;
};

}  // namespace mcugen
