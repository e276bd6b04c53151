// Model of the pagemap (backend/memory/pagemap.h): two std::maps.
//
// Addresses come from a few places that differ for the map: about both ends of
// its window, the lowest and the highest that a process can have, and between;
// few, since what the map sets up for a place stays.
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

  // A chunk's place, entered or not.
  uintptr_t DrawPlace(ByteSource& source) const;
  void RemoveChunk(uintptr_t place);
  // That the map says of `address`, any number, what the model does.
  void CheckAt(uintptr_t address) const;

  const Pagemap::Window& window_;
  Chunk chunks_[kChunks];
  std::map<uintptr_t, Chunk*> entered_;     // by chunk's address
  std::map<uintptr_t, SizeClass> classes_;  // by granule's address
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_PAGEMAP_MODEL_H_
