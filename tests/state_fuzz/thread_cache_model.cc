#include "tests/state_fuzz/thread_cache_model.h"

#include <cstring>

#include "ace/ace.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/small_reserve.h"
#include "base/os/clock.h"
#include "base/size_classes.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/call.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kThreads = 4;
constexpr size_t kMaxLive = size_t{32} << 20;
constexpr size_t kMaxBlock = size_t{3} << 20;
// Tags of blocks; smaller values are classes.
constexpr uint64_t kSpan = 1000;
constexpr uint64_t kLarge = 1001;
constexpr uint64_t kReserved = 1002;  // from the emergency reserve

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

void* BlockAt(uintptr_t address) { return reinterpret_cast<void*>(address); }

// malloc and free as the entry points implement them, which are not linked in:
// the program's own are libc's.
void* Malloc(size_t bytes) {
  void* block = PopFromBins(bytes);
  return block != nullptr ? block
                          : AllocateSlow(bytes, CallOf(HAKMEM_ENTRY_MALLOC));
}

void FreeBlock(void* block) {
  if (!PushToBins(block)) FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE));
}

void CollectAllParts() {
  ThreadCache::FlushReserves();  // ends parked caches
  // Twice: the second round releases what the first found empty.
  for (int round = 0; round < 2; ++round) {
    const uint64_t now = CoarseMilliseconds();
    LinkedBackend::Collect(now, /*force=*/true);
    Ace::Collect(now, /*force=*/true);
    ChunkSource::Purge(now, /*force=*/true);
  }
}

}  // namespace

ThreadCacheModel::ThreadCacheModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(3) ? 0 : source.Below(50)),
      bin_bytes_(options::k_bin_bytes,
                 source.OneIn(3) ? source.Below(32769) : 32768),
      allocate_weight_(source.Between(2, 8)),
      most_bytes_(source.Doubling(16, kMaxBlock)),
      threads_(source.Between(1, kThreads)) {
  Check(ThreadCache::SumAll().threads == 0, "a thread has a cache already");
}

ThreadCacheModel::~ThreadCacheModel() {
  Faults::Disarm();
  ByteSource none({});
  threads_.Run(0, [&] {
    while (!blocks_.empty()) Free(none);
  });
  for (size_t i = 0; i < threads_.size(); ++i) threads_.End(i);
  const ThreadCache::Totals caches = ThreadCache::SumAll();
  Check(caches.threads == 0, "%zu caches of ended threads",
        size_t{caches.threads});
  CollectAllParts();
  const Ace::Totals ace = Ace::Sum();
  Check(LinkedBackend::Totals().block_bytes == 0 &&
            ace.slabs.block_bytes == 0 && ace.span_bytes == 0 &&
            ace.large_bytes == 0 && ace.large_cached == 0,
        "%zu bytes in tiny blocks, %zu in mid ones, %zu in spans left",
        size_t{LinkedBackend::Totals().block_bytes},
        size_t{ace.slabs.block_bytes}, size_t{ace.span_bytes});
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
}

void ThreadCacheModel::Perform(ByteSource& source) {
  const size_t thread = source.Below(threads_.size());
  switch (source.Choose({allocate_weight_, 5, 2, 1, 1})) {
    case 0:
      return threads_.Run(thread, [&] {
        // Bins adapt to runs of one size.
        const uint64_t times = source.Doubling(1, 64);
        for (uint64_t n = 0; n < times; ++n) Allocate(source);
      });
    case 1:
      return threads_.Run(thread, [&] {
        const uint64_t times = source.Doubling(1, 64);
        for (uint64_t n = 0; n < times; ++n) Free(source);
      });
    case 2:
      return threads_.Run(thread, [&] { Reallocate(source); });
    case 3:
      if (source.OneIn(3)) return Faults::Arm(source);
      if (source.OneIn(3)) return CollectAllParts();
      return threads_.Run(thread, [] { CollectAll(); });
    case 4:
      return threads_.End(thread);
  }
}

void ThreadCacheModel::Allocate(ByteSource& source) {
  const size_t bytes = DrawBytes(source);
  if (blocks_.bytes() + bytes > kMaxLive) return;
  const FaultWatch faults;
  void* block;
  switch (source.Choose({6, 1, 1})) {
    case 0:
      block = Malloc(bytes);
      break;
    case 1:
      block = AllocateZeroed(bytes, CallOf(HAKMEM_ENTRY_CALLOC));
      if (block != nullptr) {
        for (size_t i = 0; i < bytes; ++i) {
          Check(static_cast<char*>(block)[i] == 0,
                "zeroed block of %zu bytes has %d at %zu", bytes,
                static_cast<char*>(block)[i], i);
        }
      }
      break;
    default: {
      const size_t alignment = source.PowerOfTwo(1, kChunkBytes);
      block =
          AllocateAligned(alignment, bytes, CallOf(HAKMEM_ENTRY_ALIGNED_ALLOC));
      Check(AddressOf(block) % alignment == 0, "%p not aligned to %zu", block,
            alignment);
    }
  }
  if (block == nullptr) {
    return Check(faults.Happened(), "%zu bytes refused by nobody", bytes);
  }
  AddBlock(block, bytes);
}

void ThreadCacheModel::AddBlock(void* block, size_t bytes) {
  const uintptr_t address = AddressOf(block);
  Check(address % kBlockAlignment == 0, "block at %#zx", address);
  const size_t usable = UsableBytes(block);
  Check(usable >= bytes, "%zu bytes asked for, %zu given", bytes, usable);
  uint64_t tag = Index(Pagemap::ClassAt(address));
  if (SmallReserve::Owns(address)) {
    tag = kReserved;
  } else if (tag == 0) {
    tag = Pagemap::ChunkAt(address)->kind == ChunkKind::kLarge ? kLarge : kSpan;
  }
  blocks_.Add(address, usable, tag);
}

void ThreadCacheModel::Free(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Remove(blocks_.Pick(source).address);
  FreeBlock(BlockAt(block.address));
}

void ThreadCacheModel::Reallocate(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock old = blocks_.Pick(source);
  const size_t bytes = DrawBytes(source) + 1;
  if (blocks_.bytes() + bytes > kMaxLive) return;
  const FaultWatch faults;
  void* block = hakmem::Reallocate(BlockAt(old.address), bytes,
                                   CallOf(HAKMEM_ENTRY_REALLOC));
  if (block == nullptr) {
    return Check(faults.Happened(), "%zu bytes refused by nobody", bytes);
  }
  blocks_.Move(old.address, AddressOf(block), UsableBytes(block), bytes);
  // Its class may have changed.
  const LiveBlock moved = blocks_.Remove(AddressOf(block));
  AddBlock(BlockAt(moved.address), bytes);
}

size_t ThreadCacheModel::DrawBytes(ByteSource& source) const {
  return source.OneIn(32) ? 0 : source.Doubling(1, most_bytes_);
}

void ThreadCacheModel::CheckInvariants() {
  blocks_.CheckContents();
  size_t tiny = 0;
  size_t mid = 0;
  size_t spans = 0;
  size_t large = 0;
  blocks_.ForEach([&](const LiveBlock& block) {
    const size_t usable = UsableBytes(BlockAt(block.address));
    Check(usable == block.bytes, "block of %zu bytes at %#zx has %zu now",
          block.bytes, block.address, usable);
    if (block.tag == kReserved) return;
    (block.tag == kSpan             ? spans
     : block.tag == kLarge          ? large
     : block.tag >= kTinyClassCount ? mid
                                    : tiny) += block.bytes;
  });
  const ThreadCache::Totals caches = ThreadCache::SumAll();
  const SlabTotals backend = LinkedBackend::Totals();
  const Ace::Totals ace = Ace::Sum();
  Check(backend.block_bytes == tiny + caches.tiny_cached,
        "%zu bytes in tiny blocks: %zu in use, %zu in bins",
        size_t{backend.block_bytes}, tiny, size_t{caches.tiny_cached});
  Check(ace.slabs.block_bytes == mid + caches.mid_cached,
        "%zu bytes in mid blocks: %zu in use, %zu in bins",
        size_t{ace.slabs.block_bytes}, mid, size_t{caches.mid_cached});
  Check(ace.span_bytes == spans + caches.spans_cached + ace.shared_cached,
        "%zu bytes in spans: %zu in use, %zu in thread caches, %zu in the "
        "central one",
        size_t{ace.span_bytes}, spans, size_t{caches.spans_cached},
        size_t{ace.shared_cached});
  Check(ace.large_bytes == large, "%zu bytes in large blocks, not %zu",
        size_t{ace.large_bytes}, large);
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<ThreadCacheModel>(bytes);
}

}  // namespace hakmem::fuzz
