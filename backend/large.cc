#include "backend/large.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/dirty_ledger.h"
#include "backend/huge_pages.h"
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
  size_t bytes;       // of the mapping, all of it usable
  uint64_t freed_at;  // CoarseMilliseconds, while parked
  bool asked_for_huge_pages;
};

// A growing block asks for huge pages from here on: the last of them, touched
// in part, is at most a quarter more memory than the program asked for.
constexpr size_t kLeastHugeBytes = 4 * kChunkBytes;

// Of all parked blocks together; when there are more, the oldest go.
constexpr size_t kMaxParkedBytes = size_t{64} << 20;

constinit MetadataPool<LargeBlock> block_pool;
constinit Mutex mutex;
constinit IntrusiveList<LargeBlock> blocks ABSL_GUARDED_BY(mutex);
constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;
constinit IntrusiveList<LargeBlock> parked ABSL_GUARDED_BY(mutex);  // by age
constinit size_t bytes_parked ABSL_GUARDED_BY(mutex) = 0;

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

// For a block that grows; see large.h.
void AskForHugePages(LargeBlock* block) {
  if (block->asked_for_huge_pages) return;
  block->asked_for_huge_pages = true;
  HugePages::AdviseDense(block->base, block->bytes);
}

void EnterInUse(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  blocks.PushFront(block);
  bytes_in_use += block->bytes;
}

// Takes the block that starts at `address` out of the books of those in use;
// null when none does.
LargeBlock* LeaveUse(uintptr_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  LargeBlock* block = BlockAt(address);
  if (block == nullptr) return nullptr;
  blocks.Remove(block);
  bytes_in_use -= block->bytes;
  AddressMap::SetChunk(address, nullptr);
  return block;
}

void Unpark(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  parked.Remove(block);
  bytes_parked -= block->bytes;
  DirtyLedger::Subtract(block->bytes);
}

// Gives a block that is in no list back to the OS. Returns its bytes.
size_t GiveBack(LargeBlock* block) {
  const uintptr_t address = block->base;
  const size_t bytes = block->bytes;
  block_pool.Put(block);
  os::Release(address, bytes);
  return bytes;
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
  // Whether the map has room for the new place; it then cannot refuse below.
  if (!AddressMap::SetChunk(to.address, block)) {
    os::Release(to.address, size);
    return false;
  }
  // Before the pages leave, and out of the new place as well while it is in
  // doubt: another thread may be given the one they left, or the other one when
  // they cannot move there.
  AddressMap::SetChunk(to.address, nullptr);
  AddressMap::SetChunk(from, nullptr);
  if (const int error = os::MoveTo(from, block->bytes, size, to.address)) {
    NoteMapFail(OsRequest::kGrowLarge, error, size);
    AddressMap::SetChunk(from, block);
    return false;
  }
  AddressMap::SetChunk(to.address, block);
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
  block->base = m.address;
  block->kind = ChunkKind::kLarge;
  block->bytes = size;
  block->asked_for_huge_pages = false;
  HugePages::AdviseIfAsked(block->base, block->bytes);
  if (!AddressMap::SetChunk(m.address, block)) {
    os::Release(m.address, size);
    block_pool.Put(block);
    return {};
  }
  MutexLock lock(mutex);
  EnterInUse(block);
  return {m.address, true};
}

SpanAllocation Large::AllocateParked(size_t bytes, size_t alignment) {
  const size_t size = RoundToPages(bytes);
  if (size == 0) return {};
  MutexLock lock(mutex);
  LargeBlock* best = nullptr;
  for (LargeBlock* block = parked.front(); block != nullptr;
       block = parked.Next(block)) {
    if (block->bytes < size || block->bytes - size > size / 8) continue;
    if (block->base % std::max(alignment, size_t{1}) != 0) continue;
    if (best == nullptr || block->bytes <= best->bytes) best = block;
  }
  // The map has the leaf that this needs: the block was in it before.
  if (best == nullptr || !AddressMap::SetChunk(best->base, best)) return {};
  Unpark(best);
  EnterInUse(best);
  return {best->base, false};
}

bool Large::Park(uintptr_t address, uint64_t now) {
  MutexLock lock(mutex);
  const LargeBlock* candidate = BlockAt(address);
  if (candidate == nullptr || candidate->bytes > kMaxParkedBytes / 2) {
    return false;
  }
  LargeBlock* block = LeaveUse(address);
  block->freed_at = now;
  parked.PushBack(block);
  bytes_parked += block->bytes;
  DirtyLedger::Add(block->bytes);
  while (bytes_parked > kMaxParkedBytes) {
    LargeBlock* oldest = parked.front();
    Unpark(oldest);
    mutex.Unlock();
    GiveBack(oldest);
    mutex.Lock();
  }
  return true;
}

size_t Large::Purge(uint64_t now, bool force) {
  const uint64_t decay = options::Get(options::k_decay);
  size_t given_back = 0;
  MutexLock lock(mutex);
  while (LargeBlock* oldest = parked.front()) {
    if (!force && now < oldest->freed_at + decay) break;
    Unpark(oldest);
    mutex.Unlock();
    given_back += GiveBack(oldest);
    mutex.Lock();
  }
  return given_back;
}

size_t Large::BytesAt(uintptr_t address) {
  const LargeBlock* block = BlockAt(address);
  return block == nullptr ? 0 : block->bytes;
}

bool Large::Free(uintptr_t address) {
  LargeBlock* block;
  {
    MutexLock lock(mutex);
    block = LeaveUse(address);
  }
  if (block == nullptr) return false;
  GiveBack(block);
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
  {
    MutexLock lock(mutex);
    bytes_in_use += size - old_size;
    block->bytes = size;
  }
  if (size > old_size && size >= kLeastHugeBytes) AskForHugePages(block);
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

size_t Large::BytesParked() {
  MutexLock lock(mutex);
  return bytes_parked;
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
