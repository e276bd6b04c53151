#include "tests/state_fuzz/page_heap_model.h"

#include <algorithm>

#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap.h"
#include "base/os/clock.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

constexpr size_t kMaxBytes = size_t{48} << 20;

uintptr_t ChunkOf(uintptr_t address) { return address & ~(kChunkBytes - 1); }

}  // namespace

PageHeapModel::PageHeapModel(ByteSource& source)
    : decay_(options::k_decay, source.OneIn(4) ? 0 : source.Below(1000)),
      allocate_weight_(source.Between(2, 8)),
      most_pages_(source.Doubling(1, kMaxSpanBytes / kPageBytes)),
      now_(CoarseMilliseconds()) {
  Check(PageHeap::Totals().chunks == 0, "the heap holds chunks at the start");
}

PageHeapModel::~PageHeapModel() {
  Faults::Disarm();
  while (!spans_.empty()) {
    ByteSource none({});
    Free(none);
  }
  Check(PageHeap::Totals().chunks == 0, "the heap holds chunks without a span");
  Check(PageHeap::Totals().committed_bytes == 0, "and memory");
  ChunkSource::Purge(now_, /*force=*/true);
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
  Check(ChunkSource::BytesReserved() == 0, "%zu bytes are left reserved",
        ChunkSource::BytesReserved());
}

void PageHeapModel::Perform(ByteSource& source) {
  switch (source.Choose({allocate_weight_, 3, 2, 2, 1, 1, 1})) {
    case 0:
      return Allocate(source);
    case 1:
      return Free(source);
    case 2:
      return Resize(source);
    case 3:
      return ChangeMark(source);
    case 4:
      return FreeWhatIsNone(source);
    case 5:
      return Purge(source);
    case 6:
      if (source.OneIn(2)) return Faults::Arm(source);
      now_ += source.Below(400);
  }
}

void PageHeapModel::Allocate(ByteSource& source) {
  const size_t pages = source.Doubling(1, most_pages_);
  const size_t alignment = source.OneIn(4)
                               ? source.PowerOfTwo(kPageBytes, kMaxSpanBytes)
                               : kPageBytes;
  if (spans_.bytes() + pages * kPageBytes > kMaxBytes) return;
  const size_t room = pages + alignment / kPageBytes - 1;
  const Gap* best = nullptr;
  const std::vector<Gap> gaps = Gaps();
  for (const Gap& gap : gaps) {
    if (gap.pages >= room && (best == nullptr || gap.pages < best->pages)) {
      best = &gap;
    }
  }
  const FaultWatch faults;
  const SpanAllocation span = PageHeap::Allocate(pages, alignment);
  if (!span) {
    Check(best == nullptr, "%zu pages refused with a gap of %zu", pages,
          best == nullptr ? 0 : best->pages);
    return Check(faults.Happened(), "%zu pages refused by nobody", pages);
  }
  Check(span.address % alignment == 0, "span at %#zx not aligned to %zu",
        span.address, alignment);
  const uintptr_t last = span.address + pages * kPageBytes - 1;
  Check(ChunkOf(span.address) == ChunkOf(last), "span across chunks");
  const auto found = std::find_if(gaps.begin(), gaps.end(), [&](const Gap& g) {
    return g.address <= span.address && last < g.address + g.pages * kPageBytes;
  });
  Check((found == gaps.end()) == (best == nullptr),
        "%zu pages from a fresh chunk: %d, gap with room: %d", pages,
        found == gaps.end(), best != nullptr);
  Check(best == nullptr || found->pages == best->pages,
        "%zu pages from a gap of %zu, there is one of %zu", pages,
        best == nullptr ? 0 : found->pages, best == nullptr ? 0 : best->pages);
  if (span.is_zero) CheckZero(span.address, pages * kPageBytes);
  spans_.Add(span.address, pages * kPageBytes, kUsed);
}

void PageHeapModel::Free(ByteSource& source) {
  if (spans_.empty()) return;
  const LiveBlock span = spans_.Remove(spans_.Pick(source).address);
  const size_t freed =
      span.tag == kUsed
          ? PageHeap::Free(PagemapEntry::At(span.address), now_)
          : PageHeap::FreeCached(PagemapEntry::At(span.address), now_);
  Check(freed * kPageBytes == span.bytes,
        "span of %zu bytes freed as %zu pages", span.bytes, freed);
}

void PageHeapModel::Resize(ByteSource& source) {
  if (spans_.empty()) return;
  const LiveBlock span = spans_.Pick(source);
  const size_t old_pages = span.bytes / kPageBytes;
  const size_t behind = PagesBehind(span);
  // Often exactly what is free, or one page more.
  const size_t pages =
      source.OneIn(3) ? std::clamp<size_t>(old_pages + behind + source.Below(2),
                                           1, kMaxSpanBytes / kPageBytes)
                      : source.Doubling(1, kMaxSpanBytes / kPageBytes);
  const bool can = span.tag == kUsed && pages <= old_pages + behind;
  const bool done =
      PageHeap::Resize(PagemapEntry::At(span.address), pages, now_);
  Check(done == can, "resize from %zu to %zu pages with %zu behind: %d",
        old_pages, pages, behind, done);
  if (done) spans_.Move(span.address, span.address, pages * kPageBytes);
}

void PageHeapModel::ChangeMark(ByteSource& source) {
  if (spans_.empty()) return;
  const LiveBlock span = spans_.Pick(source);
  const size_t pages = span.bytes / kPageBytes;
  if (span.tag == kUsed) {
    PageHeap::MarkCached(PagemapEntry::At(span.address), pages);
    spans_.SetTag(span.address, kCached);
  } else {
    PageHeap::MarkUsed(span.address, pages);
    spans_.SetTag(span.address, kUsed);
  }
}

// Addresses at which no span starts must be distinguished from spans'.
void PageHeapModel::FreeWhatIsNone(ByteSource& source) {
  if (spans_.empty()) return;
  const LiveBlock span = spans_.Pick(source);
  const size_t offset = source.OneIn(2)
                            ? source.Below(kChunkBytes)
                            : source.Below(kPagesPerChunk) * kPageBytes;
  const uintptr_t address = ChunkOf(span.address) + offset;
  bool is_used = false;
  bool is_cached = false;
  uintptr_t around = 0;
  spans_.ForEach([&](const LiveBlock& other) {
    if (address - other.address >= other.bytes) return;
    if (other.tag == kUsed) around = other.address;
    if (address != other.address) return;
    is_used = other.tag == kUsed;
    is_cached = other.tag == kCached;
  });
  Check((PageHeap::PagesAt(PagemapEntry::At(address)) != 0) == is_used,
        "PagesAt(%#zx) is %zu, a used span: %d", address,
        PageHeap::PagesAt(PagemapEntry::At(address)), is_used);
  Check(PageHeap::SpanAround(address) == around,
        "%#zx lies in the span at %#zx, found %#zx", address, around,
        PageHeap::SpanAround(address));
  if (!is_used)
    Check(PageHeap::Free(PagemapEntry::At(address), now_) == 0,
          "freed what is none");
  if (!is_cached) {
    Check(PageHeap::FreeCached(PagemapEntry::At(address), now_) == 0,
          "freed what is not cached");
  }
}

void PageHeapModel::Purge(ByteSource& source) {
  const bool force = source.OneIn(3);
  const FaultWatch faults;
  const PageTotals before = PageHeap::Totals();
  const size_t given_back = PageHeap::Purge(now_, force);
  const PageTotals after = PageHeap::Totals();
  Check(before.committed_bytes - after.committed_bytes == given_back,
        "purge gave %zu bytes back, %zu in the totals", given_back,
        size_t{before.committed_bytes - after.committed_bytes});
  if (force && !faults.Happened()) {
    Check(after.committed_bytes == after.used_bytes,
          "%zu bytes committed after a purge, %zu used",
          size_t{after.committed_bytes}, size_t{after.used_bytes});
  }
  if (source.OneIn(2)) ChunkSource::Purge(now_, force);
}

void PageHeapModel::CheckInvariants() {
  spans_.CheckContents();
  spans_.ForEach([&](const LiveBlock& span) {
    const size_t pages = span.tag == kUsed ? span.bytes / kPageBytes : 0;
    Check(PageHeap::PagesAt(PagemapEntry::At(span.address)) == pages,
          "span at %#zx has %zu pages, the model says %zu", span.address,
          PageHeap::PagesAt(PagemapEntry::At(span.address)), pages);
  });
  const PageTotals totals = PageHeap::Totals();
  Check(totals.used_bytes == spans_.bytes(), "%zu bytes used, %zu in spans",
        size_t{totals.used_bytes}, spans_.bytes());
  Check(PageHeap::UsedBytes() == spans_.bytes(), "and without the lock %zu",
        PageHeap::UsedBytes());
  Check(totals.chunks == CountChunksOf(spans_), "%zu chunks, spans in %zu",
        size_t{totals.chunks}, CountChunksOf(spans_));
  Check(totals.committed_bytes >= totals.used_bytes &&
            totals.committed_bytes <= totals.chunks * kChunkBytes,
        "%zu bytes committed, %zu used, %zu chunks",
        size_t{totals.committed_bytes}, size_t{totals.used_bytes},
        size_t{totals.chunks});
  Check(DirtyBytes::Bytes() >= totals.committed_bytes - totals.used_bytes,
        "%zu bytes in the ledger, %zu free and resident", DirtyBytes::Bytes(),
        size_t{totals.committed_bytes - totals.used_bytes});
  if (run_.Happened()) return;  // see FaultWatch
  const size_t resident = ResidentInChunksOf(spans_);
  Check(resident <= totals.committed_bytes,
        "the kernel holds %zu bytes, the heap says %zu", resident,
        size_t{totals.committed_bytes});
}

std::vector<PageHeapModel::Gap> PageHeapModel::Gaps() const {
  std::vector<Gap> gaps;
  const auto add = [&](uintptr_t begin, uintptr_t end) {
    if (begin < end) gaps.push_back({begin, (end - begin) / kPageBytes});
  };
  uintptr_t end = 0;  // of the previous span; 0: none yet
  spans_.ForEach([&](const LiveBlock& span) {
    const uintptr_t chunk = ChunkOf(span.address);
    if (end == 0 || ChunkOf(end - 1) != chunk) {
      if (end != 0) add(end, ChunkOf(end - 1) + kChunkBytes);
      end = chunk;
    }
    add(end, span.address);
    end = span.address + span.bytes;
  });
  if (end != 0) add(end, ChunkOf(end - 1) + kChunkBytes);
  return gaps;
}

size_t PageHeapModel::PagesBehind(const LiveBlock& span) const {
  const uintptr_t end = span.address + span.bytes;
  for (const Gap& gap : Gaps()) {
    if (gap.address == end && ChunkOf(end - 1) == ChunkOf(end)) {
      return gap.pages;
    }
  }
  return 0;
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<PageHeapModel>(bytes);
}

}  // namespace hakmem::fuzz
