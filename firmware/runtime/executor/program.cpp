// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/event_tracer_hooks.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/executor/program_validation.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>
#include <runtime/schema/program_reader.h>
#include <runtime/schema/verify_program.h>

#include <cstring>
#include <new>

namespace executorch::runtime {
namespace {

using flatbuffers::load;

constexpr size_t kIdentifierOffset = 4;

// The extended header: behind the FlatBuffer's root offset and identifier, all little-endian
// (exir/_serialize/_program.py): "eh00", u32 length of the header, u64 program size, u64 offset
// of the segments, u64 bytes of the segments (absent from old files).
constexpr size_t kExtendedHeaderOffset = 8;
constexpr uint32_t kExtendedHeaderMinLength = 24;
constexpr char kExtendedHeaderMagic[] = {'e', 'h', '0', '0'};

constexpr char kTruncated[] = "program is truncated to %zu bytes, or damaged";

struct Header {
  size_t program_bytes;
  size_t segment_base_offset;  // Zero: no segments.
  size_t segment_bytes;        // From there to the end of the data.
};

// @param[in] head The first Program::kMinHeadBytes bytes, 8-byte aligned.
Error read_header(const uint8_t* head, size_t file_bytes, Header* out) {
  const uint8_t* header = head + kExtendedHeaderOffset;
  if (memcmp(header, kExtendedHeaderMagic, sizeof(kExtendedHeaderMagic)) != 0) {
    *out = {file_bytes, 0, 0};
    return Error::Ok;
  }
  const uint32_t length = load<uint32_t>(header + 4);
  const uint64_t program_bytes = load<uint64_t>(header + 8);
  const uint64_t base = load<uint64_t>(header + 16);
  const uint64_t segment_bytes =
      length > kExtendedHeaderMinLength ? load<uint64_t>(header + 24) : 0;
  MCUGEN_CHECK_FILE(length >= kExtendedHeaderMinLength, InvalidProgram, kTruncated, file_bytes);
  MCUGEN_CHECK_FILE(program_bytes >= Program::kMinHeadBytes && program_bytes <= file_bytes,
                    InvalidProgram, kTruncated, file_bytes);
  MCUGEN_CHECK_FILE(base == 0 || (base >= program_bytes && base <= file_bytes &&
                                  segment_bytes <= file_bytes - base),
                    InvalidProgram, kTruncated, file_bytes);
  *out = {static_cast<size_t>(program_bytes), static_cast<size_t>(base),
          base == 0 ? 0 : file_bytes - static_cast<size_t>(base)};
  return Error::Ok;
}

// Every segment lies inside the file: LoadSegment() and PteDataMap rely on it.
Error check_segments(const executorch_flatbuffer::Program* program, const Header& header) {
  const auto* segments = program->segments();
  for (uint32_t i = 0; i < flatbuffers::length(segments); ++i) {
    const auto* segment = segments->Get(i);
    MCUGEN_CHECK_FILE(segment->offset() <= header.segment_bytes &&
                          segment->size() <= header.segment_bytes - segment->offset(),
                      InvalidProgram, "segment %u leaves the file", static_cast<unsigned>(i));
  }
  return Error::Ok;
}

// Replaces an empty buffer: FreeableBuffer has no assignment, and each Result in a function of its
// own costs the code to destroy it.
Error load_into_buffer(const DataLoader* loader, size_t offset, size_t size,
                       const DataLoader::SegmentInfo& info, FreeableBuffer* buffer) {
  Result<FreeableBuffer> loaded = loader->load(offset, size, info);
  if (loaded.ok()) {
    new (buffer) FreeableBuffer(std::move(*loaded));
  }
  return loaded.error();
}

Error find_plan(const executorch_flatbuffer::Program* program, const char* method_name,
                const executorch_flatbuffer::ExecutionPlan** plan) {
  const auto* plans = program->execution_plan();
  MCUGEN_CHECK(method_name != nullptr, InvalidArgument, "no method name");
  for (uint32_t i = 0; i < flatbuffers::length(plans); ++i) {
    *plan = plans->Get(i);
    const auto* name = (*plan)->name();
    if (name != nullptr && mcugen::names_equal(name->c_str(), method_name)) {
      return Error::Ok;
    }
  }
  return MCUGEN_FAIL(InvalidArgument, "no method %s in the program", method_name);
}

}  // namespace

Program::HeaderStatus Program::check_header(const void* data, size_t size) {
  if (size < kMinHeadBytes) {
    return ShortData;
  }
  const char* identifier = static_cast<const char*>(data) + kIdentifierOffset;
  if (memcmp(identifier, executorch_flatbuffer::kProgramIdentifier, 4) == 0) {
    return CompatibleVersion;
  }
  return identifier[0] == 'E' && identifier[1] == 'T' ? IncompatibleVersion : NotPresent;
}

Result<Program> Program::load(DataLoader* loader, Verification verification) {
  MCUGEN_CHECK(loader != nullptr, InvalidArgument, "no data loader");
  Result<size_t> file_bytes = loader->size();
  if (!file_bytes.ok()) {
    return file_bytes.error();
  }
  MCUGEN_CHECK_FILE(*file_bytes >= kMinHeadBytes, InvalidProgram, kTruncated, *file_bytes);
  Header header = {};
  const DataLoader::SegmentInfo info(DataLoader::SegmentInfo::Type::Program);
  alignas(8) uint8_t head[kMinHeadBytes];
  {
    FreeableBuffer buffer;
    Error error = load_into_buffer(loader, 0, kMinHeadBytes, info, &buffer);
    if (error != Error::Ok) {
      return error;
    }
    memcpy(head, buffer.data(), kMinHeadBytes);
  }
  MCUGEN_CHECK_FILE(check_header(head, kMinHeadBytes) == CompatibleVersion, InvalidProgram,
                    "not an ExecuTorch program of version %s",
                    executorch_flatbuffer::kProgramIdentifier);
  Error error = read_header(head, *file_bytes, &header);
  FreeableBuffer data;
  if (error == Error::Ok) {
    error = load_into_buffer(loader, 0, header.program_bytes, info, &data);
  }
#if MCUGEN_VERIFY_PROGRAM
  if (error == Error::Ok) {
    error = mcugen::verify_program(data.data(), data.size());
  }
#endif
  if (error != Error::Ok) {
    return error;
  }
  const auto* program = flatbuffers::GetRoot<executorch_flatbuffer::Program>(data.data());
  MCUGEN_CHECK_FILE(program->version() <= kMaxSupportedSchemaVersion, InvalidProgram,
                    "schema version %u is not known", static_cast<unsigned>(program->version()));
  error = check_segments(program, header);
  if (error != Error::Ok) {
    return error;
  }

  const auto* constant_segment = program->constant_segment();
  const bool has_constant_segment =
      constant_segment != nullptr && flatbuffers::length(constant_segment->offsets()) != 0;
  const uint32_t constant_index = has_constant_segment ? constant_segment->segment_index() : 0;
  if (has_constant_segment) {
    MCUGEN_CHECK_FILE(flatbuffers::length(program->constant_buffer()) == 0, InvalidProgram,
                      "constants both inline and in a segment");
    // A program without constants still lists the offset of entry 0, which nothing may use.
    if (flatbuffers::length(constant_segment->offsets()) > 1) {
      MCUGEN_CHECK_FILE(constant_index < flatbuffers::length(program->segments()), InvalidProgram,
                        "no segment %u", static_cast<unsigned>(constant_index));
    }
  }
  const bool load_constants =
      has_constant_segment && constant_index < flatbuffers::length(program->segments());

#if ET_ENABLE_PROGRAM_VERIFICATION
  if (verification == Verification::InternalConsistency) {
    error = validate_program(program);
    if (error != Error::Ok) {
      return error;
    }
  }
#else
  (void)verification;
#endif

  std::optional<internal::PteDataMap> pte_data_map;
#if MCUGEN_NAMED_DATA
  if (flatbuffers::length(program->named_data()) != 0 && program->segments() != nullptr) {
    Result<internal::PteDataMap> map = internal::PteDataMap::create(
        loader, header.segment_base_offset, program->named_data(), program->segments());
    if (!map.ok()) {
      return map.error();
    }
    pte_data_map.emplace(std::move(*map));
  }
#endif

  FreeableBuffer constants;
  if (load_constants) {
    const auto* segment = program->segments()->Get(constant_index);
    error = load_into_buffer(
        loader, header.segment_base_offset + static_cast<size_t>(segment->offset()),
        static_cast<size_t>(segment->size()),
        DataLoader::SegmentInfo(DataLoader::SegmentInfo::Type::Constant, constant_index),
        &constants);
    if (error != Error::Ok) {
      return error;
    }
  }
  return Program(loader, header.segment_base_offset, std::move(data), program, std::move(constants),
                 std::move(pte_data_map));
}

Result<const void*> Program::get_constant_buffer_data(size_t buffer_idx, size_t nbytes) const {
  const auto* segment = internal_program_->constant_segment();
  const auto* offsets = segment == nullptr ? nullptr : segment->offsets();
  const auto* buffers = internal_program_->constant_buffer();
  const uint8_t* data;
  uint64_t available;
  if (flatbuffers::length(offsets) != 0) {
    MCUGEN_CHECK_FILE(buffer_idx < offsets->size(), InvalidArgument, "no constant %zu", buffer_idx);
    const uint64_t offset = offsets->Get(static_cast<uint32_t>(buffer_idx));
    const size_t size = constant_segment_data_.size();
    MCUGEN_CHECK_FILE(offset <= size, InvalidProgram, "constant %zu leaves its segment",
                      buffer_idx);
    data = static_cast<const uint8_t*>(constant_segment_data_.data()) + static_cast<size_t>(offset);
    available = size - offset;
  } else {
    MCUGEN_CHECK_FILE(buffer_idx < flatbuffers::length(buffers), InvalidArgument,
                      "constant %zu of %u", buffer_idx,
                      static_cast<unsigned>(flatbuffers::length(buffers)));
    const auto* storage = buffers->Get(static_cast<uint32_t>(buffer_idx))->storage();
    data = storage == nullptr ? nullptr : storage->data();
    available = flatbuffers::length(storage);
  }
  MCUGEN_CHECK_FILE(nbytes <= available, InvalidProgram, "constant %zu is shorter than its tensor",
                    buffer_idx);
  return data;
}

Result<const NamedDataMap*> Program::get_named_data_map() const {
  if (!pte_data_map_.has_value()) {
    return Error::NotFound;
  }
  return &pte_data_map_.value();
}

size_t Program::num_methods() const {
  return flatbuffers::length(internal_program_->execution_plan());
}

Result<const char*> Program::get_method_name(size_t method_index) const {
  MCUGEN_CHECK(method_index < num_methods(), InvalidArgument, "method %zu of %zu", method_index,
               num_methods());
  const auto* name =
      internal_program_->execution_plan()->Get(static_cast<uint32_t>(method_index))->name();
  MCUGEN_CHECK(name != nullptr, InvalidProgram, "method %zu has no name", method_index);
  return name->c_str();
}

Result<Method> Program::load_method(const char* method_name, MemoryManager* memory_manager,
                                    EventTracer* event_tracer, const NamedDataMap* named_data_map,
                                    const LoadBackendOptionsMap* backend_options,
                                    Span<const Kernel> kernel_registry) const {
  internal::event_tracer_create_event_block(event_tracer, "Default");
  internal::EventTracerProfileMethodScope scope(event_tracer, "Program::load_method");
  const executorch_flatbuffer::ExecutionPlan* plan;
  Error error = find_plan(internal_program_, method_name, &plan);
  if (error != Error::Ok) {
    return error;
  }
  // The signature is the header's; nothing writes through it.
  return Method::load(const_cast<executorch_flatbuffer::ExecutionPlan*>(plan), this, memory_manager,
                      event_tracer, named_data_map, backend_options, kernel_registry);
}

Result<MethodMeta> Program::method_meta(const char* method_name) const {
  const executorch_flatbuffer::ExecutionPlan* plan;
  Error error = find_plan(internal_program_, method_name, &plan);
  if (error != Error::Ok) {
    return error;
  }
  return MethodMeta(plan);
}

Result<const char*> Program::get_output_flattening_encoding(const char* method_name) const {
  const executorch_flatbuffer::ExecutionPlan* plan;
  Error error = find_plan(internal_program_, method_name, &plan);
  if (error != Error::Ok) {
    return error;
  }
  const auto* type = plan->container_meta_type();
  const auto* encoding = type == nullptr ? nullptr : type->encoded_out_str();
  MCUGEN_CHECK(encoding != nullptr, InvalidProgram, "method %s has no output encoding",
               method_name);
  return encoding->c_str();
}

Error Program::get_backend_delegate_data(size_t index, const void** out_data,
                                         size_t* out_size) const {
  const auto* list = internal_program_->backend_delegate_data();
  MCUGEN_CHECK(index < flatbuffers::length(list), NotFound, "no delegate data %zu", index);
  const auto* data = list->Get(static_cast<uint32_t>(index))->data();
  *out_data = data == nullptr ? nullptr : data->data();
  *out_size = flatbuffers::length(data);
  return Error::Ok;
}

Result<FreeableBuffer> Program::LoadSegment(const DataLoader::SegmentInfo& segment_info) const {
  const auto* segments = internal_program_->segments();
  const size_t index = segment_info.segment_index;
  MCUGEN_CHECK(loader_ != nullptr && index < flatbuffers::length(segments), NotFound,
               "no segment %u", static_cast<unsigned>(index));
  const auto* segment = segments->Get(static_cast<uint32_t>(index));
  return loader_->load(segment_base_offset_ + static_cast<size_t>(segment->offset()),
                       static_cast<size_t>(segment->size()), segment_info);
}

Error Program::load_mutable_subsegment_into(size_t mutable_data_segments_index, size_t offset_index,
                                            size_t size, void* buffer) const {
  const auto* segments = internal_program_->segments();
  const auto* lists = internal_program_->mutable_data_segments();
  const auto* list = mutable_data_segments_index < flatbuffers::length(lists)
                         ? lists->Get(static_cast<uint32_t>(mutable_data_segments_index))
                         : nullptr;
  MCUGEN_CHECK_FILE(loader_ != nullptr && list != nullptr &&
                        offset_index < flatbuffers::length(list->offsets()) &&
                        list->segment_index() < flatbuffers::length(segments),
                    NotFound, "no mutable data %zu", offset_index);
  const uint32_t index = list->segment_index();
  const uint64_t offset = list->offsets()->Get(static_cast<uint32_t>(offset_index));
  const auto* segment = segments->Get(index);
  MCUGEN_CHECK_FILE(offset <= segment->size() && size <= segment->size() - offset, InvalidProgram,
                    "mutable data %zu leaves its segment", offset_index);
  return loader_->load_into(
      segment_base_offset_ + static_cast<size_t>(segment->offset() + offset), size,
      DataLoader::SegmentInfo(DataLoader::SegmentInfo::Type::Mutable, index), buffer);
}

}  // namespace executorch::runtime
