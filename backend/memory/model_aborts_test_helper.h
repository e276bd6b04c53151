// Fails a run of the interleaver where the allocator would abort. Replaces
// error_reporting.cc in tests that include the sources of slab users.
#ifndef HAKMEM_BACKEND_MEMORY_MODEL_ABORTS_TEST_HELPER_H_
#define HAKMEM_BACKEND_MEMORY_MODEL_ABORTS_TEST_HELPER_H_

#include <cstdint>
#include <cstdlib>

#include "backend/errors/error_reporting.h"
#include "tests/interleaving/interleaver.h"

namespace hakmem {
namespace model {

[[noreturn]] inline void Abort(const char* why) {
  interleaver::Require(false, why);
  abort();
}

}  // namespace model

void AbortOnBadSlabFree(const SlabLayout&, uintptr_t) {
  model::Abort("a bad free");
}
void AbortOnForeignFree(uintptr_t, bool) { model::Abort("not ours"); }
void AbortOnDoubleFree(uintptr_t, size_t) { model::Abort("freed twice"); }

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_MODEL_ABORTS_TEST_HELPER_H_
