// A malloc to preload in tests, in front of libc: it is libc's own, but each
// program that allocates with it appends its name to the file $MALLOC_LOG once.
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

extern "C" void* __libc_malloc(size_t size);

namespace {

std::atomic<bool> is_noted{false};

// System calls only: malloc may be called before much else works.
void NoteProgram() {
  // There is no environment before libc has set it up.
  const char* const log = environ == nullptr ? nullptr : getenv("MALLOC_LOG");
  if (log == nullptr || is_noted.exchange(true)) return;
  char name[64];
  const int self = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = self < 0 ? -1 : read(self, name, sizeof(name));
  if (self >= 0) close(self);
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (length > 0 && write(file, name, static_cast<size_t>(length)) < 0) abort();
  close(file);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void* malloc(size_t size) {
  if (!is_noted.load(std::memory_order_relaxed)) NoteProgram();
  return __libc_malloc(size);
}
