// Serves calls that come before thread-local variables have their initial
// values.
//
// glibc copies these to the main thread's memory only after all objects are
// relocated. An IFUNC resolver of the program runs before that; if it calls
// malloc, thread_tables reads as nulls. So this library has a resolver too: it
// runs when the library is relocated, which is before the program is, and sets
// the main thread's tables to kEmptyBins. That is also their initial value, so
// the later copy changes nothing. Until then calls are served without a cache
// (thread_cache_life.cc), from memory that stays valid.
//
// In the shared library only: a static program runs resolvers before it has
// thread-local memory at all. Not with musl, which has no IFUNC.
//
// Not covered: resolvers of libraries relocated before this one, when our own
// relocations are still missing.
#include "frontend/thread_cache/bins.h"

namespace {

void DoNothing() {}

}  // namespace

extern "C" {

// The loader calls it after all other relocations of this library. Hidden, not
// static: clang would give a static function another name than `ifunc` says.
__attribute__((visibility("hidden"))) void (*HakmemShowNoBins())() {
  hakmem::thread_tables.store(hakmem::NoTables(), std::memory_order_relaxed);
  return &DoNothing;
}

static void HakmemAtRelocation() __attribute__((ifunc("HakmemShowNoBins")));

}  // extern "C"

// A call, so that the linker keeps the function and the loader resolves it.
__attribute__((constructor)) static void ReferToResolver() {
  HakmemAtRelocation();
}
