#include "backend/large.h"

#include <algorithm>
#include <cerrno>

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/dirty_ledger.h"
#include "backend/huge_pages.h"
#include "backend/large_block.h"
#include "backend/metadata.h"
#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/os_memory.h"
#include "hardening/levels.h"
#include "tracing/counters.h"
#include "tracing/failure_note.h"

namespace hakmem {
namespace {

// A growing block asks for huge pages from here on: the last of them, touched
// in part, is at most a quarter more memory than the program asked for.
constexpr size_t kLeastHugeBytes = 4 * kChunkBytes;

// What all parked blocks may hold, and tails: so many times what is in use,
// within bounds. When there is more, the oldest blocks go.
constexpr size_t kParkedTimes = 2;
constexpr size_t kLeastParkedBytes = size_t{32} << 20;
constexpr size_t kMostParkedBytes = size_t{512} << 20;

// The least block that is put together. What a vector outgrows spans with is
// shorter, and shall be one mapping, that mremap can grow.
constexpr size_t kLeastMovedBytes = kChunkBytes + 1;
// And the longest that is put together or parked: what is longer is an array
// that may grow without end, and growing it shall move pages, not bytes.
constexpr size_t kMostParkedBlock = size_t{32} << 20;
// The longest tail: so much may be filled again soon.
constexpr size_t kMostTail = size_t{16} << 20;

// A block of so many bytes is at most a quarter longer than asked for, and that
// part of it resident only when it was put together.
constexpr size_t kLeastWholeBytes = 4 * kChunkBytes;

// Parked blocks that one block is put together from, at most, and chunks moved
// in all, which may each be a mapping of its own (vm.max_map_count is 65530).
constexpr size_t kMostPieces = 32;
constexpr size_t kMostMovedChunks = 8192;

constinit MetadataPool<LargeBlock> block_pool;
constinit Mutex mutex;
constinit IntrusiveList<LargeBlock> blocks ABSL_GUARDED_BY(mutex);
constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;
constinit IntrusiveList<LargeBlock> parked ABSL_GUARDED_BY(mutex);  // by age
constinit IntrusiveList<LargeBlock, LargeTailsTag> tails
    ABSL_GUARDED_BY(mutex);                                // by age
constinit size_t bytes_parked ABSL_GUARDED_BY(mutex) = 0;  // and in tails
constinit size_t moved_chunks ABSL_GUARDED_BY(mutex) = 0;

// Whether the program touches what it asks for, going by the last block with
// small pages that was freed; of so many fresh blocks one has those.
constexpr size_t kControlEvery = 8;
constinit bool is_dense ABSL_GUARDED_BY(mutex) = false;
constinit size_t fresh_blocks ABSL_GUARDED_BY(mutex) = 0;

// 0 when `bytes` is beyond what address arithmetic holds.
size_t RoundToPages(size_t bytes) {
  const size_t page = std::max(os::PageBytes(), kPageBytes);
  return bytes + page - 1 < bytes ? 0 : (bytes + page - 1) & ~(page - 1);
}

size_t RoundToChunks(size_t bytes) {
  return (bytes + kChunkBytes - 1) & ~(kChunkBytes - 1);
}

// What a block of `bytes` is made of: of a long one whole chunks, so that all
// of it can be moved to other blocks later. 0 as above.
size_t MappedBytes(size_t bytes) {
  const size_t size = RoundToPages(bytes);
  return size < kLeastWholeBytes ? size : RoundToChunks(size);
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

// Changes the tail of a block in use.
void SetTail(LargeBlock* block, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (block->tail != 0) tails.Remove(block);
  bytes_parked += bytes - block->tail;
  DirtyLedger::Add(bytes);
  DirtyLedger::Subtract(block->tail);
  block->tail = bytes;
  if (bytes == 0) return;
  block->shrunk_at = CoarseMilliseconds();
  tails.PushBack(block);
}

// A block of memory that is mapped, in no list yet. (One from the pool is as
// its last use left it.)
void Begin(LargeBlock* block, uintptr_t address, size_t bytes) {
  block->base = address;
  block->kind = ChunkKind::kLarge;
  block->guarded = 0;
  block->bytes = bytes;
  block->tail = 0;
  block->asked_for_huge_pages = false;
  block->moved_chunks = 0;
}

void SetBytes(LargeBlock* block, size_t bytes)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  bytes_in_use += bytes - block->bytes;
  block->bytes = bytes;
}

// Looks at a block that is being freed: a chunk in the middle of it.
void LookAtDensity(const LargeBlock& block)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (block.asked_for_huge_pages || block.moved_chunks != 0 ||
      block.bytes < 2 * kChunkBytes) {
    return;
  }
  const uintptr_t middle =
      block.base + block.bytes / 2 / kChunkBytes * kChunkBytes;
  is_dense = os::ResidentBytes(middle, kChunkBytes) >= kChunkBytes / 8 * 7;
}

// Asks for huge pages for a block that is fresh, or has grown, when those
// before were dense.
void AskIfDense(LargeBlock* block) {
  {
    MutexLock lock(mutex);
    if (!is_dense || block->bytes < 2 * kChunkBytes ||
        ++fresh_blocks % kControlEvery == 0) {
      return;
    }
  }
  AskForHugePages(block);
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
  const size_t tail = block->tail;
  SetTail(block, 0);
  block->bytes += tail;
  AddressMap::SetChunk(address, nullptr);
  return block;
}

size_t ParkedBudget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  return std::clamp(bytes_in_use * kParkedTimes, kLeastParkedBytes,
                    kMostParkedBytes);
}

// `block` is in no list.
void EnterParked(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  parked.PushBack(block);
  bytes_parked += block->bytes;
  DirtyLedger::Add(block->bytes);
}

void Unpark(LargeBlock* block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  parked.Remove(block);
  bytes_parked -= block->bytes;
  DirtyLedger::Subtract(block->bytes);
}

// Books of a block that is in no list and whose memory is another's.
void Forget(LargeBlock* block) {
  if (block->moved_chunks != 0) {
    MutexLock lock(mutex);
    moved_chunks -= block->moved_chunks;
  }
  block_pool.Put(block);
}

// Gives a block that is in no list back to the OS. Returns its bytes.
size_t GiveBack(LargeBlock* block) {
  const uintptr_t address = block->base;
  const size_t bytes = block->bytes;
  const size_t guarded = block->guarded;
  Forget(block);
  guarded == 0
      ? os::Release(address, bytes)
      : os::Release(address - guarded, guarded + bytes + os::PageBytes());
  return bytes;
}

// A block of `size` bytes, zeroed, aligned to `alignment`, and what guards it:
// no memory, address space alone.
os::Mapping MapGuarded(size_t size, size_t alignment) {
  const size_t room = alignment + size + os::PageBytes();
  if (room < size) return {0, ENOMEM};
  os::Mapping m = os::Map(room, alignment, os::Access::kNone);
  if (!m) return m;
  if (const int error = os::Commit(m.address + alignment, size)) {
    os::Release(m.address, room);
    return {0, error};
  }
  m.address += alignment;
  return m;
}

// Gives back what guards `size` bytes at `address`, if they are guarded.
void ReleaseGuards(uintptr_t address, size_t size, size_t guarded) {
  if (guarded == 0) return;
  os::Release(address - guarded, guarded);
  os::Release(address + size, os::PageBytes());
}

// Moves the block's pages, `mapped` bytes of them, to a new place of `size`
// bytes. Returns false, with everything as it was, when the OS refuses.
bool Move(LargeBlock* block, size_t mapped, size_t size) {
  const uintptr_t from = block->base;
  const size_t guarded = kGuardsMemory ? kChunkBytes : 0;
  const os::Mapping to = kGuardsMemory
                             ? MapGuarded(size, guarded)
                             : os::Map(size, kChunkBytes, os::Access::kNone);
  if (!to) {
    NoteMapFail(OsRequest::kGrowLarge, to.error, size);
    return false;
  }
  // Whether the map has room for the new place; it then cannot refuse below.
  if (!AddressMap::SetChunk(to.address, block)) {
    os::Release(to.address, size);
    ReleaseGuards(to.address, size, guarded);
    return false;
  }
  // Before the pages leave, and out of the new place as well while it is in
  // doubt: another thread may be given the one they left, or the other one when
  // they cannot move there.
  AddressMap::SetChunk(to.address, nullptr);
  AddressMap::SetChunk(from, nullptr);
  if (const int error = os::MoveTo(from, mapped, size, to.address)) {
    NoteMapFail(OsRequest::kGrowLarge, error, size);
    ReleaseGuards(to.address, size, guarded);
    AddressMap::SetChunk(from, block);
    return false;
  }
  AddressMap::SetChunk(to.address, block);
  ReleaseGuards(from, mapped, block->guarded);
  MutexLock lock(mutex);
  block->base = to.address;
  block->guarded = guarded;
  return true;
}

// --- Blocks put together from parked ones ------------------------------------

size_t WholeChunks(size_t bytes) { return bytes & ~(kChunkBytes - 1); }

// What `piece` can give to a block that lacks `wanted` bytes: the rest of it,
// or whole chunks, so that what follows is aligned.
size_t Gives(const LargeBlock& piece, size_t wanted) {
  return piece.bytes >= wanted ? wanted : WholeChunks(piece.bytes);
}

// The parked block that gives the most of `wanted` bytes, and of such the
// shortest; null when none gives any.
LargeBlock* ChoosePiece(size_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  LargeBlock* best = nullptr;
  for (LargeBlock* block = parked.front(); block != nullptr;
       block = parked.Next(block)) {
    const size_t gives = Gives(*block, wanted);
    const size_t most = best == nullptr ? 0 : Gives(*best, wanted);
    if (gives > most ||
        (gives == most && best != nullptr && block->bytes < best->bytes)) {
      best = block;
    }
  }
  return best;
}

struct Pieces {
  size_t count = 0;
  LargeBlock* blocks[kMostPieces];
};

// Takes parked blocks for a block of `size`.
Pieces TakePieces(size_t size) {
  Pieces pieces;
  MutexLock lock(mutex);
  if (moved_chunks + size / kChunkBytes >= kMostMovedChunks) return pieces;
  size_t lacking = size;
  while (lacking != 0 && pieces.count < kMostPieces) {
    LargeBlock* piece = ChoosePiece(lacking);
    if (piece == nullptr) break;
    Unpark(piece);
    lacking -= Gives(*piece, lacking);
    pieces.blocks[pieces.count++] = piece;
  }
  return pieces;
}

// Moves `bytes` from the front of `piece` to `target`, chunk by chunk: each
// lies in one kernel mapping. Returns the bytes moved. When they are fewer, the
// chunk of `target` behind them is no longer the caller's (os::MoveTo).
size_t MoveChunks(const LargeBlock& piece, size_t bytes, uintptr_t target) {
  for (size_t done = 0; done < bytes; done += kChunkBytes) {
    const size_t step = std::min(bytes - done, kChunkBytes);
    if (os::MoveTo(piece.base + done, step, step, target + done) != 0) {
      return done;
    }
  }
  return bytes;
}

// What is left of `piece` when `used` bytes at its front are another's: whole
// chunks are parked again, the rest goes back.
void ParkRest(LargeBlock* piece, size_t used) {
  const size_t kept = std::min(RoundToChunks(used), piece->bytes);
  if (kept != used) os::Release(piece->base + used, kept - used);
  piece->base += kept;
  piece->bytes -= kept;
  if (piece->bytes == 0) return Forget(piece);
  if (piece->bytes < kChunkBytes) {
    GiveBack(piece);
    return;
  }
  MutexLock lock(mutex);
  EnterParked(piece);
}

// Moves parked memory to [target, target+size), which is mapped. Returns the
// chunks that were moved, or -1 when the OS refused; then the range is no
// longer the caller's.
int64_t FillFrom(const Pieces& pieces, uintptr_t target, size_t size) {
  size_t filled = 0;
  size_t hole = SIZE_MAX;
  for (size_t i = 0; i < pieces.count; ++i) {
    LargeBlock* piece = pieces.blocks[i];
    size_t used = 0;
    if (hole == SIZE_MAX) {
      const size_t wanted = Gives(*piece, size - filled);
      used = MoveChunks(*piece, wanted, target + filled);
      filled += used;
      if (used < wanted) hole = filled;
    }
    ParkRest(piece, used);
  }
  if (hole == SIZE_MAX) {
    return static_cast<int64_t>(RoundToChunks(filled) / kChunkBytes);
  }
  const size_t behind = std::min(hole + kChunkBytes, size);
  if (hole != 0) os::Release(target, hole);
  if (behind != size) os::Release(target + behind, size - behind);
  return -1;
}

// A block of `size` bytes that begins with parked memory; null when there is
// none, or the OS refuses.
LargeBlock* PutTogether(size_t size) {
  const Pieces pieces = TakePieces(size);
  if (pieces.count == 0) return nullptr;
  LargeBlock* block = block_pool.Get();
  os::Mapping m;
  if (block != nullptr) {
    Count(Event::kMapCall);
    m = os::Map(size, kChunkBytes, os::Access::kReadWrite);
  }
  if (!m) {
    for (size_t i = 0; i < pieces.count; ++i) GiveBack(pieces.blocks[i]);
    if (block != nullptr) block_pool.Put(block);
    return nullptr;
  }
  Begin(block, m.address, size);
  AskIfDense(block);  // for what will be fresh of it
  const int64_t moved = FillFrom(pieces, m.address, size);
  if (moved < 0) {
    block_pool.Put(block);
    return nullptr;
  }
  block->moved_chunks = static_cast<uint32_t>(moved);
  MutexLock lock(mutex);
  moved_chunks += block->moved_chunks;
  return block;
}

// The shortest parked block that is aligned and of `size` to `room` more bytes,
// taken out of the list; null when there is none. What is shorter than is ever
// put together gets one mapping.
LargeBlock* TakeWhole(size_t size, size_t alignment, size_t room)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  LargeBlock* best = nullptr;
  for (LargeBlock* block = parked.front(); block != nullptr;
       block = parked.Next(block)) {
    if (block->bytes < size || block->bytes - size > room) continue;
    if (block->base % std::max(alignment, size_t{1}) != 0) continue;
    if (size < kLeastMovedBytes && block->moved_chunks != 0) continue;
    if (best == nullptr || block->bytes <= best->bytes) best = block;
  }
  if (best != nullptr) Unpark(best);
  return best;
}

}  // namespace

SpanAllocation Large::Allocate(size_t bytes, size_t alignment) {
  const size_t size = MappedBytes(bytes);
  if (size == 0) return {};
  LargeBlock* block = block_pool.Get();
  if (block == nullptr) return {};
  Count(Event::kMapCall);
  alignment = std::max(alignment, kChunkBytes);
  const os::Mapping m = kGuardsMemory
                            ? MapGuarded(size, alignment)
                            : os::Map(size, alignment, os::Access::kReadWrite);
  if (!m) {
    Count(Event::kMapFailure);
    NoteMapFail(OsRequest::kMapLarge, m.error, size);
    block_pool.Put(block);
    return {};
  }
  Begin(block, m.address, size);
  if constexpr (kGuardsMemory) block->guarded = alignment;
  HugePages::AdviseIfAsked(block->base, block->bytes);
  AskIfDense(block);
  if (!AddressMap::SetChunk(m.address, block)) {
    GiveBack(block);
    return {};
  }
  MutexLock lock(mutex);
  EnterInUse(block);
  return {m.address, true};
}

SpanAllocation Large::AllocateParked(size_t bytes, size_t alignment) {
  const size_t size = MappedBytes(bytes);
  if (size == 0) return {};
  LargeBlock* block;
  size_t rest = 0;
  {
    MutexLock lock(mutex);
    block = TakeWhole(size, alignment, size / 8);
    // A vector that begins to grow: the rest is its tail, to grow into.
    if (block == nullptr && size < kLeastMovedBytes) {
      block = TakeWhole(size, alignment, kMostTail);
      if (block != nullptr) rest = block->bytes - size;
    }
  }
  if (block == nullptr && size >= kLeastMovedBytes &&
      size <= kMostParkedBlock && alignment <= kChunkBytes) {
    block = PutTogether(size);
  }
  if (block == nullptr) return {};
  if (!AddressMap::SetChunk(block->base, block)) {
    GiveBack(block);
    return {};
  }
  MutexLock lock(mutex);
  block->bytes -= rest;
  EnterInUse(block);
  SetTail(block, rest);
  return {block->base, false};
}

bool Large::Park(uintptr_t address, uint64_t now) {
  MutexLock lock(mutex);
  const LargeBlock* candidate = BlockAt(address);
  if (candidate == nullptr || kGuardsMemory ||
      candidate->bytes + candidate->tail > kMostParkedBlock) {
    return false;
  }
  LargeBlock* block = LeaveUse(address);
  LookAtDensity(*block);
  const size_t budget = ParkedBudget();
  block->freed_at = now;
  EnterParked(block);
  while (bytes_parked > budget && !parked.empty()) {
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
  while (LargeBlock* oldest = tails.front()) {
    if (!force && now < oldest->shrunk_at + decay) break;
    // From here on the block's owner does not know of the tail, and whatever it
    // does with the block leaves the tail alone.
    const uintptr_t address = oldest->base + oldest->bytes;
    const size_t bytes = oldest->tail;
    SetTail(oldest, 0);
    mutex.Unlock();
    os::Release(address, bytes);
    given_back += bytes;
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
  // A guarded block is not shrunk, so it has no tail, and has no room to grow.
  if (kGuardsMemory && size <= block->bytes) return 0;
  size_t mapped;
  {
    MutexLock lock(mutex);
    mapped = block->bytes + block->tail;
    if (size <= mapped && mapped - size <= kMostTail) {
      SetBytes(block, size);
      SetTail(block, mapped - size);
      return address;
    }
    SetTail(block, 0);
  }
  Count(Event::kMapCall);
  if (kGuardsMemory || os::ResizeInPlace(address, mapped, size) != 0) {
    // What was moved here is copied: it may be several mappings.
    if (block->moved_chunks != 0 || !Move(block, mapped, size)) {
      MutexLock lock(mutex);
      SetTail(block, mapped - block->bytes);
      Count(Event::kMapFailure);
      return 0;
    }
  }
  {
    MutexLock lock(mutex);
    SetBytes(block, size);
  }
  if (size > mapped) {
    size >= kLeastHugeBytes ? AskForHugePages(block) : AskIfDense(block);
  }
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

void Large::CheckBooks(BookCheck& check) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckLargeBlocks({blocks, parked, tails, bytes_in_use, bytes_parked,
                    moved_chunks, block_pool},
                   check);
}

}  // namespace hakmem
