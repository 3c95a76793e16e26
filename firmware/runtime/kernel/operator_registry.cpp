// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/kernel/operator_registry.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>

/// Slots of the registry that register_kernels() fills. A program whose kernels are passed to
/// load_method() as a constant table never calls it, and the linker then drops the slots.
#ifndef MAX_KERNEL_NUM
#define MAX_KERNEL_NUM 64
#endif

namespace executorch::runtime {
namespace {

struct Registry {
  const Kernel* kernels;
  size_t size;
};

Registry registry = {nullptr, 0};

// Takes the characters of a kernel key one by one: into a buffer, or against an existing key.
class KeySink {
 public:
  KeySink(char* buffer, size_t size) : buffer_(buffer), left_(size) {}
  explicit KeySink(const char* expected) : expected_(expected) {}

  void put(char c) {
    if (buffer_ != nullptr) {
      ok_ = ok_ && left_ != 0;
      if (ok_) {
        *buffer_++ = c;
        --left_;
      }
    } else if (ok_) {
      ok_ = *expected_ == c;
      // The terminating NUL is put too: do not step over it.
      expected_ += ok_ && c != '\0' ? 1 : 0;
    }
  }

  void put_number(unsigned value) {
    if (value >= 10) {
      put_number(value / 10);
    }
    put(static_cast<char>('0' + value % 10));
  }

  bool ok() const { return ok_; }

 private:
  char* buffer_ = nullptr;
  size_t left_ = 0;
  const char* expected_ = nullptr;
  bool ok_ = true;
};

// "v1/<dtype>;<dim>,<dim>|<dtype>;…", with its NUL.
bool write_key(Span<const TensorMeta> key, KeySink sink) {
  sink.put('v');
  sink.put('1');
  sink.put('/');
  for (size_t i = 0; i < key.size(); ++i) {
    const int dtype = static_cast<int>(key[i].dtype_);
    if (dtype < 0 || dtype > 99) {
      return false;
    }
    if (i != 0) {
      sink.put('|');
    }
    sink.put_number(static_cast<unsigned>(dtype));
    sink.put(';');
    for (size_t d = 0; d < key[i].dim_order_.size(); ++d) {
      if (d != 0) {
        sink.put(',');
      }
      sink.put_number(key[i].dim_order_[d]);
    }
  }
  sink.put('\0');
  return sink.ok();
}

// The specialized kernel if there is one, else the fallback, else null.
OpFunction find_kernel(const char* name, Span<const TensorMeta> meta_list,
                       Span<const Kernel> kernels) {
  OpFunction fallback = nullptr;
  for (const Kernel& kernel : kernels) {
    if (kernel.name_ == nullptr || !mcugen::names_equal(kernel.name_, name)) {
      continue;
    }
    if (kernel.kernel_key_.is_fallback()) {
      fallback = kernel.op_;
    }
#if MCUGEN_KERNEL_KEYS
    if (!kernel.kernel_key_.is_fallback() && meta_list.size() != 0 &&
        write_key(meta_list, KeySink(kernel.kernel_key_.data()))) {
      return kernel.op_;
    }
#else
    (void)meta_list;
#endif
  }
  return fallback;
}

}  // namespace

namespace internal {

Error make_kernel_key_string(Span<const TensorMeta> key, char* buf, size_t buf_size) {
  if (key.size() == 0) {
    // No tensors: the empty string stands for the fallback.
    if (buf_size > 0) {
      buf[0] = '\0';
    }
    return Error::Ok;
  }
  return write_key(key, KeySink(buf, buf_size)) ? Error::Ok : Error::InvalidArgument;
}

}  // namespace internal

bool registry_has_op_function(const char* name, Span<const TensorMeta> meta_list) {
  return find_kernel(name, meta_list, get_registered_kernels()) != nullptr;
}

Result<OpFunction> get_op_function_from_registry(const char* name,
                                                 Span<const TensorMeta> meta_list) {
  return get_op_function_from_registry(name, meta_list, get_registered_kernels());
}

Result<OpFunction> get_op_function_from_registry(const char* name, Span<const TensorMeta> meta_list,
                                                 Span<const Kernel> kernel_list) {
  OpFunction function = find_kernel(name, meta_list, kernel_list);
  MCUGEN_CHECK(function != nullptr, OperatorMissing, "no kernel for operator %s", name);
  return function;
}

Span<const Kernel> get_registered_kernels() { return {registry.kernels, registry.size}; }

Error register_kernels(const Span<const Kernel> kernels) {
  // Only this function names the slots, so that they are dropped together with it.
  static Kernel slots[MAX_KERNEL_NUM];
  ET_CHECK_MSG(kernels.size() <= MAX_KERNEL_NUM - registry.size,
               "%zu kernels do not fit: MAX_KERNEL_NUM is %d, %zu are registered", kernels.size(),
               static_cast<int>(MAX_KERNEL_NUM), registry.size);
  registry.kernels = slots;
  for (const Kernel& kernel : kernels) {
    for (size_t i = 0; i < registry.size; ++i) {
      ET_CHECK_MSG(!mcugen::names_equal(slots[i].name_, kernel.name_) ||
                       slots[i].kernel_key_ != kernel.kernel_key_,
                   "Kernel of %s registered twice", kernel.name_);
    }
    slots[registry.size++] = kernel;
  }
  return Error::Ok;
}

}  // namespace executorch::runtime
