// The libFuzzer driver: runs the model that is linked in over what the fuzzer
// makes up.

#include <cstddef>
#include <cstdint>

#include "tests/state_fuzz/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hakmem::fuzz::RunLinkedModel({bytes, size});
  return 0;
}
