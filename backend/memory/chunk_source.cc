#include "backend/memory/chunk_source.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "absl/base/thread_annotations.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/huge_page_trials.h"
#include "backend/memory/huge_pages.h"
#include "backend/memory/metadata.h"
#include "backend/memory/region.h"
#include "backend/memory/region_mapping.h"
#include "base/intrusive_list.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "base/text/options.h"
#include "tracing/counters/counters.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

constexpr size_t kFirstRegionChunks = 16;

constinit Mutex mutex;
constinit MetadataAllocator<Region> region_pool;
constinit IntrusiveList<Region> regions ABSL_GUARDED_BY(mutex);
constinit size_t next_region_chunks ABSL_GUARDED_BY(mutex) = kFirstRegionChunks;
constinit size_t bytes_reserved ABSL_GUARDED_BY(mutex) = 0;

// Whether the system has refused to reserve a region. Then the address space is
// limited, even if no limit was set at first.
constinit bool was_refused_region ABSL_GUARDED_BY(mutex) = false;

// Whether the rest of the process may run short of address space.
bool IsSpaceLimited() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  return was_refused_region || os::AddressSpaceLimit() != UINT64_MAX;
}

// Size of the next region, in chunks, after one of `chunks`: twice as many, but
// at most a quarter of all reserved. A limit that the program sets later shows
// only when something is refused, maybe to the program itself.
size_t ChunksAfter(size_t chunks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t quarter = bytes_reserved / kChunkBytes / 4;
  return std::min(chunks * 2,
                  std::clamp(quarter, kFirstRegionChunks, kMaxRegionChunks));
}

constinit HugePageTrials huge_page_trials ABSL_GUARDED_BY(mutex);

// Written under the lock. relaxed: counters, they order nothing.
constinit std::atomic<uint64_t> fresh_chunks{0};
constinit std::atomic<size_t> chunks_in_use{0};

// `chunks` may be negative, modulo 2^64.
void AddInUse(size_t chunks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  chunks_in_use.store(chunks_in_use.load(std::memory_order_relaxed) + chunks,
                      std::memory_order_relaxed);
}

// Whether no region has a free chunk. Saves walking all regions for each
// request that is refused at a limit.
bool IsAllInUse() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  return chunks_in_use.load(std::memory_order_relaxed) * kChunkBytes ==
         bytes_reserved;
}

// Unmaps regions without a used chunk and with at most `most_dirty` resident
// bytes: unmapping resident memory is slow. Returns whether any address space
// was returned.
bool UnmapUnusedRegions(size_t most_dirty = SIZE_MAX)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (IsAllInUse()) return false;
  bool any = false;
  for (Region *region = regions.front(), *next; region != nullptr;
       region = next) {
    next = regions.Next(region);
    if (region->free_count != region->chunk_count ||
        region->dirty_count * kChunkBytes > most_dirty) {
      continue;
    }
    const size_t bytes = region->chunk_count * kChunkBytes;
    // munmap fails if it would split a mapping beyond the kernel's limit. The
    // region then stays as it was.
    if (os::Unmap(region->base, bytes) != 0) continue;
    for (size_t c = 0; c < region->usable; ++c) {
      DirtyBytes::SubtractOfChunk(region->dirty_bytes[c]);
    }
    RegionMapping::Forget(*region);
    bytes_reserved -= bytes;
    regions.Remove(region);
    region_pool.Put(region);
    any = true;
  }
  return any;
}

Region* AddRegion() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  Region* region = region_pool.Get();
  if (region == nullptr) return nullptr;
  size_t chunks = next_region_chunks;
  // Under a limit, stacks, libraries and large blocks need the address space
  // too: reserve a thousandth of it at a time.
  chunks = std::min(
      chunks,
      std::max<size_t>(os::AddressSpaceLimit() / 1024 / kChunkBytes, 1));
  bool retried = false;
  for (;;) {
    Count(Event::kMapCall);
    const os::Mapping m =
        os::Map(chunks * kChunkBytes, kChunkBytes, os::Access::kNone);
    if (m) {
      region->base = m.address;
      break;
    }
    Count(Event::kMapFailure);
    NoteMapFail(HAKMEM_OS_REQUEST_RESERVE, m.error, m.refused);
    was_refused_region = true;
    if (chunks > 1) {
      chunks /= 2;
    } else if (!retried && UnmapUnusedRegions()) {
      retried = true;
    } else {
      region_pool.Put(region);
      return nullptr;
    }
  }
  HugePages::AdviseFresh(region->base, chunks * kChunkBytes);
  region->chunk_count = static_cast<uint32_t>(chunks);
  region->usable = 0;
  region->free_count = 0;
  region->dirty_count = 0;
  std::fill(std::begin(region->free), std::end(region->free), 0);
  std::fill(std::begin(region->mapping), std::end(region->mapping),
            ChunkMapping::kReserved);
  std::fill(std::begin(region->pieces), std::end(region->pieces), 0);
  for (size_t c = 0; c < chunks; ++c) {
    region->dirty_bytes[c] = 0;
    region->MarkFree(c);
  }
  bytes_reserved += chunks * kChunkBytes;
  next_region_chunks = ChunksAfter(chunks);
  regions.PushFront(region);
  return region;
}

// Returns the cheapest free chunk of `region`: a resident one (no page faults),
// else a usable one, else one in a hole of the usable part. The region must
// have a free chunk.
size_t ChooseChunk(const Region& region) {
  size_t clean = kMaxRegionChunks;
  size_t hole = kMaxRegionChunks;
  for (size_t word = 0; word < std::size(region.free); ++word) {
    for (uint64_t bits = region.free[word]; bits != 0; bits &= bits - 1) {
      const size_t chunk = word * 64 + std::countr_zero(bits);
      if (region.dirty_bytes[chunk] != 0) return chunk;
      size_t& found = region.IsReserved(chunk) ? hole : clean;
      found = std::min(found, chunk);
      // Usable chunks lie below `usable`, with holes between them.
      if (region.dirty_count == 0 &&
          (clean != kMaxRegionChunks || chunk >= region.usable)) {
        return std::min(clean, hole);
      }
    }
  }
  return clean != kMaxRegionChunks ? clean : hole;
}

bool HasUsable(const Region& region) {
  if (region.free_count == 0) return false;
  for (size_t c = 0; c < region.usable; ++c) {
    if (region.IsFree(c) && !region.IsReserved(c)) return true;
  }
  return false;
}

// What the caller wants of a chunk.
struct Wish {
  ChunkSource::Use use;
  size_t wanted;  // bytes to make usable
  size_t least;   // bytes to make usable if the OS refuses `wanted`
};

// Makes `chunk` usable as `wish` says. False when the OS refuses.
bool MakeUsable(Region& region, size_t chunk, const Wish& wish)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t wanted =
      wish.use == ChunkSource::Use::kDense ? kChunkBytes : wish.wanted;
  const int error = RegionMapping::MakeUsable(region, chunk, wanted);
  if (error == 0 ||
      (wish.least < wanted &&
       RegionMapping::MakeUsable(region, chunk, wish.least) == 0)) {
    return true;
  }
  Count(Event::kMapFailure);
  NoteMapFail(HAKMEM_OS_REQUEST_COMMIT, error, wanted);
  return false;
}

ChunkSource::Allocation TakeFrom(Region& region, const Wish& wish)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t chunk = ChooseChunk(region);
  const uintptr_t address = region.base + chunk * kChunkBytes;
  if (!MakeUsable(region, chunk, wish)) return {};
  ChunkSource::Use use = wish.use;
  region.MarkUsed(chunk);
  AddInUse(1);
  const bool is_zero = region.dirty_bytes[chunk] == 0;
  if (is_zero) {
    fresh_chunks.store(fresh_chunks.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  }
  region.SetDirty(chunk, 0);
  if (use == ChunkSource::Use::kDense && !huge_page_trials.Allow()) {
    use = ChunkSource::Use::kSparse;
  }
  if (region.IsDense(chunk)) {
    // If the kernel refuses, the chunk stays dense and is returned as such.
    if (use == ChunkSource::Use::kSparse) {
      (void)RegionMapping::MakeSparse(region, chunk);
    }
  } else if (use == ChunkSource::Use::kDense) {
    RegionMapping::MakeDense(region, chunk);
  }
  return {address, is_zero, region.IsDense(chunk),
          region.pieces[chunk] * kPieceBytes};
}

Region* RegionOf(uintptr_t address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  Region* region = regions.front();
  while (address - region->base >= region->chunk_count * kChunkBytes) {
    region = regions.Next(region);
  }
  return region;
}

// A run of free chunks to purge. They are marked used meanwhile, so the lock is
// not held during the system call.
struct PurgeRun {
  Region* region = nullptr;
  size_t first = 0;
  size_t count = 0;
};

// Limits how long an allocating thread waits for a chunk and, with a budget,
// how long the purging thread takes.
constexpr size_t kMaxPurgeRun = 16;
constexpr size_t kMaxBudgetedRun = 1;

PurgeRun ClaimDueRun(uint64_t now, bool force, size_t most)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const uint64_t decay = options::Get(options::k_decay);
  for (Region* region = regions.front(); region != nullptr;
       region = regions.Next(region)) {
    if (region->dirty_count == 0) continue;
    PurgeRun run{region};
    for (size_t c = 0; c < region->usable && run.count < most; ++c) {
      const bool is_due = region->IsFree(c) && region->dirty_bytes[c] != 0 &&
                          (force || now >= region->freed_at[c] + decay);
      if (is_due) {
        if (run.count++ == 0) run.first = c;
        region->MarkUsed(c);
      } else if (run.count != 0) {
        break;
      }
    }
    if (run.count != 0) return run;
  }
  return {};
}

// Returns the bytes purged.
size_t EndRun(const PurgeRun& run, bool purged)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  size_t bytes = 0;
  for (size_t c = run.first; c < run.first + run.count; ++c) {
    if (purged) {
      bytes += run.region->dirty_bytes[c];
      run.region->SetDirty(c, 0);
    }
    run.region->MarkFree(c);
  }
  return bytes;
}

// Purges up to `most` free neighbours that are due, without holding the lock
// while the kernel works. Returns the bytes purged; 0 if nothing is due, or the
// kernel refuses.
size_t PurgeOneRun(uint64_t now, bool force, size_t most)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const PurgeRun run = ClaimDueRun(now, force, most);
  if (run.count == 0) return 0;
  mutex.Unlock();
  const int error = os::Purge(run.region->base + run.first * kChunkBytes,
                              run.count * kChunkBytes);
  mutex.Lock();
  if (error == 0) Count(Event::kPurge);
  return EndRun(run, error == 0);
}

ChunkSource::Allocation TakeChunk(const Wish& wish)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (IsAllInUse()) {
    Region* fresh = AddRegion();
    return fresh == nullptr ? ChunkSource::Allocation{}
                            : TakeFrom(*fresh, wish);
  }
  Region* clean = nullptr;
  for (Region* region = regions.front(); region != nullptr;
       region = regions.Next(region)) {
    if (region->dirty_count != 0) return TakeFrom(*region, wish);
    if (region->free_count != 0) clean = region;
  }
  if (clean == nullptr) clean = AddRegion();
  if (clean != nullptr) {
    const ChunkSource::Allocation chunk = TakeFrom(*clean, wish);
    if (chunk.address != 0) return chunk;
  }
  // Refused. Another region may have a chunk that is usable already.
  for (Region* region = regions.front(); region != nullptr;
       region = regions.Next(region)) {
    if (HasUsable(*region)) return TakeFrom(*region, wish);
  }
  return {};
}

// Makes purged free chunks reserved again, so that they no longer count against
// a limit. Returns how many.
size_t WithdrawFree() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  size_t withdrawn = 0;
  for (Region* region = regions.front(); region != nullptr;
       region = regions.Next(region)) {
    withdrawn += RegionMapping::Withdraw(*region);
  }
  return withdrawn;
}

// After usable memory was refused: makes free chunks reserved, so that they no
// longer count. Once there are none left, forgets the refusal.
void WithdrawAfterRefusal() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (os::WasRefusedUsable() && WithdrawFree() == 0) os::ForgetRefusal();
}

// Touches a chunk with nothing resident. Returns how long that took, in ns.
uint64_t TimeTouch(uintptr_t address) {
  const uint64_t begin = Nanoseconds();
  *reinterpret_cast<volatile char*>(address) = 0;
  return Nanoseconds() - begin;
}

}  // namespace

ChunkSource::Allocation ChunkSource::Allocate(Use use, size_t wanted,
                                              size_t least) {
  bool is_timed = false;
  Allocation chunk;
  {
    MutexLock lock(mutex);
    chunk = TakeChunk({use, wanted, least});
    is_timed =
        chunk.is_dense && chunk.is_zero && huge_page_trials.BeginsTrial();
  }
  if (is_timed) {
    const uint64_t nanoseconds = TimeTouch(chunk.address);
    MutexLock lock(mutex);
    huge_page_trials.End(nanoseconds);
  }
  return chunk;
}

bool ChunkSource::MakeUsable(uintptr_t address, size_t bytes) {
  MutexLock lock(mutex);
  Region* region = RegionOf(address);
  const size_t chunk = (address - region->base) / kChunkBytes;
  const int error = RegionMapping::MakeUsable(*region, chunk, bytes);
  if (error == 0) return true;
  Count(Event::kMapFailure);
  NoteMapFail(HAKMEM_OS_REQUEST_COMMIT, error, bytes);
  return false;
}

void ChunkSource::Free(uintptr_t address, size_t dirty_bytes, uint64_t now) {
  MutexLock lock(mutex);
  Region* region = RegionOf(address);
  const size_t chunk = (address - region->base) / kChunkBytes;
  region->freed_at[chunk] = now;
  region->SetDirty(chunk, dirty_bytes);
  region->MarkFree(chunk);
  AddInUse(size_t{0} - 1);
}

bool ChunkSource::BecomeSparse(uintptr_t address) {
  MutexLock lock(mutex);
  Region* region = RegionOf(address);
  const size_t chunk = (address - region->base) / kChunkBytes;
  return !region->IsDense(chunk) || RegionMapping::MakeSparse(*region, chunk);
}

size_t ChunkSource::PurgeExcess(size_t most_dirty, PurgeBudget* budget) {
  MutexLock lock(mutex);
  size_t given_back = 0;
  while (DirtyBytes::OfChunks() > most_dirty && !PurgeBudget::IsSpent(budget)) {
    const size_t purged =
        PurgeOneRun(/*now=*/0, /*force=*/true, kMaxBudgetedRun);
    if (purged == 0) break;
    given_back += purged;
  }
  Count(Event::kPurgedByte, given_back);
  return given_back;
}

size_t ChunkSource::Purge(uint64_t now, bool force, PurgeBudget* budget) {
  size_t given_back = 0;
  const size_t most = budget == nullptr ? kMaxPurgeRun : kMaxBudgetedRun;
  MutexLock lock(mutex);
  while (!PurgeBudget::IsSpent(budget)) {
    const size_t purged = PurgeOneRun(now, force, most);
    if (purged == 0) break;
    given_back += purged;
  }
  Count(Event::kPurgedByte, given_back);
  if (force || IsSpaceLimited()) {
    UnmapUnusedRegions(force ? SIZE_MAX : 0);
  }
  if (os::CommitIsStrict()) {
    // Purged memory stays charged, and is charged again at each fork.
    WithdrawFree();
  } else if (force) {
    WithdrawAfterRefusal();
  }
  return given_back;
}

size_t ChunkSource::BytesInUse() {
  return chunks_in_use.load(std::memory_order_relaxed) * kChunkBytes;
}

uint64_t ChunkSource::FreshChunks() {
  return fresh_chunks.load(std::memory_order_relaxed);
}

size_t ChunkSource::BytesReserved() {
  MutexLock lock(mutex);
  return bytes_reserved;
}

void ChunkSource::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Lock();
  region_pool.LockForFork();
}

void ChunkSource::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  region_pool.UnlockAfterFork();
  mutex.Unlock();
}

void ChunkSource::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckRegions(regions, bytes_reserved, region_pool, check);
}

bool ChunkSource::OverlapsRegion(uintptr_t address,
                                 size_t bytes) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (const Region* region = regions.front(); region != nullptr;
       region = region->list_next) {
    if (region->Overlaps(address, bytes)) return true;
  }
  return false;
}

bool ChunkSource::Owns(uintptr_t address) {
  MutexLock lock(mutex);
  return OverlapsRegion(address, 1);
}

}  // namespace hakmem
