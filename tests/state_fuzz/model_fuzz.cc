// The libFuzzer driver: runs the linked model over the fuzzer's input.

#include <cstddef>
#include <cstdint>

#include "tests/state_fuzz/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hakmem::fuzz::RunLinkedModel({bytes, size});
  return 0;
}
