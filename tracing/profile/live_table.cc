#include "tracing/profile/live_table.h"

#include <algorithm>

namespace hakmem {
namespace {

bool AreEqual(const StackTrace& a, const StackTrace& b) {
  return a.count == b.count &&
         std::equal(a.frames, a.frames + a.count, b.frames);
}

uint64_t HashOfStack(const StackTrace& stack) {
  uint64_t hash = stack.count;
  for (size_t i = 0; i < stack.count; ++i) {
    hash = (hash ^ stack.frames[i]) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

LiveTable::Index LiveTable::SiteOf(const StackTrace& stack) {
  const uint64_t hash = HashOfStack(stack);
  Index& head = site_heads_[HashOf(hash, kSiteHeadBits)];
  for (Index i = head; i != 0; i = sites_[i].next) {
    if (sites_[i].hash == hash && AreEqual(sites_[i].stack, stack)) return i;
  }
  if (sites_used_ == kMaxSites - 1) return 0;
  const Index site = ++sites_used_;
  Site& fresh = sites_[site];
  // Only the frames that there are, so that the others stay untouched.
  fresh.stack.count = stack.count;
  std::copy(stack.frames, stack.frames + stack.count, fresh.stack.frames);
  fresh.hash = hash;
  fresh.next = head;
  head = site;
  return site;
}

void LiveTable::Add(uintptr_t address, size_t usable,
                    const SampleWeight& weight, Index site) {
  Sample stale;
  (void)Remove(address, &stale);
  Insert({address, usable, weight, site, 0});
  all_.allocated.Add(weight);
  totals_[site].allocated.Add(weight);
  NotePeakAbove(all_.peak.bytes + all_.peak.bytes / 100);
}

void LiveTable::Restore(const Sample& sample) {
  if (HasRoom()) Insert(sample);
}

void LiveTable::Insert(const Sample& sample) {
  const Index index = free_ != 0 ? free_ : ++samples_used_;
  Sample& entry = samples_[index];
  if (free_ != 0) free_ = entry.next;
  std::atomic<Index>& head = HeadOf(sample.address);
  entry = sample;
  entry.next = head.load(std::memory_order_relaxed);
  head.store(index, std::memory_order_relaxed);
  all_.live.Add(sample.weight);
  totals_[sample.site].live.Add(sample.weight);
}

bool LiveTable::Remove(uintptr_t address, Sample* removed) {
  std::atomic<Index>& head = HeadOf(address);
  Index before = 0;
  Index at = head.load(std::memory_order_relaxed);
  while (at != 0 && samples_[at].address != address) {
    before = at;
    at = samples_[at].next;
  }
  if (at == 0) return false;
  Sample& entry = samples_[at];
  *removed = entry;
  if (before != 0) {
    samples_[before].next = entry.next;
  } else {
    head.store(entry.next, std::memory_order_relaxed);
  }
  entry.next = free_;
  free_ = at;
  all_.live.Subtract(removed->weight);
  totals_[removed->site].live.Subtract(removed->weight);
  return true;
}

const LiveTable::Sample* LiveTable::Find(uintptr_t address) const {
  Index at = HeadOf(address).load(std::memory_order_relaxed);
  while (at != 0 && samples_[at].address != address) at = samples_[at].next;
  return at != 0 ? &samples_[at] : nullptr;
}

void LiveTable::NotePeakAbove(uint64_t bytes) {
  if (all_.live.bytes <= bytes) return;
  all_.peak = all_.live;
  for (Index i = 0; i < SiteCount(); ++i) totals_[i].peak = totals_[i].live;
}

}  // namespace hakmem
