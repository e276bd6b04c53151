#include "frontend/guard/guard.h"

#include "base/text/log.h"
#include "base/text/options.h"
#include "frontend/guard/segv_handler.h"

namespace hakmem {
namespace {

constinit GuardedPool pool;

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

void* Guard::Allocate(size_t bytes, size_t alignment, GuardedPool::End end,
                      const void* caller) {
  if (bytes > GuardedPool::kMaxBytes || !pool.HasRoom()) return nullptr;
  return reinterpret_cast<void*>(
      pool.Allocate(bytes, alignment, end, CallSite::Now(caller)));
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

}  // namespace hakmem
