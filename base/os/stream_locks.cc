#include "base/os/stream_locks.h"

extern "C" {
__attribute__((weak)) void _IO_list_lock();
__attribute__((weak)) void _IO_list_unlock();
__attribute__((weak)) void _IO_list_resetlock();
}

namespace hakmem {
namespace {

// All three functions must exist, or none is used.
bool AreThere() {
  return &_IO_list_lock != nullptr && &_IO_list_unlock != nullptr &&
         &_IO_list_resetlock != nullptr;
}

}  // namespace

void StreamLocks::Lock() {
  if (AreThere()) _IO_list_lock();
}

void StreamLocks::Unlock() {
  if (AreThere()) _IO_list_unlock();
}

void StreamLocks::Reset() {
  if (AreThere()) _IO_list_resetlock();
}

}  // namespace hakmem
