// LiveTable: the sampled blocks that are live, and per stack what was allocated
// there.
//
//   heads_   │ 0 │ 7 │ 0 │ … one per hash of an address
//                  │
//   samples_   7: address, weight, site 3 ──► next
//                                       │
//   sites_     3: the stack             totals_   3: live, allocated, peak
//
// One mapping of fixed size: zeros are an empty table, number 0 is "none", and
// only what is used becomes resident. A stack that finds no room counts to site
// 0, which has no frames; a block that finds none is dropped and counted.
//
// The peak is what was live, per site, when the total was highest. A copy of
// all sites is made whenever the total is 1 % above the last one, so it may
// miss the last percent.
//
// Not thread-safe, except MayHold.
#ifndef HAKMEM_TRACING_PROFILE_LIVE_TABLE_H_
#define HAKMEM_TRACING_PROFILE_LIVE_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing/profile/sample_weight.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {

class LiveTable {
 public:
  using Index = uint32_t;
  static constexpr Index kMaxSamples = 1 << 18;
  static constexpr Index kMaxSites = 1 << 14;

  struct Totals {
    SampleWeight live;
    SampleWeight allocated;
    SampleWeight peak;
  };

  struct Sample {
    uintptr_t address;
    // What malloc_usable_size says of it; 0: what it says anyway.
    size_t usable;
    SampleWeight weight;
    Index site;
    Index next;
  };

  // Whether the block at `address`, which the calling thread holds, may be in
  // the table. Thread-safe.
  bool MayHold(uintptr_t address) const {
    // relaxed: who holds a block got it after it was added, and through
    // something that synchronises.
    return HeadOf(address).load(std::memory_order_relaxed) != 0;
  }

  // The site of `stack`; 0 if it is new and there is no room.
  Index SiteOf(const StackTrace& stack);

  bool HasRoom() const { return free_ != 0 || samples_used_ < kMaxSamples - 1; }
  // Counts a block that found no room.
  void Drop(const SampleWeight& weight) { dropped_.Add(weight); }

  // Adds a live block; HasRoom. One that was at `address` goes.
  void Add(uintptr_t address, size_t usable, const SampleWeight& weight,
           Index site);
  // Adds a block again that Remove took out, as if it never had.
  void Restore(const Sample& sample);
  // Removes the block at `address`; false if there is none.
  bool Remove(uintptr_t address, Sample* removed);
  // The block at `address`, or null.
  const Sample* Find(uintptr_t address) const;

  const Totals& all() const { return all_; }
  const SampleWeight& dropped() const { return dropped_; }
  // Sites are numbered from 0 to this - 1, and never go.
  Index SiteCount() const { return sites_used_ + 1; }
  const StackTrace& StackOf(Index site) const { return sites_[site].stack; }
  const Totals& TotalsOf(Index site) const { return totals_[site]; }
  // Makes the peak of this moment, if it is one.
  void NotePeak() { NotePeakAbove(all_.peak.bytes); }

 private:
  static constexpr int kHeadBits = 16;
  static constexpr int kSiteHeadBits = 13;

  struct Site {
    StackTrace stack;
    uint64_t hash;
    Index next;
  };

  static size_t HashOf(uintptr_t address, int bits) {
    // The upper bits of a product with 2^64 divided by the golden ratio.
    return (address * 0x9e3779b97f4a7c15) >> (64 - bits);
  }
  const std::atomic<Index>& HeadOf(uintptr_t address) const {
    return heads_[HashOf(address, kHeadBits)];
  }
  std::atomic<Index>& HeadOf(uintptr_t address) {
    return heads_[HashOf(address, kHeadBits)];
  }
  void Insert(const Sample& sample);
  void NotePeakAbove(uint64_t bytes);

  Totals all_;
  SampleWeight dropped_;
  Index samples_used_;
  Index free_;  // samples that were removed
  Index sites_used_;
  std::atomic<Index> heads_[size_t{1} << kHeadBits];
  Index site_heads_[size_t{1} << kSiteHeadBits];
  Totals totals_[kMaxSites];
  Sample samples_[kMaxSamples];
  Site sites_[kMaxSites];
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_PROFILE_LIVE_TABLE_H_
