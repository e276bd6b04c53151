#include "base/os/thread_exit.h"

#include <pthread.h>

#include <atomic>

#include "os_calls.h"

namespace hakmem {
namespace {

pthread_key_t key;
std::atomic<bool> has_key{false};

}  // namespace

bool InitThreadExit(void (*on_exit)(void* state)) {
  if (os::ShouldInjectFault(os::Call::kThreadKey) ||
      pthread_key_create(&key, on_exit) != 0) {
    return false;
  }
  // release: pairs with the acquire in WatchThreadExit; publishes `key`.
  has_key.store(true, std::memory_order_release);
  return true;
}

void WatchThreadExit(void* state) {
  // acquire: pairs with the release in InitThreadExit.
  if (has_key.load(std::memory_order_acquire)) pthread_setspecific(key, state);
}

}  // namespace hakmem
