#include "backend/memory/purge_turn.h"

#include <linux/futex.h>

#include <atomic>
#include <cstdint>

#include "base/os/system_call.h"
#include "base/os/thread_id.h"
#include "base/sync/futex_lock.h"
#include "base/sync/lock.h"

namespace hakmem {
namespace {

// The protocol of futex_lock.h.
constinit std::atomic<uint32_t> turn{futex_lock::kFree};

// The thread whose turn it is; 0: nobody's. relaxed: each thread looks for its
// own id only, which it wrote itself.
constinit std::atomic<uint32_t> holder{0};

void WaitForTurn() {
  // No spinning: a turn lasts for system calls.
  futex_lock::LockSlow(
      turn, /*spins=*/0, [] {},
      [](std::atomic<uint32_t>& word, uint32_t while_value) {
        SystemCall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, while_value, nullptr,
                   nullptr, 0);
      });
}

bool IsHolder() { return holder.load(std::memory_order_relaxed) == ThreadId(); }

}  // namespace

PurgeTurn::PurgeTurn(IfTaken if_taken) : is_held_(futex_lock::TryLock(turn)) {
  if (!is_held_ && if_taken == IfTaken::kWait && !HoldsEveryLock() &&
      !IsHolder()) {
    WaitForTurn();
    is_held_ = true;
  }
  if (is_held_) holder.store(ThreadId(), std::memory_order_relaxed);
}

PurgeTurn::~PurgeTurn() {
  if (!is_held_) return;
  holder.store(0, std::memory_order_relaxed);
  if (futex_lock::Unlock(turn)) {
    SystemCall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

bool PurgeTurn::IsOurs() const { return is_held_ || IsHolder(); }

void PurgeTurn::ResetInChild() {
  holder.store(0, std::memory_order_relaxed);
  turn.store(futex_lock::kFree, std::memory_order_relaxed);
}

}  // namespace hakmem
