// Runs the back-end model on the superslab back-end.

#include "backend/superslab/superslab.h"
#include "tests/state_fuzz/backend_model.h"

namespace hakmem::fuzz {

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<BackendModel<SuperSlabBackend>>(bytes);
}

}  // namespace hakmem::fuzz
