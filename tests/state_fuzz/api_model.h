// Model of the whole interface: any calls of it, on three threads that take
// turns, held to what the allocator owes to its callers. It is api_model_test's
// (tests/blackbox/api/api_model_test_helper.h has it), over the allocator
// without its entry points: so the process's own malloc is the sanitizer's.
#ifndef HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_

#include "tests/blackbox/api/api_model_test_helper.h"

namespace hakmem::fuzz {

// The allocator that is linked in, as the entry points call it.
hakmem_test::ApiFunctions LinkedAllocator();

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_API_MODEL_H_
