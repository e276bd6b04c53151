// Model of the pagemap (backend/memory/pagemap.h): two std::maps.
//
// Addresses come from a few places that the pagemap treats differently: both
// ends of its window, the lowest and highest possible addresses, and between;
// few, since what the pagemap allocates for a place stays.
#ifndef HAKMEM_TESTS_STATE_FUZZ_PAGEMAP_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_PAGEMAP_MODEL_H_

#include <cstdint>
#include <map>

#include "backend/memory/chunk.h"
#include "backend/memory/pagemap.h"
#include "base/size_classes.h"
#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

class PagemapModel {
 public:
  explicit PagemapModel(ByteSource& source);
  ~PagemapModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  static constexpr size_t kChunks = 64;

  // A chunk's address, entered or not.
  uintptr_t DrawPlace(ByteSource& source) const;
  void RemoveChunk(uintptr_t place);
  // The pagemap and the model must agree on `address`, any number.
  void CheckAt(uintptr_t address) const;

  const Pagemap::Window& window_;
  Chunk chunks_[kChunks];
  std::map<uintptr_t, Chunk*> entered_;     // by chunk address
  std::map<uintptr_t, SizeClass> classes_;  // by granule address
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_PAGEMAP_MODEL_H_
