#include "backend/large/large_state.h"

#include <algorithm>

#include "backend/large/large_guards.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "hardening/levels.h"
#include "tracing/counters/counters.h"
#include "tracing/failures/failure_note.h"

namespace hakmem::large {

LargeBlock* BlockAt(PagemapEntry entry) {
  return entry.kind() == PagemapEntryKind::kLarge &&
                 entry.chunk()->base == entry.address
             ? static_cast<LargeBlock*>(entry.chunk())
             : nullptr;
}

void Begin(LargeBlock* block, uintptr_t address, size_t bytes) {
  block->base = address;
  // Written once: threads that look up what else lies in the chunk read it at
  // any time.
  if (block->kind != ChunkKind::kLarge) block->kind = ChunkKind::kLarge;
  block->is_in_use = false;
  block->guarded = 0;
  block->bytes = bytes;
  block->tail = 0;
  block->asked_for_huge_pages = false;
  block->is_end_joined = false;
  block->borders = 1;
  block->is_zero = false;
}

os::Mapping MapBlock(size_t bytes, size_t alignment) {
  Count(Event::kMapCall);
  const os::Mapping m = kGuardsMemory
                            ? MapGuarded(bytes, alignment)
                            : os::Map(bytes, alignment, os::Access::kReadWrite);
  if (!m) {
    Count(Event::kMapFailure);
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, m.error, m.refused);
  }
  return m;
}

void SetBorders(LargeBlock* block, uint64_t bits) {
  borders -= block->CountBorders();
  block->borders = bits;
  borders += block->CountBorders();
}

void SetTail(LargeBlock* block, size_t bytes) {
  if (block->tail != 0) tails.Remove(block);
  bytes_cached += bytes - block->tail;
  DirtyBytes::Add(bytes);
  DirtyBytes::Subtract(block->tail);
  block->tail = bytes;
  if (bytes == 0) return;
  block->shrunk_at = CoarseMilliseconds();
  tails.PushBack(block);
}

void EnterInUse(LargeBlock* block) {
  block->is_in_use = true;
  block->origin = Origin::kUnknown;
  blocks.PushFront(block);
  bytes_in_use += block->bytes;
}

void LeaveUse(LargeBlock* block) {
  block->is_in_use = false;
  blocks.Remove(block);
  bytes_in_use -= block->bytes;
  freed_last.Add(block->base, block->bytes);
  const size_t tail = block->tail;
  SetTail(block, 0);
  block->bytes += tail;
  Pagemap::SetChunk(block->base, nullptr);
}

void EnterCachedAsNewest(LargeBlock* block) {
  cached.PushBack(block);
  bytes_cached += block->bytes;
  DirtyBytes::Add(block->bytes);
}

void EnterCachedAsOldest(LargeBlock* block) {
  cached.PushFront(block);
  bytes_cached += block->bytes;
  DirtyBytes::Add(block->bytes);
}

void RemoveCached(LargeBlock* block) {
  cached.Remove(block);
  bytes_cached -= block->bytes;
  DirtyBytes::Subtract(block->bytes);
}

void DeleteMetadata(LargeBlock* block) {
  if (!block->IsOneMapping()) {
    MutexLock lock(mutex);
    borders -= block->CountBorders();
  }
  block_pool.Put(block);
}

namespace {

// Stores `block`, which is in no list, after the kernel refused to unmap it.
void KeepPendingUnmap(LargeBlock* block) {
  block->is_zero = os::Purge(block->base, block->bytes) == 0;
  MutexLock lock(mutex);
  pending_unmap.PushBack(block);
  pending_unmap_count.fetch_add(1, std::memory_order_relaxed);
}

LargeBlock* Take(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  pending_unmap.Remove(block);
  pending_unmap_count.fetch_sub(1, std::memory_order_relaxed);
  return block;
}

}  // namespace

size_t UnmapBlock(LargeBlock* block) {
  const size_t bytes = block->bytes;
  const size_t guarded = block->guarded;
  if (guarded != 0) {
    const uintptr_t address = block->base;
    DeleteMetadata(block);
    os::Release(address - guarded, guarded + bytes + os::PageBytes());
  } else if (os::Unmap(block->base, bytes) == 0) {
    DeleteMetadata(block);
  } else {
    KeepPendingUnmap(block);
  }
  return bytes;
}

void UnmapPart(uintptr_t address, size_t bytes) {
  if (os::Unmap(address, bytes) == 0) return;
  LargeBlock* block = block_pool.Get();
  if (block == nullptr) return os::Release(address, bytes);
  Begin(block, address, bytes);
  // It may be several kernel mappings; such a block is not grown.
  {
    MutexLock lock(mutex);
    SetBorders(block, 0b11);
  }
  KeepPendingUnmap(block);
}

void RetryPendingUnmaps() {
  if (pending_unmap_count.load(std::memory_order_relaxed) == 0) return;
  MutexLock lock(mutex);
  while (LargeBlock* block = pending_unmap.front()) {
    Take(block);
    mutex.Unlock();
    const bool is_refused = os::Unmap(block->base, block->bytes) != 0;
    if (!is_refused) DeleteMetadata(block);
    mutex.Lock();
    if (!is_refused) continue;
    pending_unmap.PushBack(block);
    pending_unmap_count.fetch_add(1, std::memory_order_relaxed);
    return;
  }
}

LargeBlock* TakePendingUnmap(size_t size, size_t alignment, size_t room) {
  if (pending_unmap_count.load(std::memory_order_relaxed) == 0) return nullptr;
  MutexLock lock(mutex);
  LargeBlock* best = nullptr;
  for (LargeBlock* block = pending_unmap.front(); block != nullptr;
       block = pending_unmap.Next(block)) {
    if (block->bytes < size || block->bytes - size > room) continue;
    if (block->base % std::max(alignment, kChunkBytes) != 0) continue;
    if (best == nullptr || block->bytes < best->bytes) best = block;
  }
  return best == nullptr ? nullptr : Take(best);
}

}  // namespace hakmem::large
