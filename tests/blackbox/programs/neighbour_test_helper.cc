// A library that is preloaded together with the allocator, before or after it,
// so that its constructors and destructors run after or before the allocator's.
// It allocates in all of them.
#include <pthread.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kSizes[] = {1, 100, 3000, 40'000, 3'000'000};
constexpr size_t kCount = sizeof(kSizes) / sizeof(kSizes[0]);

void* blocks[kCount];
int children = 0;

void Say(const char* what) {
  if (write(STDERR_FILENO, what, strlen(what)) < 0) abort();
}

void Allocate(void** into) {
  for (size_t i = 0; i < kCount; ++i) {
    into[i] = malloc(kSizes[i]);
    if (into[i] == nullptr) abort();
    memset(into[i], 'n', kSizes[i]);
  }
}

void Free(void** from) {
  for (size_t i = 0; i < kCount; ++i) {
    const char* bytes = static_cast<const char*>(from[i]);
    if (bytes[0] != 'n' || bytes[kSizes[i] - 1] != 'n') abort();
    free(from[i]);
  }
}

void AllocateAndFree() {
  void* some[kCount];
  Allocate(some);
  Free(some);
}

void InChild() {
  ++children;
  AllocateAndFree();
}

void* InThread(void*) {
  AllocateAndFree();
  return nullptr;
}

void AtExit() {
  AllocateAndFree();
  Say("at exit\n");
}

__attribute__((constructor)) void Begin() {
  Allocate(blocks);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, InThread, nullptr) != 0 ||
      pthread_join(thread, nullptr) != 0 ||
      pthread_atfork(AllocateAndFree, AllocateAndFree, InChild) != 0 ||
      atexit(AtExit) != 0) {
    abort();
  }
}

__attribute__((destructor)) void End() {
  Free(blocks);
  AllocateAndFree();
  Say("ended\n");
}

}  // namespace

// The number of forks between this process and the first.
extern "C" int NeighbourForks() { return children; }
