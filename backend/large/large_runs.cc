#include "backend/large/large_runs.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "backend/memory/dirty_bytes.h"

namespace hakmem::large {
namespace {

// The longest joined run: LargeBlock::borders has a bit for each chunk.
constexpr size_t kMaxRun = 64 * kChunkBytes;

// What a block of one chunk gets, if a run is so long.
constexpr size_t kVectorBytes = 4 * kChunkBytes;

// A shorter rest of a run is not worth metadata of its own.
constexpr size_t kMinRest = kChunkBytes / 2;

uint64_t FirstBits(size_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

uint64_t ShiftedDown(uint64_t bits, size_t count) {
  return count >= 64 ? 0 : bits >> count;
}

// Joins two neighbours in the list of cached runs; the longer one's place there
// is kept. Returns the run.
LargeBlock* Join(LargeBlock* left, LargeBlock* right)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t chunks = left->bytes / kChunkBytes;
  const uint64_t first = left->is_end_joined ? right->borders & 1 : 1;
  const uint64_t bits =
      left->borders | ((right->borders & ~uint64_t{1}) | first) << chunks;
  LargeBlock* kept = left->bytes >= right->bytes ? left : right;
  LargeBlock* gone = kept == left ? right : left;
  kept->base = left->base;
  kept->is_end_joined = right->is_end_joined;
  kept->asked_for_huge_pages &= gone->asked_for_huge_pages;
  kept->bytes += gone->bytes;
  cached.Remove(gone);
  SetBorders(gone, 0);
  SetBorders(kept, bits);
  block_pool.Put(gone);
  return kept;
}

bool CanJoin(const LargeBlock* left, const LargeBlock* right) {
  return left != nullptr && right != nullptr &&
         left->bytes + right->bytes <= kMaxRun;
}

}  // namespace

void EnterCached(LargeBlock* block) {
  LargeBlock* left = nullptr;
  LargeBlock* right = nullptr;
  for (LargeBlock* run = cached.front(); run != nullptr;
       run = cached.Next(run)) {
    if (run->base + run->bytes == block->base) left = run;
    if (block->base + block->bytes == run->base) right = run;
  }
  EnterCachedAsNewest(block);
  if (CanJoin(left, block)) block = Join(left, block);
  if (CanJoin(block, right)) Join(block, right);
}

size_t BytesToBorder(const LargeBlock& block) {
  const uint64_t after = block.borders >> 1;
  const size_t chunks = static_cast<size_t>(std::countr_zero(after)) + 1;
  return after == 0 ? block.bytes : std::min(block.bytes, chunks * kChunkBytes);
}

LargeBlock* TakeFront(LargeBlock* run, size_t bytes) {
  if (bytes == run->bytes) {
    RemoveCached(run);
    return run;
  }
  LargeBlock* front = block_pool.Get();
  if (front == nullptr) return nullptr;
  Begin(front, run->base, bytes);
  front->freed_at = run->freed_at;
  front->asked_for_huge_pages = run->asked_for_huge_pages;
  const size_t chunks = bytes / kChunkBytes;
  const uint64_t bits = run->borders;
  SetBorders(front, bits & FirstBits(chunks));
  SetBorders(run, ShiftedDown(bits, chunks));
  front->is_end_joined = (run->borders & 1) == 0;
  run->base += bytes;
  run->bytes -= bytes;
  bytes_cached -= bytes;
  DirtyBytes::Subtract(bytes);
  return front;
}

LargeBlock* TakeOldest(size_t bytes) {
  LargeBlock* oldest = cached.front();
  const size_t chunks = RoundToChunks(bytes);
  if (chunks + kMinRest <= oldest->bytes) {
    if (LargeBlock* front = TakeFront(oldest, chunks)) return front;
  }
  RemoveCached(oldest);
  return oldest;
}

LargeBlock* TakeBestFit(size_t size, size_t alignment, size_t most_rest) {
  LargeBlock* best = nullptr;
  for (LargeBlock* run = cached.front(); run != nullptr;
       run = cached.Next(run)) {
    if (run->bytes < size || run->base % std::max(alignment, size_t{1}) != 0) {
      continue;
    }
    if (best == nullptr || run->bytes <= best->bytes) best = run;
  }
  if (best == nullptr) return nullptr;
  // A block of one chunk may be a vector that begins to grow.
  const size_t wanted =
      size <= kChunkBytes ? std::min({BytesToBorder(*best),
                                      RoundToChunks(best->bytes), kVectorBytes})
                          : RoundToChunks(size);
  if (wanted + kMinRest <= best->bytes) {
    if (LargeBlock* front = TakeFront(best, wanted)) return front;
  }
  if (best->bytes - size > most_rest) return nullptr;
  RemoveCached(best);
  return best;
}

size_t TakeNext(LargeBlock* block, size_t mapped, size_t wanted) {
  const uintptr_t end = block->base + mapped;
  if (!block->is_end_joined || end % kChunkBytes != 0 || wanted > kMaxRun) {
    return 0;
  }
  LargeBlock* next = cached.front();
  while (next != nullptr && next->base != end) next = cached.Next(next);
  if (next == nullptr || mapped + next->bytes < wanted) return 0;
  const size_t bytes = std::min(RoundToChunks(wanted - mapped), next->bytes);
  const size_t chunks = (bytes + kChunkBytes - 1) / kChunkBytes;
  if ((next->borders & FirstBits(chunks)) != 0) return 0;
  LargeBlock* taken = TakeFront(next, bytes);
  if (taken == nullptr) return 0;
  block->is_end_joined = taken->is_end_joined;
  SetBorders(taken, 0);
  block_pool.Put(taken);
  return bytes;
}

void DropFront(LargeBlock* block, size_t bytes) {
  MutexLock lock(mutex);
  block->base += bytes;
  block->bytes -= bytes;
  SetBorders(block, ShiftedDown(block->borders, bytes / kChunkBytes));
}

}  // namespace hakmem::large
