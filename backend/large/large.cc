#include "backend/large/large.h"

#include <algorithm>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "backend/large/large_block.h"
#include "backend/large/large_density.h"
#include "backend/large/large_guards.h"
#include "backend/large/large_pieces.h"
#include "backend/large/large_runs.h"
#include "backend/large/large_state.h"
#include "backend/memory/huge_pages.h"
#include "backend/memory/pagemap.h"
#include "backend/memory/purge_turn.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "hardening/levels.h"
#include "tracing/counters/counters.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): one part of it.
using namespace large;

// From this length on a growing block asks for huge pages: the last of them,
// partly touched, adds at most a quarter to the memory requested.
constexpr size_t kMinHugeBytes = 4 * kChunkBytes;

// Limit of cached blocks and tails together: this multiple of the bytes in use,
// within bounds. Beyond it the oldest blocks are unmapped.
constexpr size_t kCachedTimes = 4;
constexpr size_t kMinCachedBytes = size_t{32} << 20;
constexpr size_t kMaxCachedBytes = size_t{512} << 20;

// The shortest block assembled from pieces. Vectors that outgrow spans use
// shorter ones, which should be one mapping, so that mremap can grow them.
constexpr size_t kMinMovedBytes = kChunkBytes + 1;
// The longest that is assembled or cached. A longer one is an array that may
// grow without end, and growing it should move pages, not bytes.
constexpr size_t kMaxCachedBlock = size_t{32} << 20;
// The longest tail: this much may soon be filled again.
constexpr size_t kMaxTail = size_t{16} << 20;

// From this length on blocks are whole chunks: at most a quarter longer than
// requested. The excess is never touched, but may be resident: in an assembled
// block, in a reused cached one, and where the last requested page lies in a
// huge one.
constexpr size_t kMinWholeBytes = 4 * kChunkBytes;

// 0 when rounding `bytes` up overflows.
size_t RoundToPages(size_t bytes) {
  const size_t page = std::max(os::PageBytes(), kPageBytes);
  return bytes + page - 1 < bytes ? 0 : (bytes + page - 1) & ~(page - 1);
}

// Length of the mapping for `bytes`: whole chunks for a long block, so that all
// of it can move to other blocks later. 0 as above.
size_t MappedBytes(size_t bytes) {
  const size_t size = RoundToPages(bytes);
  return size < kMinWholeBytes ? size : RoundToChunks(size);
}

void SetBytes(LargeBlock* block, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  bytes_in_use += bytes - block->bytes;
  block->bytes = bytes;
}

size_t CacheBudget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  return std::clamp(bytes_in_use * kCachedTimes, kMinCachedBytes,
                    kMaxCachedBytes);
}

// Moves the block's `mapped` bytes of pages to a new place of `size` bytes.
// Everything is unchanged when the OS refuses.
Large::Resized Move(LargeBlock* block, size_t mapped, size_t size) {
  const uintptr_t from = block->base;
  const size_t guarded = kGuardsMemory ? kChunkBytes : 0;
  const os::Mapping to = kGuardsMemory
                             ? MapGuarded(size, guarded)
                             : os::Map(size, kChunkBytes, os::Access::kNone);
  if (!to) {
    NoteMapFail(HAKMEM_OS_REQUEST_GROW_LARGE, to.error, to.refused);
    return {.is_refused = true};
  }
  // Tests whether the pagemap has room for the new place; then it cannot refuse
  // below.
  if (!Pagemap::SetChunk(to.address, block)) {
    os::Release(to.address, size);
    ReleaseGuards(to.address, size, guarded);
    return {};
  }
  // Clears both entries before the pages move: another thread may be given the
  // old place, or the new one if the move fails.
  Pagemap::SetChunk(to.address, nullptr);
  Pagemap::SetChunk(from, nullptr);
  if (const int error = os::MoveTo(from, mapped, size, to.address)) {
    NoteMapFail(HAKMEM_OS_REQUEST_GROW_LARGE, error, size);
    ReleaseGuards(to.address, size, guarded);
    Pagemap::SetChunk(from, block);
    return {};
  }
  Pagemap::SetChunk(to.address, block);
  ReleaseGuards(from, mapped, block->guarded);
  MutexLock lock(mutex);
  block->base = to.address;
  block->guarded = guarded;
  SetBorders(block, 1);
  return {.address = to.address};
}

// When time matters, a long block is unmapped in steps of this size.
constexpr size_t kMaxAtOnce = kChunkBytes;

// Unmaps the end of a block that is in no list. Returns false, and does
// nothing, when the OS refuses.
bool UnmapEnd(LargeBlock* block) {
  const size_t left = block->bytes - kMaxAtOnce;
  if (os::Unmap(block->base + left, kMaxAtOnce) != 0) return false;
  block->bytes = left;
  block->is_end_joined = false;
  return true;
}

CachedMemory TakeCached(size_t size, size_t alignment)
    ABSL_LOCKS_EXCLUDED(mutex) {
  CachedMemory memory;
  {
    MutexLock lock(mutex);
    memory.block = TakeBestFit(size, alignment, kMaxTail);
  }
  if (memory.block == nullptr) {
    return size >= kMinMovedBytes && size <= kMaxCachedBlock &&
                   alignment <= kChunkBytes
               ? Assemble(size)
               : memory;
  }
  const size_t rest = memory.block->bytes - size;
  memory.rest = rest <= size / 8 ? 0 : rest;
  memory.dirty = size;
  return memory;
}

SpanAllocation EnterTaken(const CachedMemory& memory)
    ABSL_LOCKS_EXCLUDED(mutex) {
  LargeBlock* block = memory.block;
  if (block == nullptr) return {};
  if (!Pagemap::SetChunk(block->base, block)) {
    UnmapBlock(block);
    return {};
  }
  MutexLock lock(mutex);
  block->bytes -= memory.rest;
  EnterInUse(block);
  SetTail(block, memory.rest);
  return {block->base, false};
}

// Unmaps cached blocks, the oldest first, until they add up to `bytes` or none
// is left. Leaves it to another thread that gives memory back already.
void UnmapCached(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex) {
  const PurgeTurn turn(PurgeTurn::IfTaken::kLeave);
  if (!turn.IsOurs()) return;
  size_t given_back = 0;
  MutexLock lock(mutex);
  while (given_back < bytes && !cached.empty()) {
    LargeBlock* oldest = TakeOldest(bytes - given_back);
    mutex.Unlock();
    given_back += UnmapBlock(oldest);
    mutex.Lock();
  }
}

// Puts a block that was pending unmap to use, `size` bytes of it; the rest is
// its tail.
SpanAllocation EnterPendingUnmap(LargeBlock* block, size_t size) {
  if (!Pagemap::SetChunk(block->base, block)) {
    UnmapBlock(block);
    return {};
  }
  MutexLock lock(mutex);
  const size_t rest = block->bytes - size;
  block->bytes = size;
  EnterInUse(block);
  SetTail(block, rest);
  return {block->base, block->is_zero};
}

// Serves a block of `size` without the OS, which refused a mapping.
SpanAllocation AllocateRefused(size_t size, size_t alignment) {
  LargeBlock* block = TakePendingUnmap(size, alignment, kMaxTail);
  return block == nullptr ? SpanAllocation{} : EnterPendingUnmap(block, size);
}

// As Large::AllocateFresh, of MappedBytes.
SpanAllocation MapFresh(size_t size, size_t alignment) {
  alignment = std::max(alignment, kChunkBytes);
  // First the memory that the kernel refused to unmap: this saves a mapping.
  if (LargeBlock* block = TakePendingUnmap(size, alignment, size / 8)) {
    return EnterPendingUnmap(block, size);
  }
  // Cached blocks are all too short to serve here.
  if (size > kMaxCachedBlock) UnmapCached(size);
  LargeBlock* block = block_pool.Get();
  if (block == nullptr) return {};
  const os::Mapping m = MapBlock(size, alignment);
  if (!m) {
    block_pool.Put(block);
    return AllocateRefused(size, alignment);
  }
  Begin(block, m.address, size);
  if constexpr (kGuardsMemory) block->guarded = alignment;
  HugePages::AdviseIfAsked(block->base, block->bytes);
  AdviseIfDense(block);
  if (!Pagemap::SetChunk(m.address, block)) {
    UnmapBlock(block);
    return {};
  }
  MutexLock lock(mutex);
  EnterInUse(block);
  return {m.address, true};
}

}  // namespace

SpanAllocation Large::Allocate(size_t bytes, size_t alignment,
                               Contents contents) {
  const size_t size = MappedBytes(bytes);
  if (size == 0) return {};
  const bool to_be_zero = contents == Contents::kZero;
  // Clearing resident memory costs less than as many page faults, but more than
  // none, if the program leaves most of its blocks untouched.
  if (!to_be_zero || IsCachedDense()) {
    const CachedMemory memory = TakeCached(size, alignment);
    if (memory.is_refused) return AllocateRefused(size, alignment);
    if (const SpanAllocation block = EnterTaken(memory)) {
      if (!to_be_zero || memory.dirty >= bytes) return block;
      // The rest is fresh, and remains untouched.
      memset(reinterpret_cast<void*>(block.address), 0, memory.dirty);
      return {block.address, true};
    }
  }
  // So that cached memory does not add to the peak.
  if (to_be_zero) UnmapCached(size);
  return MapFresh(size, alignment);
}

SpanAllocation Large::AllocateFresh(size_t bytes, size_t alignment) {
  const size_t size = MappedBytes(bytes);
  return size == 0 ? SpanAllocation{} : MapFresh(size, alignment);
}

bool Large::Cache(PagemapEntry entry, uint64_t now) {
  size_t excess;
  {
    MutexLock lock(mutex);
    LargeBlock* block = BlockAt(entry);
    if (block == nullptr || !block->is_in_use || kGuardsMemory ||
        block->bytes + block->tail > kMaxCachedBlock) {
      return false;
    }
    LeaveUse(block);
    const size_t budget = CacheBudget();
    block->freed_at = now;
    EnterCached(block);
    excess = bytes_cached - std::min(bytes_cached, budget);
  }
  if (excess != 0) UnmapCached(excess);
  return true;
}

size_t Large::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  const uint64_t decay = options::Get(options::k_decay);
  size_t given_back = 0;
  RetryPendingUnmaps();
  MutexLock lock(mutex);
  while (LargeBlock* oldest = cached.front()) {
    if (!force && now < oldest->freed_at + decay) break;
    if (PurgeBudget::IsSpent(budget)) return given_back;
    RemoveCached(oldest);
    mutex.Unlock();
    if (budget != nullptr && oldest->bytes > kMaxAtOnce && UnmapEnd(oldest)) {
      given_back += kMaxAtOnce;
      mutex.Lock();
      EnterCachedAsOldest(oldest);
      continue;
    }
    given_back += UnmapBlock(oldest);
    mutex.Lock();
  }
  while (LargeBlock* oldest = tails.front()) {
    if (!force && now < oldest->shrunk_at + decay) break;
    if (PurgeBudget::IsSpent(budget)) return given_back;
    // From here on the block's owner no longer knows of the tail and leaves it
    // alone, whatever it does with the block.
    const uintptr_t address = oldest->base + oldest->bytes;
    const size_t bytes = oldest->tail;
    SetTail(oldest, 0);
    oldest->is_end_joined = false;
    mutex.Unlock();
    UnmapPart(address, bytes);
    given_back += bytes;
    mutex.Lock();
  }
  return given_back;
}

size_t Large::BytesAt(PagemapEntry entry) {
  const LargeBlock* block = BlockAt(entry);
  return block == nullptr ? 0 : block->bytes;
}

bool Large::Free(PagemapEntry entry) {
  LargeBlock* block = BlockAt(entry);
  if (block == nullptr) return false;
  {
    MutexLock lock(mutex);
    if (!block->is_in_use || block->base != entry.address) return false;
    LeaveUse(block);
  }
  SampleFreed(*block);
  UnmapBlock(block);
  return true;
}

Large::Resized Large::Resize(PagemapEntry entry, size_t bytes) {
  const uintptr_t address = entry.address;
  LargeBlock* block = BlockAt(entry);
  const size_t size = RoundToPages(bytes);
  if (block == nullptr || size == 0) return {};
  // A guarded block is never shrunk, so it has neither a tail nor room to grow.
  if (kGuardsMemory && size <= block->bytes) return {};
  size_t mapped;
  {
    MutexLock lock(mutex);
    mapped = block->bytes + block->tail;
    if (size <= mapped && mapped - size <= kMaxTail) {
      SetBytes(block, size);
      SetTail(block, mapped - size);
      return {address};
    }
    SetTail(block, 0);
    if (const size_t more = TakeNext(block, mapped, size); more != 0) {
      SetBytes(block, size);
      SetTail(block, mapped + more - size);
      return {address};
    }
  }
  Count(Event::kMapCall);
  if (kGuardsMemory || os::ResizeInPlace(address, mapped, size) != 0) {
    // A block of several mappings is copied.
    const Resized moved =
        block->IsOneMapping() ? Move(block, mapped, size) : Resized{};
    if (!moved) {
      MutexLock lock(mutex);
      SetTail(block, mapped - block->bytes);
      Count(Event::kMapFailure);
      return moved;
    }
  }
  {
    MutexLock lock(mutex);
    SetBytes(block, size);
    block->is_end_joined = false;
  }
  if (size >= kMinHugeBytes && size / kChunkBytes > mapped / kChunkBytes) {
    AdviseGrown(block, mapped);
  }
  return {block->base};
}

Origin Large::OriginAt(PagemapEntry entry) {
  const LargeBlock* block = BlockAt(entry);
  return block == nullptr ? Origin::kUnknown : block->origin;
}

void Large::SetOrigin(PagemapEntry entry, Origin origin) {
  LargeBlock* block = BlockAt(entry);
  if (block != nullptr) block->origin = origin;
}

uintptr_t Large::BlockAround(uintptr_t address) {
  MutexLock lock(mutex);
  for (LargeBlock* block = blocks.front(); block != nullptr;
       block = blocks.Next(block)) {
    if (address - block->base < block->bytes) return block->base;
  }
  return 0;
}

size_t Large::BytesOfFreed(uintptr_t address) {
  MutexLock lock(mutex);
  return freed_last.BytesAt(address);
}

bool Large::HasForgottenFreed() {
  MutexLock lock(mutex);
  return freed_last.HasForgotten();
}

size_t Large::BytesCached() {
  MutexLock lock(mutex);
  return bytes_cached;
}

size_t Large::BytesInUse() {
  MutexLock lock(mutex);
  return bytes_in_use;
}

size_t Large::BlocksInUse() {
  MutexLock lock(mutex);
  size_t count = 0;
  for (LargeBlock* block = blocks.front(); block != nullptr;
       block = blocks.Next(block)) {
    ++count;
  }
  return count;
}

void Large::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Lock();
  block_pool.LockForFork();
}

void Large::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  block_pool.UnlockAfterFork();
  mutex.Unlock();
}

void Large::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckLargeBlocks({blocks, cached, tails, bytes_in_use, bytes_cached, borders,
                    pending_unmap, block_pool},
                   check);
}

}  // namespace hakmem
