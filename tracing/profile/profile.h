// The heap profile: a Poisson sample of the program's blocks by bytes, each
// with the stack that allocated it, and per stack what is live, was live at the
// peak, and was allocated. Off until switched on.
//
// Who samples a block calls Record; who frees one outside slabs calls Forget
// first. A sampled small block is served from a span of its own, so its free
// takes the slow path that spans take, and frees of all other blocks cost what
// they do without a profile (as in google/tcmalloc). That is a page for each
// live sample.
//
// Allocates nothing: its memory, some 20 MiB of address space, is mapped when
// it first begins and stays mapped. Stopping ends sampling; what was sampled
// stays until it is freed, and starting again adds to it. Thread-safe; one
// lock, nothing is taken or called while it is held. Not async-signal-safe,
// except RequestDump. Keeps errno.
#ifndef HAKMEM_TRACING_PROFILE_PROFILE_H_
#define HAKMEM_TRACING_PROFILE_PROFILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "tracing/profile/live_table.h"

namespace hakmem {

class Profile {
 public:
  static constexpr uint64_t kMaxRate = uint64_t{1} << 30;

  // Begins a sample of one block in `rate` bytes on average, from 1 to
  // kMaxRate. Returns 0; EINVAL for another rate; EBUSY when it is on; ENOMEM
  // when the OS refuses memory; ENOSYS with --//tracing=off. The caller updates
  // the sampling of all threads.
  static int Start(uint64_t rate);
  static void Stop();

  static bool IsOn() { return Rate() != 0; }
  static uint64_t Rate() {  // 0 while off
    // relaxed: a switch, it orders nothing.
    return kTracing ? rate_.load(std::memory_order_relaxed) : 0;
  }

  // Whether the block at `address`, outside slabs, may be a sampled one.
  static bool MayHold(uintptr_t address) {
    if constexpr (!kTracing) return false;
    const LiveTable* const table = Table();
    return table != nullptr && table->MayHold(address);
  }

  // Adds a block of `bytes` at `address`, drawn with the probability of
  // `bytes`, for a call from `caller`; no other block may be at the address.
  // `usable` is what UsableAt is to return. False, and nothing is added, when
  // there is no room or the profile is off.
  [[gnu::noinline]] static bool Record(uintptr_t address, size_t bytes,
                                       size_t usable, const void* caller);

  // Removes the block at `address`, if there is one.
  static void Forget(uintptr_t address);

  // The same for a block that is being resized in place, and may have to be put
  // back as it was. `address` is 0 when there is none.
  using Sample = LiveTable::Sample;
  static Sample Take(uintptr_t address);
  static void PutBack(const Sample& sample);

  // Usable bytes of the block at `address`, if it is one whose own count: a
  // small one. Else 0.
  static size_t UsableAt(uintptr_t address);

  // What was sampled, for writing: reads piece by piece, so that no thread has
  // to wait for all of it.
  struct Figures {
    LiveTable::Totals all;
    SampleWeight dropped;
    LiveTable::Index sites = 0;
  };
  // No sites when there never was a profile.
  static Figures Sum();
  static void ReadSite(LiveTable::Index site, StackTrace* stack,
                       LiveTable::Totals* totals);

  // Asks for the profile to be written by the next slow call of any thread.
  // Async-signal-safe.
  static void RequestDump() {
    // relaxed, here and below: a request, it orders nothing.
    is_dump_requested_.store(true, std::memory_order_relaxed);
  }
  static bool IsDumpRequested() {
    return kTracing && is_dump_requested_.load(std::memory_order_relaxed);
  }
  // Whether this thread is the one to write it.
  static bool TakeDumpRequest() {
    return is_dump_requested_.exchange(false, std::memory_order_relaxed);
  }

  static void LockForFork();
  static void UnlockAfterFork();

 private:
  static LiveTable* Table() {
    // acquire: pairs with the release in Start.
    return table_.load(std::memory_order_acquire);
  }

  static std::atomic<uint64_t> rate_;
  static std::atomic<LiveTable*> table_;  // null: there never was a profile
  static std::atomic<bool> is_dump_requested_;
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_PROFILE_PROFILE_H_
