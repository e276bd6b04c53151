#include "tracing/profile/profile.h"

#include <cerrno>

#include "absl/base/thread_annotations.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "tracing/profile/stack_memo.h"

namespace hakmem {
namespace {

constinit Mutex mutex;

// What is mapped; zeros are its beginning.
struct Memory {
  LiveTable table;
  StackMemo memo;
};

constinit Memory* memory ABSL_GUARDED_BY(mutex) = nullptr;

Memory* MapMemory() {
  const os::Mapping mapping =
      os::Map(sizeof(Memory), os::PageBytes(), os::Access::kReadWrite);
  if (!mapping) return nullptr;
  // No huge pages: little of it is used. If the kernel refuses the advice, it
  // makes none.
  (void)os::AdviseNoHugePages(mapping.address, sizeof(Memory));
  return reinterpret_cast<Memory*>(mapping.address);
}

}  // namespace

constinit std::atomic<uint64_t> Profile::rate_{0};
constinit std::atomic<LiveTable*> Profile::table_{nullptr};
constinit std::atomic<bool> Profile::is_dump_requested_{false};

int Profile::Start(uint64_t rate) {
  if constexpr (!kTracing) return ENOSYS;
  if (rate == 0 || rate > kMaxRate) return EINVAL;
  // Mapped before the lock is taken, and unmapped when it turns out not to be
  // needed.
  Memory* const fresh = Table() == nullptr ? MapMemory() : nullptr;
  int error = 0;
  bool is_used = false;
  {
    const MutexLock lock(mutex);
    if (memory == nullptr && fresh != nullptr) {
      memory = fresh;
      is_used = true;
      // release: pairs with the acquire in Table.
      table_.store(&memory->table, std::memory_order_release);
    }
    if (memory == nullptr) {
      error = ENOMEM;
    } else if (IsOn()) {
      error = EBUSY;
    } else {
      rate_.store(rate, std::memory_order_relaxed);
    }
  }
  if (fresh != nullptr && !is_used) {
    (void)os::Unmap(reinterpret_cast<uintptr_t>(fresh), sizeof(Memory));
  }
  return error;
}

void Profile::Stop() {
  const MutexLock lock(mutex);
  rate_.store(0, std::memory_order_relaxed);
}

bool Profile::Record(uintptr_t address, size_t bytes, size_t usable,
                     const void* caller) {
  const uint64_t rate = Rate();
  if (rate == 0) return false;
  const SampleWeight weight = SampleWeight::Of(bytes, rate);
  const StackMemo::Key key = {
      reinterpret_cast<uintptr_t>(&errno),
      reinterpret_cast<uintptr_t>(__builtin_frame_address(0)), caller};
  {
    const MutexLock lock(mutex);
    LiveTable& table = memory->table;
    if (!table.HasRoom()) {
      table.Drop(weight);
      return false;
    }
    const LiveTable::Index known =
        memory->memo.Find(key, [&](uint32_t site) -> const StackTrace& {
          return table.StackOf(site);
        });
    if (known != 0) {
      table.Add(address, usable, weight, known);
      return true;
    }
  }
  StackTrace stack;
  StackSlots slots;
  const bool may_keep = NoteStackAndSlots(caller, &stack, &slots);
  if (stack.count == 0) {  // a static program: there is no unwinder
    stack.count = 1;
    stack.frames[0] = reinterpret_cast<uintptr_t>(caller) - 1;
  }
  const MutexLock lock(mutex);
  LiveTable& table = memory->table;
  if (!table.HasRoom()) {
    table.Drop(weight);
    return false;
  }
  const LiveTable::Index site = table.SiteOf(stack);
  if (may_keep && site != 0) memory->memo.Keep(key, site, slots, stack.count);
  table.Add(address, usable, weight, site);
  return true;
}

void Profile::Forget(uintptr_t address) { (void)Take(address); }

Profile::Sample Profile::Take(uintptr_t address) {
  Sample sample = {};
  if (!MayHold(address)) return sample;
  const MutexLock lock(mutex);
  (void)memory->table.Remove(address, &sample);
  return sample;
}

void Profile::PutBack(const Sample& sample) {
  if (sample.address == 0) return;
  const MutexLock lock(mutex);
  memory->table.Restore(sample);
}

size_t Profile::UsableAt(uintptr_t address) {
  if (!MayHold(address)) return 0;
  const MutexLock lock(mutex);
  const Sample* const sample = memory->table.Find(address);
  return sample != nullptr ? sample->usable : 0;
}

Profile::Figures Profile::Sum() {
  const MutexLock lock(mutex);
  if (memory == nullptr) return {};
  memory->table.NotePeak();
  return {memory->table.all(), memory->table.dropped(),
          memory->table.SiteCount()};
}

void Profile::ReadSite(LiveTable::Index site, StackTrace* stack,
                       LiveTable::Totals* totals) {
  const MutexLock lock(mutex);
  *stack = memory->table.StackOf(site);
  *totals = memory->table.TotalsOf(site);
}

void Profile::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex.Lock(); }
void Profile::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Unlock();
}

}  // namespace hakmem
