// Calls that come before thread-local variables have their initial values.
//
// glibc copies these into the main thread's memory only when all objects are
// relocated. An IFUNC resolver of the program runs before that; if it calls
// malloc, thread_tables reads as nulls there. So we have a resolver too: it
// runs when the library is relocated, before the program is, and gives the main
// thread the bins of a thread that has none. What the resolver stores is what
// the variable is initialised with, so nothing changes when the value is
// copied. Until then calls are served without a cache (thread_cache_life.cc),
// by memory that stays valid.
//
// In the shared library only: a static program runs resolvers before it has
// thread-local memory at all. Not with musl, which has no IFUNC.
//
// What this cannot help: resolvers of libraries that are relocated before this
// one, where our own relocations are still missing.
#include "frontend/thread_cache/bins.h"

namespace {

void DoNothing() {}

}  // namespace

extern "C" {

// The loader calls it after all other relocations of the library.
__attribute__((used)) static void (*HakmemShowNoBins())() {
  hakmem::thread_tables.store(hakmem::NoTables(), std::memory_order_relaxed);
  return &DoNothing;
}

static void HakmemAtRelocation() __attribute__((ifunc("HakmemShowNoBins")));

}  // extern "C"

// A call, so that the linker keeps the function and has the loader resolve it.
__attribute__((constructor)) static void ReferToResolver() {
  HakmemAtRelocation();
}
