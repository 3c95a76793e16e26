// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/platform/assert.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/profiler.h>

#include <cstring>

// The in-memory profiler. Its buffer is static and large (prof_buf_size each block, 80 KB with the
// header's defaults); the linker drops all of it unless something is profiled. One thread.

namespace executorch::runtime {
namespace {

struct alignas(8) Block {
  uint8_t bytes[prof_buf_size];

  prof_header_t& header() { return *reinterpret_cast<prof_header_t*>(bytes + prof_header_offset); }
  prof_event_t* events() { return reinterpret_cast<prof_event_t*>(bytes + prof_events_offset); }
  prof_allocator_t* allocators() {
    return reinterpret_cast<prof_allocator_t*>(bytes + prof_mem_alloc_info_offset);
  }
  mem_prof_event_t* allocations() {
    return reinterpret_cast<mem_prof_event_t*>(
        bytes + prof_mem_alloc_info_offset + sizeof(prof_allocator_t) * MEM_PROFILE_MAX_ALLOCATORS);
  }
};

Block blocks[MAX_PROFILE_BLOCKS];
uint32_t n_blocks = 0;
prof_state_t state = {-1, 0};

void copy_name(char* to, size_t size, const char* name) {
  memset(to, 0, size);
  for (size_t i = 0; i + 1 < size && name[i] != '\0'; ++i) {
    to[i] = name[i];
  }
}

Block& current() {
  if (n_blocks == 0) {
    profiling_create_block("default");
  }
  return blocks[n_blocks - 1];
}

}  // namespace

void profiler_init(void) { profiling_create_block("default"); }

void profiling_create_block(const char* name) {
  for (uint32_t i = 0; i < n_blocks; ++i) {
    if (strncmp(blocks[i].header().name, name, sizeof(prof_header_t::name) - 1) == 0) {
      n_blocks = i + 1;  // Go on in the block of that name, the last one from here.
      return;
    }
  }
  ET_CHECK_MSG(n_blocks < MAX_PROFILE_BLOCKS, "Only %d profiling blocks", MAX_PROFILE_BLOCKS);
  prof_header_t& header = blocks[n_blocks++].header();
  memset(&header, 0, sizeof(header));
  copy_name(header.name, sizeof(header.name), name);
  header.prof_ver = ET_PROF_VER;
  header.max_prof_entries = MAX_PROFILE_EVENTS;
  header.max_allocator_entries = MEM_PROFILE_MAX_ALLOCATORS;
  header.max_mem_prof_entries = MAX_MEM_PROFILE_EVENTS;
}

uint32_t begin_profiling(const char* name) {
  Block& block = current();
  ET_CHECK_MSG(block.header().prof_entries < MAX_PROFILE_EVENTS, "Out of profiling events");
  const uint32_t token = block.header().prof_entries++;
  prof_event_t& event = block.events()[token];
  event.end_time = 0;
  copy_name(event.name, sizeof(event.name), name);
  event.chain_idx = state.chain_idx;
  event.instruction_idx = state.instruction_idx;
  event.start_time = pal_current_ticks();
  return token;
}

void end_profiling(uint32_t token_id) {
  Block& block = current();
  ET_CHECK_MSG(token_id < block.header().prof_entries, "Invalid profiling token");
  block.events()[token_id].end_time = pal_current_ticks();
}

void dump_profile_stats(prof_result_t* prof_result) {
  prof_result->prof_data = reinterpret_cast<uint8_t*>(blocks);
  prof_result->num_bytes = n_blocks * prof_buf_size;
  prof_result->num_blocks = n_blocks;
}

void reset_profile_stats() { n_blocks = 0; }

void track_allocation(int32_t id, uint32_t size) {
  if (id == -1) {
    return;
  }
  Block& block = current();
  ET_CHECK_MSG(block.header().mem_prof_entries < MAX_MEM_PROFILE_EVENTS,
               "Out of memory profiling events");
  block.allocations()[block.header().mem_prof_entries++] = {static_cast<uint32_t>(id), size};
}

uint32_t track_allocator(const char* name) {
  Block& block = current();
  ET_CHECK_MSG(block.header().allocator_entries < MEM_PROFILE_MAX_ALLOCATORS,
               "Out of profiled allocators");
  const uint32_t id = block.header().allocator_entries++;
  copy_name(block.allocators()[id].name, PROF_NAME_MAX_LEN, name);
  block.allocators()[id].allocator_id = id;
  return id;
}

ExecutorchProfiler::ExecutorchProfiler(const char* name) : prof_tok(begin_profiling(name)) {}

ExecutorchProfiler::~ExecutorchProfiler() { end_profiling(prof_tok); }

const prof_state_t& get_profile_tls_state() { return state; }

void set_profile_tls_state(const prof_state_t& new_state) { state = new_state; }

ExecutorchProfilerInstructionScope::ExecutorchProfilerInstructionScope(
    const prof_state_t& new_state)
    : old_state_(state) {
  state = new_state;
}

ExecutorchProfilerInstructionScope::~ExecutorchProfilerInstructionScope() { state = old_state_; }

}  // namespace executorch::runtime
