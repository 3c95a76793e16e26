// SPDX-License-Identifier: BSD-3-Clause
#include <runtime/platform/fail.h>
#include <runtime/schema/program_reader.h>
#include <runtime/schema/verify_program.h>

namespace flatbuffers {

const uint8_t* Table::field(uint32_t slot) const {
  const uint8_t* table = reinterpret_cast<const uint8_t*>(this);
  const uint8_t* vtable = table - load<int32_t>(table);
  if (slot >= load<uint16_t>(vtable)) {
    return nullptr;
  }
  const uint16_t at = load<uint16_t>(vtable + slot);
  return at == 0 ? nullptr : table + at;
}

const void* Table::follow(uint32_t slot) const {
  const uint8_t* at = field(slot);
  return at == nullptr ? nullptr : at + load<uint32_t>(at);
}

}  // namespace flatbuffers

namespace mcugen {
namespace {

using executorch::runtime::Error;
using flatbuffers::load;

// Positions are offsets from the start of the buffer; each fits 28 bits.
constexpr uint32_t kMaxSize = 1u << 28;

class Verifier {
 public:
  Verifier(const uint8_t* data, uint32_t size) : data_(data), size_(size), budget_(4 * size) {}

  bool root() {
    uint32_t at;
    return follow(0, &at) && table(at, schema::kRootTable);
  }

  uint32_t failed_table() const { return failed_table_; }
  uint32_t failed_at() const { return failed_at_; }

 private:
  // Is [at, at + length) inside the buffer, and `at` a multiple of `alignment`? Charges the bytes.
  bool take(uint32_t at, uint32_t length, uint32_t alignment) {
    failed_at_ = at;
    if (at > size_ || length > size_ - at || (at & (alignment - 1)) != 0 || length > budget_) {
      return false;
    }
    budget_ -= length;
    return true;
  }

  // The u32 at `at` is known to be inside. Its target has room for a u32 of its own.
  bool follow(uint32_t at, uint32_t* target) {
    const uint32_t offset = load<uint32_t>(data_ + at);
    failed_at_ = at;
    if (offset == 0 || offset > size_ - at) {
      return false;
    }
    *target = at + offset;
    return take(*target, sizeof(uint32_t), sizeof(uint32_t));
  }

  bool vector(uint32_t at, uint32_t element_bytes) {
    const uint32_t length = load<uint32_t>(data_ + at);
    return length <= size_ / element_bytes &&
           take(at + sizeof(uint32_t), length * element_bytes, element_bytes);
  }

  bool string(uint32_t at) {
    if (!vector(at, 1)) {
      return false;
    }
    const uint32_t end = at + sizeof(uint32_t) + load<uint32_t>(data_ + at);
    return take(end, 1, 1) && data_[end] == 0;
  }

  bool fail(uint32_t index) {
    // The innermost table is the one to name.
    if (failed_table_ == kNone) {
      failed_table_ = index;
    }
    return false;
  }

  // The i32 at `at` is known to be inside and aligned.
  bool table(uint32_t at, uint32_t index) {
    // Two's complement wrap-around makes a vtable in front of the buffer a huge position.
    const uint32_t vtable = at - load<uint32_t>(data_ + at);
    if (!take(vtable, 2 * sizeof(uint16_t), sizeof(uint16_t))) {
      return fail(index);
    }
    const uint32_t vtable_bytes = load<uint16_t>(data_ + vtable);
    // Even: the accessors take a slot that starts inside the vtable to end there too.
    if (vtable_bytes < 4 || (vtable_bytes & 1) != 0 || !take(vtable, vtable_bytes, 2)) {
      return fail(index);
    }
    // The size of the table, behind that of the vtable, says nothing: FlatBuffers' Python builder
    // lets tables of different sizes share a vtable. Each field is checked against the buffer.
    const uint8_t* field = schema::kFields + 2 * schema::kFirstField[index];
    const uint8_t* end = schema::kFields + 2 * schema::kFirstField[index + 1];
    uint32_t union_type = 0;
    for (uint32_t slot = 4; field != end && slot + 2 <= vtable_bytes; slot += 2, field += 2) {
      const uint32_t offset = load<uint16_t>(data_ + vtable + slot);
      const uint32_t bytes = field[0] == schema::kScalar ? field[1] : sizeof(uint32_t);
      if (offset == 0) {
        union_type = 0;
        continue;
      }
      if (offset < 4 || !take(at + offset, bytes, bytes)) {
        return fail(index);
      }
      if (field[0] == schema::kScalar) {
        union_type = data_[at + offset];  // Meaningful only if a union comes next.
        continue;
      }
      uint32_t target;
      if (!follow(at + offset, &target) || !value(target, field[0], field[1], union_type)) {
        return fail(index);
      }
    }
    return true;
  }

  bool value(uint32_t at, uint8_t kind, uint8_t argument, uint32_t union_type) {
    switch (kind) {
      case schema::kString:
        return string(at);
      case schema::kVector:
        return vector(at, argument);
      case schema::kTable:
        return table(at, argument);
      case schema::kTableVector: {
        if (!vector(at, sizeof(uint32_t))) {
          return false;
        }
        const uint32_t length = load<uint32_t>(data_ + at);
        for (uint32_t i = 0; i < length; ++i) {
          uint32_t target;
          at += sizeof(uint32_t);
          if (!follow(at, &target) || !table(target, argument)) {
            return false;
          }
        }
        return true;
      }
      default: {  // kUnion
        const uint32_t first = schema::kFirstMember[argument];
        const uint32_t members = schema::kFirstMember[argument + 1] - first;
        // A type we do not know cannot be checked, so it cannot be allowed.
        return union_type >= 1 && union_type <= members &&
               table(at, schema::kMembers[first + union_type - 1]);
      }
    }
  }

  static constexpr uint32_t kNone = 0xFFFFFFFF;  // The root offset itself; logged as -1.

  const uint8_t* const data_;
  const uint32_t size_;
  uint32_t budget_;  // Bytes that may still be visited.
  uint32_t failed_table_ = kNone;
  uint32_t failed_at_ = 0;
};

}  // namespace

Error verify_program(const void* data, size_t size) {
  MCUGEN_CHECK((reinterpret_cast<uintptr_t>(data) & 7) == 0, InvalidArgument,
               "program data at %p is not 8-byte aligned", data);
  MCUGEN_CHECK(size >= 8 && size < kMaxSize, InvalidProgram, "program of %zu bytes", size);
  Verifier verifier(static_cast<const uint8_t*>(data), static_cast<uint32_t>(size));
  if (!verifier.root()) {
    // Names would cost 400 bytes; program_reader.h numbers its tables in a comment each.
    return MCUGEN_FAIL(InvalidProgram, "damaged program: byte 0x%x of 0x%zx, schema table %d",
                       static_cast<unsigned>(verifier.failed_at()), size,
                       static_cast<int>(verifier.failed_table()));
  }
  return Error::Ok;
}

}  // namespace mcugen
