#include "hardening/secret.h"

#include <sys/auxv.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/os/clock.h"
#include "base/os/system_call.h"

namespace hakmem {
namespace {

// Mixes the bits of `x` (splitmix64's steps, by Stafford).
uint64_t Mixed(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Fallback where the kernel gives no random bytes (a seccomp filter, early
// boot): the process's initial random bytes (AT_RANDOM), mixed so that they are
// not revealed, the time, and addresses.
uint64_t Weak() {
  uint64_t x = reinterpret_cast<uintptr_t>(&x);
  const unsigned long at_random = getauxval(AT_RANDOM);
  if (at_random != 0) {
    uint64_t given[2];
    memcpy(given, reinterpret_cast<const void*>(at_random), sizeof(given));
    x = Mixed(x ^ given[0]) ^ given[1];
  }
  return Mixed(x ^ Nanoseconds());
}

constinit thread_local uint64_t random_state = 0;

}  // namespace

constinit uint64_t Secret::value_ = 0;

void Secret::Choose() {
  // 0: not chosen. relaxed: whoever needs the value has been here before, or
  // was started by a thread that has.
  std::atomic_ref<uint64_t> value(value_);
  if (value.load(std::memory_order_relaxed) != 0) return;
  const int saved_errno = errno;
  uint64_t chosen = 0;
  // By number: a program may interpose getrandom and allocate in it.
  if (SystemCall(SYS_getrandom, &chosen, sizeof(chosen), GRND_NONBLOCK) !=
      sizeof(chosen)) {
    chosen = Weak();
  }
  errno = saved_errno;
  uint64_t none = 0;
  value.compare_exchange_strong(none, chosen | 1, std::memory_order_relaxed);
}

uint64_t Secret::Random() {
  if (random_state == 0) {
    // A different sequence in each thread. The child of a fork continues the
    // parent's sequence, in memory of its own.
    random_state = Mixed(value_ ^ reinterpret_cast<uintptr_t>(&random_state));
  }
  random_state += 0x9e3779b97f4a7c15;
  return Mixed(random_state ^ value_);
}

}  // namespace hakmem
