// The system below the segment back-end, whose source a test runs in the
// interleaver: chunks, metadata from an array, a kernel whose purge takes time,
// a stopped clock. Include it last: after the replacements of atomics and locks
// and after the source.
#ifndef HAKMEM_BACKEND_SEGMENT_SEGMENT_SYSTEM_TEST_HELPER_H_
#define HAKMEM_BACKEND_SEGMENT_SEGMENT_SYSTEM_TEST_HELPER_H_

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "backend/segment/segment.h"
#include "backend/slabs/lasting_parts.h"
#include "tests/interleaving/interleaver.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {

using interleaver::Require;

inline constexpr uintptr_t kFirstChunk = uintptr_t{1} << 40;
inline constexpr size_t kMaxChunks = 3;

using LinksRow = LastingParts<SegmentSlab>::Row;

struct System {
  // Metadata: zeroed, allocated from the front.
  alignas(4096) char metadata[2 << 20];
  size_t metadata_used = 0;
  size_t metadata_kept = 0;  // of those: from before the runs
  std::vector<void*> purged_metadata;
  std::vector<RemoteLink*> links;  // of the first pages of all rows
  bool links_are_purged = false;

  Mutex chunks_mutex;
  bool chunk_is_used[kMaxChunks] = {};
  std::map<uintptr_t, interleaver::Plain<int>> memory;  // by block
  std::set<uintptr_t> live;                             // blocks handed out
};

inline System& system_below = *new System;

// Writes to the memory of all blocks ever used in the range.
inline void Overwrite(uintptr_t address, size_t bytes) {
  for (auto at = system_below.memory.lower_bound(address);
       at != system_below.memory.end() && at->first < address + bytes; ++at) {
    Require(!system_below.live.contains(at->first),
            "memory of a block in use is given back");
    at->second = 0;
  }
}

void* Metadata::Allocate(size_t bytes, size_t alignment) {
  System& s = system_below;
  s.metadata_used = (s.metadata_used + alignment - 1) & ~(alignment - 1);
  void* allocated = s.metadata + s.metadata_used;
  s.metadata_used += bytes;
  if (s.metadata_used > sizeof(s.metadata)) abort();
  if (bytes == sizeof(LinksRow)) {
    s.links.push_back(static_cast<LinksRow*>(allocated)->parts);
  }
  return allocated;
}

void* Metadata::AllocatePages(size_t bytes) { return Allocate(bytes, 4096); }

// Purges the metadata of a segment, the only large objects here. Pages are of
// one byte, so that all of it is purged. What the model tracks is written
// through the model.
bool Metadata::PurgePages(void* pages,
                          size_t bytes) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  auto* chunk = static_cast<SlabChunk<SegmentSlab>*>(pages);
  Require(bytes == sizeof(*chunk),
          "what is purged is not a segment's metadata");
  if (system_below.links_are_purged) {
    for (auto* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
      interleaver::Touch(&heap->waiting_links);
    }
    for (RemoteLink* link : system_below.links) {
      if (link->page != chunk->slabs) continue;
      link->waiting.store(false, std::memory_order_relaxed);
      link->next_waiting = nullptr;
    }
  }
  for (uint32_t m = chunk->all_mask; m != 0; m &= m - 1) {
    SegmentSlab& page = chunk->slabs[std::countr_zero(m)];
    page.owner.store(nullptr, std::memory_order_relaxed);
    for (uint32_t word = 0; word < page.words(); ++word) {
      std::atomic_ref<uint64_t>(page.remote_bits[word])
          .store(0, std::memory_order_relaxed);
    }
  }
  memset(pages, 0, bytes);
  return true;
}

bool AddressStack::Push(void* address) {
  (void)spare_;
  system_below.purged_metadata.push_back(address);
  return true;
}

void* AddressStack::Pop() {
  std::vector<void*>& metadata = system_below.purged_metadata;
  if (metadata.empty()) return nullptr;
  void* address = metadata.back();
  metadata.pop_back();
  return address;
}

ChunkSource::Allocation ChunkSource::Allocate(Use, size_t, size_t) {
  MutexLock lock(system_below.chunks_mutex);
  for (size_t c = 0; c < kMaxChunks; ++c) {
    if (std::exchange(system_below.chunk_is_used[c], true)) continue;
    return {kFirstChunk + c * kChunkBytes, false, false};
  }
  return {};
}

bool ChunkSource::MakeUsable(uintptr_t, size_t) { return true; }

void ChunkSource::Free(uintptr_t address, size_t, uint64_t) {
  MutexLock lock(system_below.chunks_mutex);
  Overwrite(address, kChunkBytes);
  system_below.chunk_is_used[(address - kFirstChunk) / kChunkBytes] = false;
}

bool ChunkSource::BecomeSparse(uintptr_t) { return true; }

size_t os::PageBytes() { return 4096; }

// No window: the pagemap keeps all classes in leaves.
uint64_t os::AddressSpaceLimit() { return UINT64_MAX; }
os::Mapping os::Map(size_t, size_t, Access) { return {0, ENOMEM}; }
int os::AdviseNoHugePages(uintptr_t, size_t) { return 0; }
int os::Commit(uintptr_t, size_t) { return ENOMEM; }
void os::Release(uintptr_t, size_t) {}
constinit thread_local hakmem_failure_t internal::failure_note{};

// Other threads run meanwhile.
int os::Purge(uintptr_t address, size_t bytes) {
  Overwrite(address, bytes);
  interleaver::Touch(&system_below.metadata);
  Overwrite(address, bytes);
  return 0;
}
uint64_t os::PurgeAll(std::span<const Range> ranges) {
  for (const Range& range : ranges) Purge(range.address, range.bytes);
  return (uint64_t{1} << ranges.size()) - 1;
}

uint64_t CoarseMilliseconds() { return 1; }
uint64_t Nanoseconds() { return 1; }

constinit std::atomic<uint64_t> options::internal::values[kCount] = {};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SEGMENT_SEGMENT_SYSTEM_TEST_HELPER_H_
