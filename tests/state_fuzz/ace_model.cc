#include "tests/state_fuzz/ace_model.h"

#include <algorithm>
#include <vector>

#include "ace/ace.h"
#include "ace/blocks_test_helper.h"
#include "ace/limit.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap.h"
#include "base/os/clock.h"
#include "base/size_classes.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMaxLive = size_t{48} << 20;
constexpr size_t kMaxBlock = size_t{6} << 20;
constexpr uint32_t kMaxBatch = 32;

size_t RoundToPages(size_t bytes) { return PagesFor(bytes) * kPageBytes; }

// Whether `bytes` more would exceed the limit on the pool.
bool IsBeyondLimit(size_t bytes) {
  return AceLimit::Bytes() != SIZE_MAX &&
         AceLimit::Held() + bytes > AceLimit::Bytes();
}

}  // namespace

AceModel::AceModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      limit_mb_(options::k_ace_limit_mb,
                source.OneIn(3) ? source.Between(2, 24) : 0),
      waste_percent_(options::k_ace_waste_percent,
                     source.OneIn(3) ? source.Below(101) : 13),
      allocate_weight_(source.Between(2, 8)),
      most_bytes_(source.Doubling(kMaxMidBytes, kMaxBlock)),
      length_count_(source.OneIn(2) ? source.Between(1, 6) : 0),
      now_(CoarseMilliseconds()) {
  for (std::unique_ptr<ThreadSpanCache>& bins : bins_) {
    bins = std::make_unique<ThreadSpanCache>();
    bins->Begin();
  }
}

AceModel::~AceModel() {
  Faults::Disarm();
  ByteSource none({});
  while (!blocks_.empty()) GiveBack(none);
  for (std::unique_ptr<ThreadSpanCache>& bins : bins_) {
    Ace::TrimBins(*bins, /*all=*/true);
    Check(bins->held_bytes() == 0, "%zu bytes are left in bins",
          bins->held_bytes());
  }
  // Twice: the second round releases what the first found empty.
  for (int round = 0; round < 2; ++round) Collect(/*force=*/true);
  const Ace::Totals totals = Ace::Sum();
  Check(totals.slabs.chunks == 0 && totals.slabs.committed_bytes == 0,
        "%zu chunks of mid blocks are left", size_t{totals.slabs.chunks});
  Check(totals.span_bytes == 0 && totals.committed == 0,
        "%zu bytes in spans are left, %zu resident", size_t{totals.span_bytes},
        size_t{totals.committed});
  Check(totals.shared_cached == 0 && totals.large_cached == 0 &&
            totals.large_bytes == 0,
        "%zu bytes in the central span cache, %zu in large blocks, %zu cached "
        "are left",
        size_t{totals.shared_cached}, size_t{totals.large_bytes},
        size_t{totals.large_cached});
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
}

void AceModel::Perform(ByteSource& source) {
  switch (source.Choose({2, allocate_weight_, 4, 2, 1, 1, 1})) {
    case 0:
      return Refill(source);
    case 1:
      return Allocate(source);
    case 2:
      return GiveBack(source);
    case 3:
      return Resize(source);
    case 4:
      return Trim(source);
    case 5:
      return Collect(source.OneIn(4));
    case 6:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(400);
  }
}

void AceModel::Refill(ByteSource& source) {
  const size_t c = source.Between(kTinyClassCount, kClassCount - 1);
  const auto count = static_cast<uint32_t>(source.Doubling(1, kMaxBatch));
  const auto size_class = SizeClass{static_cast<uint8_t>(c)};
  const size_t bytes = ClassBytes(size_class);
  if (blocks_.bytes() + count * bytes > kMaxLive) return;
  void* batch[kMaxBatch];
  const FaultWatch faults;
  const uint32_t taken = Ace::Refill(size_class, batch, count);
  Check(taken <= count, "%u blocks of %u asked for", taken, count);
  Check(taken != 0 || faults.Happened() || IsBeyondLimit(bytes),
        "a batch of %zu bytes each refused by nobody", bytes);
  for (uint32_t i = 0; i < taken; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(batch[i]);
    blocks_.Add(address, bytes, c);
    Check(Pagemap::ClassAt(address) == size_class,
          "the block at %#zx has class %zu for the map", address,
          Index(Pagemap::ClassAt(address)));
  }
}

// Frees `block` and others of its class.
void AceModel::Drain(const LiveBlock& block, ByteSource& source) {
  std::vector<void*> batch;
  uint64_t left = source.Doubling(1, kMaxBatch);
  blocks_.ForEach([&](const LiveBlock& other) {
    if (left == 0 || other.tag != block.tag) return;
    if (other.address != block.address && !source.OneIn(2)) return;
    batch.push_back(reinterpret_cast<void*>(other.address));
    --left;
  });
  for (void* address : batch) {
    blocks_.Remove(reinterpret_cast<uintptr_t>(address));
  }
  Ace::Drain(SizeClass{static_cast<uint8_t>(block.tag)}, batch.data(),
             static_cast<uint32_t>(batch.size()));
}

void AceModel::Allocate(ByteSource& source) {
  const size_t bytes =
      length_count_ != 0
          ? kMaxMidBytes + (1 + source.Below(length_count_)) * kPageBytes -
                source.Below(kPageBytes)
      : source.OneIn(16) ? 0
                         : source.Doubling(kMaxTinyBytes, most_bytes_);
  const size_t alignment =
      source.OneIn(6) ? source.PowerOfTwo(1, 4 * kChunkBytes) : 1;
  const auto contents =
      source.OneIn(3) ? Ace::Contents::kZero : Ace::Contents::kAny;
  if (blocks_.bytes() + bytes > kMaxLive) return;
  // Often many at once, to which caches adapt.
  uint64_t times = source.OneIn(4) ? source.Between(1, 12) : 1;
  ThreadSpanCache* bins = DrawBins(source);
  for (; times != 0 && blocks_.bytes() + bytes <= kMaxLive; --times) {
    const FaultWatch faults;
    const SpanAllocation block =
        AllocateBlock(bytes, alignment, contents, bins);
    if (!block) {
      // Fixed classes may need more than the request.
      const bool is_limited =
          kAceMode == AceMode::kFixed
              ? AceLimit::Bytes() != SIZE_MAX
              : IsBeyondLimit(RoundToPages(std::max(bytes, size_t{1})));
      return Check(faults.Happened() || is_limited,
                   "%zu bytes refused by nobody: %zu held", bytes,
                   AceLimit::Held());
    }
    Check(block.address % std::max(alignment, kPageBytes) == 0,
          "block at %#zx not aligned to %zu", block.address, alignment);
    const size_t usable = BlockBytesAt(block.address);
    Check(usable >= std::max<size_t>(bytes, 1),
          "%zu bytes asked for, %zu given", bytes, usable);
    const uint64_t percent = options::Get(options::k_ace_waste_percent);
    Check(usable > kMaxSpanBytes ||
              usable <= RoundToPages(std::max<size_t>(bytes, 1)) ||
              usable - bytes <= bytes * percent / 100,
          "%zu bytes given for %zu, beyond the waste cap", usable, bytes);
    AddBlock(block, usable);
  }
}

void AceModel::AddBlock(const SpanAllocation& block, size_t usable) {
  if (block.is_zero) CheckZero(block.address, usable);
  const bool is_span = PageHeap::PagesAt(PagemapEntry::At(block.address)) != 0;
  Check(is_span == (usable <= kMaxSpanBytes) || !is_span, "a span of %zu bytes",
        usable);
  blocks_.Add(block.address, usable, is_span ? kSpan : kLarge);
}

void AceModel::GiveBack(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  if (block.tag < kClassCount) return Drain(block, source);
  blocks_.Remove(block.address);
  FreeBlock(block.address, DrawBins(source));
  Check(BlockBytesAt(block.address) == 0, "a block is at %#zx still",
        block.address);
}

void AceModel::Resize(ByteSource& source) {
  if (blocks_.empty()) return;
  const LiveBlock block = blocks_.Pick(source);
  if (block.tag < kClassCount) return;
  const bool is_impossible = source.OneIn(16);
  const size_t bytes =
      is_impossible     ? SIZE_MAX - source.Doubling(1, SIZE_MAX / 2)
      : source.OneIn(2) ? block.bytes + source.Below(8 * kPageBytes)
                        : source.Doubling(1, 2 * most_bytes_);
  if (!is_impossible && blocks_.bytes() + bytes > kMaxLive) return;
  const uintptr_t address = ResizeBlock(block.address, bytes);
  Check(!is_impossible || address == 0, "resized to %zu bytes", bytes);
  const size_t usable = BlockBytesAt(address == 0 ? block.address : address);
  if (address == 0) {
    return Check(usable == block.bytes, "%zu bytes not resized, but %zu now",
                 block.bytes, usable);
  }
  Check(usable >= bytes, "resized to %zu bytes, asked for %zu", usable, bytes);
  blocks_.Move(block.address, address, usable);
}

void AceModel::Trim(ByteSource& source) {
  ThreadSpanCache* bins = DrawBins(source);
  if (bins == nullptr) return;
  if (source.OneIn(2)) {
    bins->SetBudget(PageHeap::UsedBytes(), source.Between(0, 4));
  } else {
    const bool all = source.OneIn(3);
    Ace::TrimBins(*bins, all);
    Check(!all || bins->held_bytes() == 0, "%zu bytes are left in bins",
          bins->held_bytes());
  }
}

void AceModel::Collect(bool force) {
  Ace::Collect(now_, force);
  ChunkSource::Purge(now_, force);
}

ThreadSpanCache* AceModel::DrawBins(ByteSource& source) {
  const size_t thread = source.Below(kThreads + 1);
  return thread == kThreads ? nullptr : bins_[thread].get();
}

void AceModel::CheckInvariants() {
  blocks_.CheckContents();
  size_t mid_bytes = 0;
  size_t span_bytes = 0;
  size_t large_bytes = 0;
  blocks_.ForEach([&](const LiveBlock& block) {
    if (block.tag < kClassCount) {
      mid_bytes += block.bytes;
      const Slab* slab = Ace::SlabAt(block.address);
      const uint32_t number = slab->BlockAt(block.address);
      return Check(number != Slab::kNotABlock && !slab->IsBlockFree(number),
                   "the block at %#zx is free", block.address);
    }
    (block.tag == kSpan ? span_bytes : large_bytes) += block.bytes;
    const size_t bytes = BlockBytesAt(block.address);
    Check(bytes == block.bytes, "block of %zu bytes at %#zx has %zu now",
          block.bytes, block.address, bytes);
  });
  size_t kept = 0;
  for (std::unique_ptr<ThreadSpanCache>& bins : bins_)
    kept += bins->held_bytes();
  const Ace::Totals totals = Ace::Sum();
  Check(totals.slabs.block_bytes == mid_bytes,
        "%zu bytes in mid blocks, not %zu", size_t{totals.slabs.block_bytes},
        mid_bytes);
  Check(totals.span_bytes == span_bytes + kept + totals.shared_cached,
        "%zu bytes in spans: %zu in use, %zu in bins, %zu in the central span "
        "cache",
        size_t{totals.span_bytes}, span_bytes, kept,
        size_t{totals.shared_cached});
  Check(totals.large_bytes == large_bytes, "%zu bytes in large blocks, not %zu",
        size_t{totals.large_bytes}, large_bytes);
  Check(AceLimit::Held() == mid_bytes + totals.span_bytes &&
            AceLimit::Held() <= AceLimit::Bytes(),
        "%zu bytes held, %zu in mid blocks and %zu in spans, the limit is %zu",
        AceLimit::Held(), mid_bytes, size_t{totals.span_bytes},
        AceLimit::Bytes());
  if (run_.Happened()) return;  // see FaultWatch
  const size_t resident = ResidentInChunksOf(
      blocks_, [](const LiveBlock& block) { return block.tag != kLarge; });
  Check(resident <= totals.slabs.committed_bytes + totals.committed,
        "the kernel holds %zu bytes; %zu in slabs and %zu in spans", resident,
        size_t{totals.slabs.committed_bytes}, size_t{totals.committed});
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<AceModel>(bytes);
}

}  // namespace hakmem::fuzz
