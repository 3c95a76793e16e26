// SPDX-License-Identifier: BSD-3-Clause
//
// The generic image: a model comes over the console (frames 0x10 and 0x11), or lies in memory when
// the device starts. The arena holds, each 16-byte aligned: a header, the `.pte`, the spans of the
// planned buffers, inputs and outputs, the planned buffers, and in all the rest the method; what it
// leaves of that is its calls' temporary memory.
#include <app/crc32.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/peak_allocator.h>
#include <app/runner/arena.h>

#include <cstring>
#include <new>

namespace mcugen {
namespace {

using executorch::runtime::Error;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;
using executorch::runtime::Span;

constexpr size_t kAlignment = 16;
constexpr size_t kMaxMethodName = 63;
constexpr char kDefaultMethod[] = "forward";
constexpr uint8_t kWriteModel = 0x10;
constexpr uint8_t kLoadModel = 0x11;
constexpr uint8_t kReloadModel = 0x12;
constexpr uint8_t kOk = 0;
constexpr uint8_t kBadArgument = 3;
constexpr uint8_t kNotReady = 4;
constexpr uint8_t kLoadFailed = 6;

/// At the start of the arena: what a debugger or simulator puts there together with a `.pte`.
struct PlacedHeader {
  uint32_t magic;
  uint32_t pte_bytes;
  uint32_t pte_crc32;
  uint32_t zero;
};
static_assert(sizeof(PlacedHeader) == kAlignment, "the .pte behind it stays aligned");
constexpr uint32_t kMagic = 0x4D47434D;  // "MCGM"

// What kAppConfig says of this firmware, and, once there is one, of the model.
AppConfig g_config{};
bool g_empty = true;
char g_method_name[kMaxMethodName + 1];

PlacedHeader* header() { return reinterpret_cast<PlacedHeader*>(arena().data()); }

uint8_t* pte() { return arena().data() + sizeof(PlacedHeader); }

size_t capacity() { return arena().size() - sizeof(PlacedHeader); }

uint32_t little_endian_u32(const uint8_t* data) {
  return static_cast<uint32_t>(data[0]) | static_cast<uint32_t>(data[1]) << 8 |
         static_cast<uint32_t>(data[2]) << 16 | static_cast<uint32_t>(data[3]) << 24;
}

/// Hands out what is left of the arena, from the start.
class Rest {
 public:
  explicit Rest(size_t used) { take(used); }

  /// @returns nullptr when there is not that much left, for ever after, too.
  uint8_t* take(size_t bytes) {
    if (failed_ || bytes > arena().size() - used_) {
      failed_ = true;
      return nullptr;
    }
    uint8_t* memory = arena().data() + used_;
    const size_t left = arena().size() - used_;
    const size_t padded = bytes + (kAlignment - bytes % kAlignment) % kAlignment;
    used_ += padded < left ? padded : left;
    return memory;
  }

  size_t left() const { return arena().size() - used_; }

 private:
  size_t used_ = 0;
  bool failed_ = false;
};

/// What the method has left of its pool, which is known when it has been loaded.
class RestAllocator final : public PeakAllocator {
 public:
  RestAllocator() : PeakAllocator(0, nullptr) {}
  void* allocate(size_t size, size_t alignment) override {
    uint8_t* const begin = g_config.temp_pool.data();
    uint8_t* const memory = alignPointer(begin + used_, alignment);
    const size_t before = static_cast<size_t>(memory - begin);
    if (before > g_config.temp_pool.size() || size > g_config.temp_pool.size() - before) {
      return nullptr;
    }
    used_ = before + size;
    note(used_);
    return memory;
  }
  uint8_t* base_address() const override { return g_config.temp_pool.data(); }
  uint32_t size() const override { return static_cast<uint32_t>(g_config.temp_pool.size()); }
  size_t used_size() const override { return used_; }
  size_t free_size() const override { return size() - used_; }
  void reset() override { used_ = 0; }

 private:
  size_t used_ = 0;
};

alignas(RestAllocator) unsigned char g_rest_allocator[sizeof(RestAllocator)];

void unload() {
  model_unload();
  g_config = kAppConfig;
  g_empty = true;
}

// @returns whether it could be loaded; if not, model_describe_error() says why.
bool load(size_t pte_bytes, uint32_t crc) {
  g_config.pte = pte();
  g_config.pte_bytes = pte_bytes;
  g_config.pte_crc32 = crc;
  g_config.method_name = g_method_name;
  g_empty = false;
  model_load();
  const size_t used = model_memory().method.used;
  g_config.temp_pool = {g_config.method_pool.data() + used, g_config.method_pool.size() - used};
  return model_ready();
}

StoreAnswer write_model(const uint8_t* body, size_t bytes) {
  constexpr size_t kOffset = 4;
  if (bytes < kOffset) {
    return {kBadArgument, "out of range"};
  }
  const size_t offset = little_endian_u32(body);
  const size_t count = bytes - kOffset;
  if (offset > capacity() || count > capacity() - offset) {
    return {kBadArgument, "beyond the end of the arena"};
  }
  unload();
  header()->magic = 0;  // what was placed there is so no more
  std::memcpy(pte() + offset, body + kOffset, count);
  return {kOk, ""};
}

StoreAnswer load_model(const uint8_t* body, size_t bytes) {
  constexpr size_t kMethod = 8;  // bytes u32, CRC u32
  if (bytes < kMethod) {
    return {kBadArgument, "out of range"};
  }
  const size_t name_bytes = bytes - kMethod;
  if (name_bytes > kMaxMethodName || std::memchr(body + kMethod, 0, name_bytes) != nullptr) {
    return {kBadArgument, "bad name of a method"};
  }
  const size_t pte_bytes = little_endian_u32(body);
  if (pte_bytes > capacity()) {
    return {kBadArgument, "beyond the end of the arena"};
  }
  unload();
  std::memcpy(g_method_name, body + kMethod, name_bytes);
  g_method_name[name_bytes] = '\0';
  if (!load(pte_bytes, little_endian_u32(body + 4))) {
    return {kLoadFailed, nullptr};
  }
  return {kOk, ""};
}

StoreAnswer reload_model(size_t bytes) {
  if (bytes != 0) {
    return {kBadArgument, "out of range"};
  }
  if (g_empty) {
    return {kNotReady, nullptr};
  }
  const AppConfig loaded = g_config;
  unload();
  return load(loaded.pte_bytes, loaded.pte_crc32) ? StoreAnswer{kOk, ""}
                                                  : StoreAnswer{kLoadFailed, nullptr};
}

}  // namespace

const AppConfig& model_config() { return g_config; }

void model_store_boot() {
  unload();
  const PlacedHeader placed = *header();
  if (placed.magic == kMagic && placed.pte_bytes <= capacity()) {
    g_method_name[0] = '\0';
    load(placed.pte_bytes, placed.pte_crc32);
  }
}

bool model_store_empty() { return g_empty; }

// Without a name: "forward", or if there is none, the first method.
Error model_store_choose_method(Program& program) {
  if (g_method_name[0] != '\0') {
    return Error::Ok;
  }
  g_config.method_name = kDefaultMethod;
  for (size_t i = program.num_methods(); i > 0; --i) {
    const Result<const char*> name = program.get_method_name(i - 1);
    if (!name.ok()) {
      return name.error();
    }
    if (i == 1 || std::strcmp(name.get(), kDefaultMethod) == 0) {
      g_config.method_name = name.get();
      break;
    }
  }
  return Error::Ok;
}

Error model_store_place(MethodMeta& meta, size_t io_bytes, const char** step) {
  const size_t buffers = meta.num_memory_planned_buffers();
  Rest rest(sizeof(PlacedHeader) + g_config.pte_bytes);
  // A program's list of buffers is shorter than the program, so this does not overflow.
  auto* spans = reinterpret_cast<Span<uint8_t>*>(rest.take(buffers * sizeof(Span<uint8_t>)));
  uint8_t* io = rest.take(io_bytes);
  if (io == nullptr) {
    *step = "arena too small for inputs and outputs";
    return Error::MemoryAllocationFailed;
  }
  for (size_t i = 0; i < buffers; ++i) {
    const Result<int64_t> bytes = meta.memory_planned_buffer_size(i);
    if (!bytes.ok() || bytes.get() < 0) {
      *step = "bad size of planned memory";
      return bytes.ok() ? Error::InvalidProgram : bytes.error();
    }
    uint8_t* memory = static_cast<uint64_t>(bytes.get()) > arena().size()
                          ? nullptr
                          : rest.take(static_cast<size_t>(bytes.get()));
    if (memory == nullptr) {
      *step = "arena too small for planned memory";
      return Error::MemoryAllocationFailed;
    }
    new (&spans[i]) Span<uint8_t>(memory, static_cast<size_t>(bytes.get()));
    // Buffers that the model changes start as zeros, where the file does not say with what.
    std::memset(memory, 0, static_cast<size_t>(bytes.get()));
  }
  g_config.planned_buffers = spans;
  g_config.num_planned_buffers = buffers;
  g_config.io_pool = {io, io_bytes};
  const size_t left = rest.left();
  g_config.method_pool = {rest.take(left), left};
  return Error::Ok;
}

PeakAllocator* model_store_temp_allocator() {
  g_config.temp_pool = {};
  return new (g_rest_allocator) RestAllocator;
}

bool model_store_frame(uint8_t type, const uint8_t* body, size_t bytes, StoreAnswer* answer) {
  if (type == kWriteModel) {
    *answer = write_model(body, bytes);
  } else if (type == kLoadModel) {
    *answer = load_model(body, bytes);
  } else if (type == kReloadModel) {
    *answer = reload_model(bytes);
  } else {
    return false;
  }
  return true;
}

void model_store_info(TextWriter& out) {
  const uint8_t* io = g_config.io_pool.data();
  out.text(",\"runner\":");
  out.decimal(capacity());
  out.text(",\"pte_crc32\":");
  out.decimal(g_config.pte_crc32);
  out.text(",\"io_offset\":");
  out.decimal(io == nullptr ? 0 : static_cast<size_t>(io - arena().data()));
}

}  // namespace mcugen
