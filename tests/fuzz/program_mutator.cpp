// SPDX-License-Identifier: BSD-3-Clause
// A custom mutator for fuzz_program.cpp. Random bytes rarely get past the check of the FlatBuffer's
// structure; this one walks the structure by the schema's tables, as the firmware's verifier does,
// and changes what it finds there: numbers, lengths, list items, names, references.

#include <executorch/runtime/kernel/operator_registry.h>
#include <runtime/schema/program_reader.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
#include <vector>

#include "op_table.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

namespace schema = mcugen::schema;

#define OPERATOR(name, function) name,
const char* const kNames[] = {FUZZ_OPERATORS};
#undef OPERATOR

enum Kind : uint8_t { kNumber, kNumbers, kReference, kReferences, kText, kSlot };

struct Site {
  Kind kind;
  uint8_t bytes;   // of a number; of an element
  uint8_t target;  // what a reference leads to, so that it can be led to another such
  uint32_t at;
};

struct Target {
  uint8_t type;
  uint32_t at;
};

constexpr uint8_t kTextTarget = 0xFF;
constexpr uint8_t kVectorTarget = 0xFE;
constexpr size_t kMostSites = 20000;

class Walker {
 public:
  Walker(const uint8_t* data, uint32_t size) : data_(data), size_(size) {
    uint32_t root;
    if (size >= 8 && follow(0, &root)) {
      table(root, schema::kRootTable, 0);
    }
  }

  std::vector<Site> sites;
  std::vector<Target> targets;

 private:
  uint32_t load32(uint32_t at) const {
    uint32_t value;
    memcpy(&value, data_ + at, 4);
    return value;
  }
  uint16_t load16(uint32_t at) const {
    uint16_t value;
    memcpy(&value, data_ + at, 2);
    return value;
  }
  bool inside(uint64_t at, uint64_t bytes) const { return at + bytes <= size_; }

  bool follow(uint32_t at, uint32_t* target) const {
    const uint64_t to = uint64_t(at) + load32(at);
    *target = static_cast<uint32_t>(to);
    return to != at && inside(to, 4);
  }

  void reference(uint32_t at, uint8_t kind, uint8_t argument) {
    uint32_t to;
    if (!follow(at, &to)) {
      return;
    }
    const uint8_t type = kind == schema::kString  ? kTextTarget
                         : kind == schema::kTable ? argument
                                                  : kVectorTarget;
    sites.push_back({kReference, 4, type, at});
    targets.push_back({type, to});
  }

  void table(uint32_t at, uint8_t index, int depth) {
    const uint32_t vtable = at - load32(at);
    if (depth > 8 || sites.size() > kMostSites || !inside(vtable, 4) ||
        !inside(vtable, load16(vtable))) {
      return;
    }
    const uint32_t vtable_bytes = load16(vtable);
    uint32_t union_type = 0;
    uint32_t slot = vtable + 4;
    for (uint32_t f = schema::kFirstField[index];
         f < schema::kFirstField[index + 1] && slot + 2 <= vtable + vtable_bytes; ++f, slot += 2) {
      const uint8_t kind = schema::kFields[2 * f];
      const uint8_t argument = schema::kFields[2 * f + 1];
      const uint32_t offset = load16(slot);
      if (offset == 0 || !inside(uint64_t(at) + offset, 8)) {
        continue;
      }
      sites.push_back({kSlot, 2, 0, slot});
      const uint32_t field = at + offset;
      if (kind == schema::kScalar) {
        sites.push_back({kNumber, argument, 0, field});
        union_type = data_[field];
        continue;
      }
      uint32_t to;
      if (!follow(field, &to)) {
        continue;
      }
      if (kind == schema::kUnion) {
        const uint32_t first = schema::kFirstMember[argument];
        if (union_type >= 1 && first + union_type <= schema::kFirstMember[argument + 1]) {
          const uint8_t member = schema::kMembers[first + union_type - 1];
          reference(field, schema::kTable, member);
          table(to, member, depth + 1);
        }
        continue;
      }
      reference(field, kind, argument);
      value(to, kind, argument, depth);
    }
  }

  void value(uint32_t at, uint8_t kind, uint8_t argument, int depth) {
    const uint32_t length = load32(at);
    switch (kind) {
      case schema::kString:
        if (inside(uint64_t(at) + 5, length)) {
          sites.push_back({kText, 1, 0, at});
        }
        break;
      case schema::kVector:
        if (inside(uint64_t(at) + 4, uint64_t(length) * argument)) {
          sites.push_back({kNumbers, argument, 0, at});
        }
        break;
      case schema::kTable:
        table(at, argument, depth + 1);
        break;
      case schema::kTableVector:
        if (!inside(uint64_t(at) + 4, uint64_t(length) * 4)) {
          break;
        }
        sites.push_back({kReferences, 4, argument, at});
        for (uint32_t i = 0; i < length; ++i) {
          uint32_t to;
          if (follow(at + 4 + 4 * i, &to)) {
            reference(at + 4 + 4 * i, schema::kTable, argument);
            table(to, argument, depth + 1);
          }
        }
        break;
      default:
        break;
    }
  }

  const uint8_t* data_;
  uint32_t size_;
};

class Mutator {
 public:
  Mutator(uint8_t* data, uint32_t size, unsigned seed) : data_(data), size_(size), random_(seed) {}

  void mutate() {
    for (uint32_t changes = 1 + below(3) * below(2); changes > 0; --changes) {
      Walker walker(data_, size_);
      if (walker.sites.empty()) {
        return;
      }
      // Numbers are most of what there is, and references are what breaks most easily.
      const Site& site = walker.sites[below(static_cast<uint32_t>(walker.sites.size()))];
      switch (site.kind) {
        case kNumber:
          number(site.at, site.bytes);
          break;
        case kNumbers:
          numbers(site);
          break;
        case kReference:
          retarget(site.at, site.target, walker.targets);
          break;
        case kReferences:
          references(site, walker.targets);
          break;
        case kText:
          text(site.at);
          break;
        case kSlot:
          if (below(4) == 0) {
            memset(data_ + site.at, 0, 2);  // the field takes its default
          }
          break;
      }
    }
  }

 private:
  uint32_t below(uint32_t end) { return end == 0 ? 0 : static_cast<uint32_t>(random_() % end); }

  void number(uint32_t at, uint32_t bytes) {
    if (uint64_t(at) + bytes > size_) {
      return;
    }
    uint64_t value = 0;
    memcpy(&value, data_ + at, bytes);
    switch (below(9)) {
      case 0:
      case 1:
        value += uint64_t{below(5)} - 2;
        break;
      case 2:
      case 3:
        value = below(12);
        break;
      case 4:
        value = -uint64_t{below(12)};
        break;
      case 5:
        value ^= uint64_t{1} << below(8 * bytes);
        break;
      case 6: {
        static constexpr int64_t kEdges[] = {INT8_MIN,           INT8_MAX,
                                             UINT8_MAX,          INT16_MAX,
                                             INT32_MIN,          INT32_MAX,
                                             UINT32_MAX,         INT64_MIN,
                                             INT64_MAX,          1 << 16,
                                             int64_t(1) << 32,   0x7FC00000,
                                             0x7F800000,         0x3F800000,
                                             0x00000001,         0x4F000000,
                                             0x7FF0000000000000, 0x3FF0000000000000,
                                             0x7FF8000000000000, 0x43E0000000000000,
                                             -0x10000000000000,  0x41DFFFFFFFC00000};
        value = static_cast<uint64_t>(kEdges[below(std::size(kEdges))]);
        break;
      }
      case 7:
        value = below(2) != 0 ? value * 2 : value / 2;
        break;
      default:
        value = random_();
        break;
    }
    memcpy(data_ + at, &value, bytes);
  }

  void numbers(const Site& site) {
    uint32_t length;
    memcpy(&length, data_ + site.at, 4);
    if (length == 0 || below(6) == 0) {
      number(site.at, 4);
      return;
    }
    const uint32_t i = below(length);
    const uint32_t j = below(length);
    const uint64_t first = uint64_t(site.at) + 4 + uint64_t(i) * site.bytes;
    const uint64_t second = uint64_t(site.at) + 4 + uint64_t(j) * site.bytes;
    if (std::max(first, second) + site.bytes > size_) {
      return;
    }
    if (below(4) == 0) {
      std::swap_ranges(data_ + first, data_ + first + site.bytes, data_ + second);
    } else {
      number(static_cast<uint32_t>(first), site.bytes);
    }
  }

  // References lead forward only.
  void retarget(uint32_t at, uint8_t type, const std::vector<Target>& targets) {
    for (int tries = 0; tries < 16; ++tries) {
      const Target& target = targets[below(static_cast<uint32_t>(targets.size()))];
      if ((target.type == type || below(64) == 0) && target.at > at) {
        const uint32_t offset = target.at - at;
        memcpy(data_ + at, &offset, 4);
        return;
      }
    }
  }

  void references(const Site& site, const std::vector<Target>& targets) {
    uint32_t length;
    memcpy(&length, data_ + site.at, 4);
    if (length == 0 || below(3) == 0) {
      if (length != 0 && below(2) == 0) {
        --length;
        memcpy(data_ + site.at, &length, 4);
      } else {
        number(site.at, 4);
      }
      return;
    }
    const uint64_t at = uint64_t(site.at) + 4 + 4 * uint64_t(below(length));
    if (at + 4 <= size_) {
      retarget(static_cast<uint32_t>(at), site.target, targets);
    }
  }

  // Another operator's name, or its overload, where it fits the room that the old one leaves.
  void text(uint32_t at) {
    uint32_t length;
    memcpy(&length, data_ + at, 4);
    const uint32_t room = length | 3;  // the terminator is padded to four bytes
    if (uint64_t(at) + 4 + room + 1 > size_) {
      return;
    }
    if (below(4) == 0) {
      if (length != 0) {
        number(at + 4 + below(length), 1);
      }
      return;
    }
    const char* name = kNames[below(std::size(kNames))];
    const char* dot = strrchr(name, '.');
    uint32_t bytes =
        dot == nullptr ? static_cast<uint32_t>(strlen(name)) : static_cast<uint32_t>(dot - name);
    if (dot != nullptr && memchr(data_ + at + 4, ':', length) == nullptr) {
      name = dot + 1;
      bytes = static_cast<uint32_t>(strlen(name));
    }
    if (bytes <= room) {
      memcpy(data_ + at, &bytes, 4);
      memcpy(data_ + at + 4, name, bytes);
      data_[at + 4 + bytes] = 0;
    }
  }

  uint8_t* data_;
  uint32_t size_;
  std::minstd_rand random_;
};

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  if (seed % 16 == 0 || size < 16) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  Mutator(data, static_cast<uint32_t>(size), seed | 1).mutate();
  return size;
}
