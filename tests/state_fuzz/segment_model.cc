// Runs the back-end model on the segment back-end.

#include "backend/segment/segment.h"
#include "tests/state_fuzz/backend_model.h"

namespace hakmem::fuzz {

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<BackendModel<SegmentBackend>>(bytes);
}

}  // namespace hakmem::fuzz
