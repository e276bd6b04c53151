#include "frontend/process/housekeeping.h"

#include <algorithm>
#include <atomic>

#include "ace/ace.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/huge_pages.h"
#include "backend/memory/purge_budget.h"
#include "backend/memory/purge_turn.h"
#include "backend/slabs/inner_purge.h"
#include "base/os/clock.h"
#include "base/text/options.h"
#include "linked_backend.h"
#include "tracing/failures/failure.h"

namespace hakmem {
namespace {

constinit std::atomic<uint64_t> next_run{0};

// The longest that one call of malloc or free purges, but for the system call
// that it is in by then. A thread with few calls must do more in each.
constexpr uint64_t kMaxNanoseconds = 150'000;
constexpr uint64_t kMaxQuietNanoseconds = 400'000;

// Free memory may stay resident for the decay time, but no more than this, or
// than half of the chunks in use if that is more: the process may never call
// again. Only free chunks can be purged early; half of the bound is theirs
// whatever the other parts hold, so that these do not make them come and go.
// (large.cc has a limit of its own for cached large blocks.)
constexpr size_t kMaxDirtyBytes = size_t{64} << 20;
constexpr size_t kDirtyPart = 2;

// Whether the last run ran out of time to purge all that was due: whole slabs,
// spans and chunks, or pages inside slabs too. Guarded by the turn to purge.
constinit bool has_more_whole = false;
constinit bool has_more_to_purge = false;
// When the next epoch ends. Guarded by the turn to purge.
constinit uint64_t epoch_ends = 0;

// After a flush, an epoch collects what was freed into other threads' heaps,
// and a slab that came empty then is returned after two more.
constexpr uint32_t kEpochsAfterFlush = 3;
// How many of them are to come. Written in the turn to purge; relaxed: a hint
// to others.
constinit std::atomic<uint32_t> epochs_awaited{0};

uint64_t Interval() {
  return std::clamp<uint64_t>(options::Get(options::k_decay) / 8, 1, 1000);
}

void EndEpoch(uint64_t now, bool force) {
  LinkedBackend::EndEpoch(now, force);
  Ace::EndEpoch(now, force);
}

size_t PurgeInside(const InnerPurge& purge) {
  const size_t tiny = LinkedBackend::PurgeInside(purge);
  InnerPurge rest = purge;
  rest.most_bytes -= std::min(rest.most_bytes, tiny);
  return tiny + (rest.most_bytes == 0 ? 0 : Ace::PurgeInside(rest));
}

size_t PurgeWhole(uint64_t now, bool force, PurgeBudget* budget) {
  return LinkedBackend::Purge(now, force, budget) +
         Ace::Purge(now, force, budget) +
         ChunkSource::Purge(now, force, budget);
}

// How many bytes of free chunks may be resident.
size_t MaxDirtyInChunks() {
  const size_t most =
      std::max(kMaxDirtyBytes, ChunkSource::BytesInUse() / kDirtyPart);
  const size_t all = DirtyBytes::Bytes();
  const size_t elsewhere = all - std::min(all, DirtyBytes::OfChunks());
  return most - std::min(elsewhere, most / 2);
}

// How many fresh chunks free pages were purged for, or there were none. Written
// by the thread that has the turn to purge; relaxed: a hint to the others.
constinit std::atomic<uint64_t> chunks_made_up_for{0};

uint64_t ChunksToMakeUpFor() {
  return ChunkSource::FreshChunks() -
         chunks_made_up_for.load(std::memory_order_relaxed);
}

// Free pages of slabs in use that may wait while the process grows. Fewer are
// not worth the huge pages that purging them would split.
constexpr size_t kMaxIdleBytes = size_t{32} << 20;

// Purges as much as the process has grown by, in slabs that are nearly empty,
// whatever its age: the program asks for other sizes now, so memory freed
// before that would add to its peak.
void MakeUpForGrowth(uint64_t now, PurgeBudget* budget) {
  const size_t idle = DirtyBytes::Idle();
  const size_t bytes = std::min<size_t>(ChunksToMakeUpFor() * kChunkBytes,
                                        idle - std::min(idle, kMaxIdleBytes));
  const size_t purged =
      bytes == 0 ? 0
                 : PurgeInside({InnerPurge::Which::kThin, now, budget, bytes});
  if (!budget->is_spent() || purged >= bytes) {
    chunks_made_up_for.store(ChunkSource::FreshChunks(),
                             std::memory_order_relaxed);
  } else {
    chunks_made_up_for.fetch_add(purged / kChunkBytes,
                                 std::memory_order_relaxed);
  }
}

// Empties the reserves of waiting threads, and purges what is due.
void PurgeDue(uint64_t now, FlushIdle flush_idle, PurgeBudget* budget) {
  uint32_t awaited = epochs_awaited.load(std::memory_order_relaxed);
  if (flush_idle(now, budget)) awaited = kEpochsAfterFlush;
  if (!has_more_whole && now >= epoch_ends) {
    EndEpoch(now, /*force=*/false);
    epoch_ends = now + Interval();
    awaited -= awaited != 0 ? 1 : 0;
  }
  epochs_awaited.store(awaited, std::memory_order_relaxed);
  PurgeWhole(now, /*force=*/false, budget);
  has_more_whole = budget->is_spent();
  // Last: it gives back less in the same time.
  PurgeInside({InnerPurge::Which::kDue, now, budget});
  has_more_to_purge = budget->is_spent();
}

// Records a refusal that failed no request of the program.
void RecordRefusedHugePages() {
  if constexpr (!kTracing) return;
  const HugePages::Refusal refusal = HugePages::TakeRefusal();
  if (refusal.error == 0) return;
  NoteMapFail(HAKMEM_OS_REQUEST_HUGE_PAGES, refusal.error, refusal.bytes);
  hakmem_failure_t failure = {};
  failure.entry = HAKMEM_ENTRY_NONE;
  failure.layer = HAKMEM_LAYER_BACKEND;
  failure.error = refusal.error;
  RecordFailure(&failure);
}

}  // namespace

void RunHousekeeping(uint64_t now, bool is_quiet, FlushIdle flush_idle) {
  const bool is_due = now >= next_run.load(std::memory_order_relaxed);
  const size_t most_dirty = MaxDirtyInChunks();
  const bool is_excess = DirtyBytes::OfChunks() > most_dirty;
  const bool has_grown = ChunksToMakeUpFor() != 0;
  if (!is_due && !is_excess && !has_grown) return;
  const PurgeTurn turn(PurgeTurn::IfTaken::kLeave);
  if (!turn.IsHeld()) return;
  PurgeBudget budget(is_quiet ? kMaxQuietNanoseconds : kMaxNanoseconds);
  if (is_excess) ChunkSource::PurgeExcess(most_dirty, &budget);
  if (has_grown) MakeUpForGrowth(now, &budget);
  if (is_due) {
    PurgeDue(now, flush_idle, &budget);
    const uint64_t wait = !has_more_to_purge ? Interval() : is_quiet ? 0 : 1;
    next_run.store(now + wait, std::memory_order_relaxed);
    RecordRefusedHugePages();
  }
}

bool AwaitsEpochs() {
  return epochs_awaited.load(std::memory_order_relaxed) != 0;
}

void FlushCachesToChunks(uint64_t now) {
  // Twice: memory kept at first is released when found unused again.
  for (int round = 0; round < 2; ++round) EndEpoch(now, /*force=*/false);
}

size_t CollectEverything() {
  const uint64_t now = CoarseMilliseconds();
  // Twice: the second round returns what the first one empties.
  size_t given_back = 0;
  for (int round = 0; round < 2; ++round) {
    EndEpoch(now, /*force=*/true);
    given_back += PurgeInside({InnerPurge::Which::kAll, now, nullptr});
    given_back += PurgeWhole(now, /*force=*/true, nullptr);
  }
  return given_back;
}

}  // namespace hakmem
