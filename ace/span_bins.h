// Span bins: the free spans that a thread keeps, one stack per length.
//
//   length   … │ 9 pages │ 10 │ … │ 256 pages │
//   spans        ■ ■ □ □   □        ■             ■ held  □ room in the limit
//
// A length has room of its own only while it is asked for: its limit starts at
// 0, grows by one on every few requests that found the bin empty, and shrinks
// by what lay unused in it for a whole epoch (its low water), down to nothing.
// All bins of a thread together keep within a budget, a small part of what the
// pool holds, so that traffic of many lengths is not cached at memory's cost.
// With --//ace=fixed limits stay as they start, at kFixedLimit.
//
// Not thread-safe: a thread's own. Begin() makes it valid.
#ifndef HAKMEM_ACE_SPAN_BINS_H_
#define HAKMEM_ACE_SPAN_BINS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ace_mode.h"
#include "backend/span.h"

namespace hakmem {

class SpanBins {
 public:
  static constexpr size_t kMaxPages = kMaxSpanBytes / kPageBytes;
  static constexpr uint32_t kMostSpans = 8;
  static constexpr uint32_t kFixedLimit = 2;

  void Begin() {
    held_bytes_ = 0;
    budget_ = kLeastBudget;
    for (Bin& bin : bins_) {
      bin = {};
      if (kAceMode == AceMode::kFixed) bin.limit = kFixedLimit;
    }
  }

  // A span of `pages`, the one that came last; 0 when there is none.
  uintptr_t Pop(size_t pages) {
    Bin& bin = bins_[pages];
    bin.in_use = true;
    if (bin.count == 0) {
      NoteMiss(bin, pages);
      return 0;
    }
    --bin.count;
    bin.low = std::min(bin.low, bin.count);
    held_bytes_ -= pages * kPageBytes;
    return spans_[pages][bin.count];
  }

  // Sets what all bins together may hold, for a pool that holds `pool_bytes`
  // and is used by `threads`.
  void SetBudget(size_t pool_bytes, size_t threads) {
    budget_ =
        std::max(pool_bytes / 32 / std::max(threads, size_t{1}), kLeastBudget);
  }

  // Keeps the span at `address`. Returns false when its bin is at its limit or
  // all bins together would exceed the budget.
  bool Push(size_t pages, uintptr_t address) {
    Bin& bin = bins_[pages];
    const size_t bytes = pages * kPageBytes;
    if (bin.count >= bin.limit || held_bytes_ + bytes > budget_) {
      return false;
    }
    spans_[pages][bin.count++] = address;
    held_bytes_ += bytes;
    return true;
  }

  // Notes that this thread frees a span of `pages`.
  void NoteFree(size_t pages) {
    Bin& bin = bins_[pages];
    if (bin.frees != UINT16_MAX) ++bin.frees;
  }

  // Whether in this epoch the thread has found the bin empty much more often
  // than it has freed such spans: then others free them, if anyone does.
  bool OthersFree(size_t pages) const {
    const Bin& bin = bins_[pages];
    return bin.misses >= kMissesPerGrowth + 4 * bin.frees;
  }

  uint32_t Limit(size_t pages) const { return bins_[pages].limit; }

  // Whether the bin holds spans, and as many as it may.
  bool IsAtLimit(size_t pages) const {
    return bins_[pages].count != 0 && bins_[pages].count >= bins_[pages].limit;
  }
  uint32_t Count(size_t pages) const { return bins_[pages].count; }

  // Takes `count` spans out, the oldest, into `out`. There must be that many.
  void TakeOldest(size_t pages, uint32_t count, uintptr_t* out) {
    Bin& bin = bins_[pages];
    uintptr_t* spans = spans_[pages];
    std::copy_n(spans, count, out);
    std::copy(spans + count, spans + bin.count, spans);
    bin.count = static_cast<uint8_t>(bin.count - count);
    bin.low = std::min(bin.low, bin.count);
    held_bytes_ -= count * pages * kPageBytes;
  }

  // Ends an epoch for spans of `pages`: returns how many lay unused in it, to
  // be taken out, and lowers the limit accordingly.
  uint32_t EndEpoch(size_t pages) {
    if (kAceMode == AceMode::kFixed) return 0;
    Bin& bin = bins_[pages];
    const uint8_t unused = bin.low;
    const uint32_t limit = bin.limit - std::min(bin.limit, unused);
    // A length that nobody asks for is retired by halves.
    bin.limit = static_cast<uint8_t>(bin.in_use ? limit : limit / 2);
    bin.low = static_cast<uint8_t>(bin.count - unused);
    bin.in_use = false;
    bin.misses = 0;
    bin.frees = 0;
    return unused;
  }

  size_t held_bytes() const { return held_bytes_; }
  size_t budget() const { return budget_; }

 private:
  static constexpr uint32_t kMissesPerGrowth = 8;
  static constexpr size_t kMostBytes = 512 << 10;  // of one length
  static constexpr size_t kLeastBudget = size_t{1} << 20;

  struct Bin {
    uint8_t count;
    uint8_t limit;
    uint8_t low;      // least count since the epoch began
    bool in_use;      // asked for in this epoch
    uint16_t misses;  // in this epoch, as far as it goes
    uint16_t frees;
  };

  void NoteMiss(Bin& bin, size_t pages) {
    if (kAceMode != AceMode::kAdaptive || bin.misses == UINT16_MAX) return;
    if (++bin.misses % kMissesPerGrowth != 0) return;
    const size_t most =
        std::clamp<size_t>(kMostBytes / (pages * kPageBytes), 1, kMostSpans);
    if (bin.limit < most) ++bin.limit;
  }

  size_t held_bytes_;
  size_t budget_;
  Bin bins_[kMaxPages + 1];
  uintptr_t spans_[kMaxPages + 1][kMostSpans];
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_SPAN_BINS_H_
