#include "backend/large.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/metadata.h"
#include "base/intrusive_list.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/os_memory.h"
#include "tracing/counters.h"
#include "tracing/failure_note.h"

namespace hakmem {
namespace {

struct LargeBlock : Chunk, ListNode<LargeBlock> {
  LargeBlock* pool_next;
  size_t bytes;  // of the mapping, all of it usable
};

constinit MetadataPool<LargeBlock> block_pool;
constinit Mutex mutex;
constinit IntrusiveList<LargeBlock> blocks ABSL_GUARDED_BY(mutex);
constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;

// 0 when `bytes` is beyond what address arithmetic holds.
size_t RoundToPages(size_t bytes) {
  const size_t page = std::max(os::PageBytes(), kPageBytes);
  return bytes + page - 1 < bytes ? 0 : (bytes + page - 1) & ~(page - 1);
}

// The block that starts at `address`; null when none does.
LargeBlock* BlockAt(uintptr_t address) {
  Chunk* chunk = AddressMap::ChunkAt(address);
  if (chunk == nullptr || chunk->kind != ChunkKind::kLarge ||
      chunk->base != address) {
    return nullptr;
  }
  return static_cast<LargeBlock*>(chunk);
}

void AdviseHugePagesIfAsked(uintptr_t address, size_t bytes) {
  if (options::Get(options::k_huge_pages) == 0) return;
  // Only advice: a kernel without huge pages refuses, and nothing is lost.
  (void)os::AdviseHugePages(address, bytes);
}

// Moves the block's pages to a new place of `size` bytes. Returns false, with
// everything as it was, when the OS refuses.
bool Move(LargeBlock* block, size_t size) {
  const uintptr_t from = block->base;
  const os::Mapping to = os::Map(size, kChunkBytes, os::Access::kNone);
  if (!to) {
    NoteMapFail(OsRequest::kGrowLarge, to.error, size);
    return false;
  }
  bool moved = AddressMap::SetChunk(to.address, block);
  if (moved) {
    // Before the pages leave: another thread may be given the place they left.
    AddressMap::SetChunk(from, nullptr);
    const int error = os::MoveTo(from, block->bytes, size, to.address);
    moved = error == 0;
    if (!moved) {
      NoteMapFail(OsRequest::kGrowLarge, error, size);
      AddressMap::SetChunk(from, block);
      AddressMap::SetChunk(to.address, nullptr);
    }
  }
  if (!moved) {
    (void)os::Unmap(to.address, size);  // nothing lies there yet
    return false;
  }
  MutexLock lock(mutex);
  block->base = to.address;
  return true;
}

}  // namespace

SpanAllocation Large::Allocate(size_t bytes, size_t alignment) {
  const size_t size = RoundToPages(bytes);
  if (size == 0) return {};
  LargeBlock* block = block_pool.Get();
  if (block == nullptr) return {};
  Count(Event::kMapCall);
  const os::Mapping m =
      os::Map(size, std::max(alignment, kChunkBytes), os::Access::kReadWrite);
  if (!m) {
    Count(Event::kMapFailure);
    NoteMapFail(OsRequest::kMapLarge, m.error, size);
    block_pool.Put(block);
    return {};
  }
  AdviseHugePagesIfAsked(m.address, size);
  block->base = m.address;
  block->kind = ChunkKind::kLarge;
  block->bytes = size;
  if (!AddressMap::SetChunk(m.address, block)) {
    (void)os::Unmap(m.address,
                    size);  // as mapped just now, it can't be refused
    block_pool.Put(block);
    return {};
  }
  MutexLock lock(mutex);
  blocks.PushFront(block);
  bytes_in_use += size;
  return {m.address, true};
}

size_t Large::BytesAt(uintptr_t address) {
  const LargeBlock* block = BlockAt(address);
  return block == nullptr ? 0 : block->bytes;
}

bool Large::Free(uintptr_t address) {
  LargeBlock* block;
  {
    MutexLock lock(mutex);
    block = BlockAt(address);
    if (block == nullptr) return false;
    blocks.Remove(block);
    bytes_in_use -= block->bytes;
    AddressMap::SetChunk(address, nullptr);
  }
  const size_t bytes = block->bytes;
  block_pool.Put(block);
  // The kernel refuses when the hole would split a mapping beyond
  // vm.max_map_count. Then at least the memory goes back.
  if (os::Unmap(address, bytes) != 0) (void)os::Purge(address, bytes);
  return true;
}

uintptr_t Large::Resize(uintptr_t address, size_t bytes) {
  LargeBlock* block = BlockAt(address);
  const size_t size = RoundToPages(bytes);
  if (block == nullptr || size == 0) return 0;
  const size_t old_size = block->bytes;
  if (size == old_size) return address;
  Count(Event::kMapCall);
  if (os::ResizeInPlace(address, old_size, size) != 0 && !Move(block, size)) {
    Count(Event::kMapFailure);
    return 0;
  }
  MutexLock lock(mutex);
  bytes_in_use += size - old_size;
  block->bytes = size;
  return block->base;
}

uintptr_t Large::BlockAround(uintptr_t address) {
  MutexLock lock(mutex);
  for (LargeBlock* block = blocks.front(); block != nullptr;
       block = blocks.Next(block)) {
    if (address - block->base < block->bytes) return block->base;
  }
  return 0;
}

size_t Large::BytesInUse() {
  MutexLock lock(mutex);
  return bytes_in_use;
}

void Large::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Lock();
  block_pool.LockForFork();
}

void Large::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  block_pool.UnlockAfterFork();
  mutex.Unlock();
}

}  // namespace hakmem
