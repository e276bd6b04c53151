// Model of the whole API: random calls on three threads that take turns,
// checked against the allocator's contract. It is api_model_test's
// (tests/blackbox/api/api_model_test_helper.h), over the allocator without its
// entry points, so that the process's own malloc is the sanitizer's.
#ifndef HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_

#include "tests/blackbox/api/api_model_test_helper.h"

namespace hakmem::fuzz {

// The linked allocator, called as the entry points do.
hakmem_test::ApiFunctions LinkedAllocator();

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_
