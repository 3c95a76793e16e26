// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// The little of the FlatBuffers wire format that a `.pte` needs, read in place.
///
/// Nothing here checks bounds: `mcugen::verify_program()` has walked the whole buffer before the
/// first accessor is called, and has proved every offset, length, alignment and terminator that
/// these accessors rely on. The names are those that ExecuTorch's headers forward-declare.
/// Format: FlatBuffers "Internals" document. Little-endian only, like the targets.
namespace flatbuffers {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

/// Loads an aligned T without breaking the aliasing rules.
template <typename T>
inline T load(const void* address) {
  T value;
  memcpy(&value, __builtin_assume_aligned(address, alignof(T)), sizeof(T));
  return value;
}

/// A reference to a T somewhere else in the buffer: a u32 relative to its own place.
template <typename T>
struct Offset;

namespace internal {

template <typename T>
struct Element {
  using Type = T;
  static constexpr uint32_t kSize = sizeof(T);
  static T get(const uint8_t* at) { return load<T>(at); }
};

template <typename T>
struct Element<Offset<T>> {
  using Type = const T*;
  static constexpr uint32_t kSize = sizeof(uint32_t);
  static const T* get(const uint8_t* at) {
    return reinterpret_cast<const T*>(at + load<uint32_t>(at));
  }
};

}  // namespace internal

/// A u32 length, then the elements.
template <typename T, typename SizeT = uint32_t>
class Vector {
 public:
  using Element = internal::Element<T>;

  SizeT size() const { return load<SizeT>(this); }

  /// @param[in] i Less than size(): not checked.
  typename Element::Type Get(SizeT i) const {
    return Element::get(Data() + static_cast<size_t>(i) * Element::kSize);
  }

  const uint8_t* Data() const { return reinterpret_cast<const uint8_t*>(this) + sizeof(SizeT); }

  /// The elements in place. Only for vectors of scalars; aligned to the scalar.
  const T* data() const { return reinterpret_cast<const T*>(Data()); }

 private:
  Vector() = delete;
};

/// A vector of characters with a NUL behind it (not counted).
class String : public Vector<char, uint32_t> {
 public:
  const char* c_str() const { return data(); }
};

/// A table: an i32 that leads back to the vtable, then the fields the vtable locates.
class Table {
 public:
  /// @param[in] slot Byte offset of the field's entry in the vtable.
  /// @returns the address of the field, nullptr if the table does not have it.
  const uint8_t* field(uint32_t slot) const;

  template <typename T>
  T scalar(uint32_t slot, T default_value) const {
    const uint8_t* at = field(slot);
    return at == nullptr ? default_value : load<T>(at);
  }

  /// @returns the table, vector or string that the field refers to, nullptr if absent.
  template <typename T>
  const T* pointer(uint32_t slot) const {
    return static_cast<const T*>(follow(slot));
  }

 private:
  const void* follow(uint32_t slot) const;
};

/// @returns the root table of a verified buffer.
template <typename T>
inline const T* GetRoot(const void* buffer) {
  return reinterpret_cast<const T*>(static_cast<const uint8_t*>(buffer) + load<uint32_t>(buffer));
}

/// @returns the length of a vector that may be absent.
template <typename T>
inline uint32_t length(const Vector<T, uint32_t>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

}  // namespace flatbuffers
