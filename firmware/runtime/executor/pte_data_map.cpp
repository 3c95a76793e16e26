// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/executor/pte_data_map.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>
#include <runtime/schema/program_reader.h>

namespace executorch::runtime::internal {

#if MCUGEN_NAMED_DATA

Result<PteDataMap> PteDataMap::create(DataLoader* loader, size_t segment_base_offset,
                                      const flatbuffers::FlatbufferNamedData* named_data,
                                      const flatbuffers::FlatbufferDataSegment* segments) {
  MCUGEN_CHECK(loader != nullptr && named_data != nullptr && segments != nullptr, InvalidArgument,
               "named data without loader or segments");
  for (uint32_t i = 0; i < named_data->size(); ++i) {
    const auto* item = named_data->Get(i);
    MCUGEN_CHECK(item->key() != nullptr && item->segment_index() < segments->size(), InvalidProgram,
                 "named data %u: no key, or segment %u of %u", static_cast<unsigned>(i),
                 static_cast<unsigned>(item->segment_index()),
                 static_cast<unsigned>(segments->size()));
  }
  return PteDataMap(loader, segment_base_offset, named_data, segments);
}

Result<FreeableBuffer> PteDataMap::get_data(std::string_view key) const {
  for (uint32_t i = 0; i < named_data_->size(); ++i) {
    const auto* item = named_data_->Get(i);
    if (key == std::string_view(item->key()->data(), item->key()->size())) {
      // Program::load() has checked every segment against the length of the file.
      const auto* segment = segments_->Get(item->segment_index());
      return loader_->load(
          segment_base_offset_ + static_cast<size_t>(segment->offset()),
          static_cast<size_t>(segment->size()),
          DataLoader::SegmentInfo(DataLoader::SegmentInfo::Type::External, item->segment_index()));
    }
  }
  return Error::NotFound;
}

Result<uint32_t> PteDataMap::get_num_keys() const { return named_data_->size(); }

Result<const char*> PteDataMap::get_key(uint32_t index) const {
  MCUGEN_CHECK(index < named_data_->size(), InvalidArgument, "named data %u of %u",
               static_cast<unsigned>(index), static_cast<unsigned>(named_data_->size()));
  return named_data_->Get(index)->key()->c_str();
}

#else

// Never made; std::optional<PteDataMap> in Program names the functions.

Result<PteDataMap> PteDataMap::create(DataLoader*, size_t, const flatbuffers::FlatbufferNamedData*,
                                      const flatbuffers::FlatbufferDataSegment*) {
  return Error::NotSupported;
}

Result<FreeableBuffer> PteDataMap::get_data(std::string_view) const { return Error::NotSupported; }

Result<uint32_t> PteDataMap::get_num_keys() const { return Error::NotSupported; }

Result<const char*> PteDataMap::get_key(uint32_t) const { return Error::NotSupported; }

#endif

}  // namespace executorch::runtime::internal
