#include "frontend/guard/guard.h"

#include "base/exponential.h"
#include "base/os/clock.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "frontend/guard/segv_handler.h"

namespace hakmem {
namespace {

constinit GuardedPool pool;

struct Sampler {
  uint64_t state;  // of the generator; 0: not seeded
  bool busy;       // allocations by the stack walk are not sampled
};
constinit thread_local Sampler sampler = {0, false};

// Mixes all bits of `x` (the finalizer of MurmurHash3).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

[[gnu::noinline]] uint64_t Seed() {
  const uint64_t seed = Mix(Nanoseconds() ^ (uint64_t{ThisThread()} << 40));
  return seed != 0 ? seed : 1;
}

// xorshift64* (Vigna, 2016): its upper bits are the best.
uint64_t Random() {
  uint64_t x = sampler.state != 0 ? sampler.state : Seed();
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  sampler.state = x;
  return x * 0x2545f4914f6cdd1d;
}

void OnFaultInPool(const Fault& fault) {
  NearestAllocation finding;
  if (pool.Find(fault.address, &finding)) {
    ReportFault(fault, finding);
  } else {
    ReportStrayFault(fault);
  }
}

void Ignore(const char* why) {
  LogLine().Text("HAKMEM_GUARD_SAMPLE is ignored: ").Text(why).Send();
}

}  // namespace

constinit std::atomic<uint64_t> Guard::interval_{0};
constinit std::atomic<uintptr_t> Guard::begin_{0};
constinit std::atomic<size_t> Guard::length_{0};

void Guard::Start() {
  const uint64_t interval = options::Get(options::k_guard_sample);
  if (interval == 0 || IsOn()) return;
  if (pool.Begin(options::Get(options::k_guard_slots)) != 0) {
    return Ignore("out of memory");
  }
  if (InstallFaultHandler(pool.begin(), pool.length(), OnFaultInPool) != 0) {
    return Ignore("no handler can be had for SIGSEGV");
  }
  begin_.store(pool.begin(), std::memory_order_relaxed);
  length_.store(pool.length(), std::memory_order_relaxed);
  // relaxed: there is only one thread yet; or, in a library loaded late, other
  // threads see it through the lock of DisableFastPathOnAllThreads.
  interval_.store(interval, std::memory_order_relaxed);
}

uint32_t Guard::DrawGap() {
  return GeometricGap(interval_.load(std::memory_order_relaxed), Random());
}

void* Guard::Allocate(size_t bytes, size_t alignment, const void* caller) {
  if (sampler.busy || bytes > GuardedPool::kMaxBytes) return nullptr;
  if (!pool.HasRoom()) return nullptr;
  sampler.busy = true;
  const CallSite site = CallSite::Now(caller);
  sampler.busy = false;
  const auto end = (Random() >> 63) != 0 ? GuardedPool::End::kRight
                                         : GuardedPool::End::kLeft;
  return reinterpret_cast<void*>(pool.Allocate(bytes, alignment, end, site));
}

void Guard::Free(uintptr_t address, const void* caller) {
  const CallSite site = CallSite::Now(caller);
  NearestAllocation finding;
  const GuardedPool::Answer answer = pool.Free(address, site, &finding);
  if (answer != GuardedPool::Answer::kGood) {
    AbortOnMisuse(answer, address, finding, BlockCallScope::Of(address), site);
  }
}

size_t Guard::BytesAt(uintptr_t address, BlockCall function,
                      const void* caller) {
  size_t bytes = 0;
  NearestAllocation finding;
  const GuardedPool::Answer answer = pool.BytesAt(address, &bytes, &finding);
  if (answer != GuardedPool::Answer::kGood) {
    AbortOnMisuse(answer, address, finding, function, CallSite::Now(caller));
  }
  return bytes;
}

Origin Guard::OriginAt(uintptr_t address) { return pool.OriginAt(address); }

void Guard::SetOrigin(uintptr_t address, Origin origin) {
  pool.SetOrigin(address, origin);
}

GuardedPool::Totals Guard::Sum() { return pool.Sum(); }

void Guard::LockForFork() { pool.LockForFork(); }
void Guard::UnlockAfterFork() { pool.UnlockAfterFork(); }
void Guard::BeginInChild() { sampler.state = 0; }

}  // namespace hakmem
