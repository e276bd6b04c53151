// Model of the size classes (base/size_classes.h): a plain list of block sizes,
// made anew from what the header says, and searched from the front.
#ifndef HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_

#include <cstddef>
#include <vector>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

class SizeClassesModel {
 public:
  explicit SizeClassesModel(ByteSource& source);

  // Looks the class of a request up, on both sides.
  void Perform(ByteSource& source);

  // The whole table, and every size that has a class, once in a process.
  void CheckInvariants();

 private:
  // The first class whose blocks hold `bytes` and whose size is a multiple of
  // `alignment`; 0 when there is none.
  size_t Search(size_t bytes, size_t alignment) const;

  std::vector<size_t> sizes_;  // by class; class 0 is none
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_
