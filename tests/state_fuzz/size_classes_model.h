// Model of the size classes (base/size_classes.h): a plain list of block sizes,
// built from the header's documentation and searched linearly.
#ifndef HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_

#include <cstddef>
#include <vector>

#include "tests/state_fuzz/byte_source.h"

namespace hakmem::fuzz {

class SizeClassesModel {
 public:
  explicit SizeClassesModel(ByteSource& source);

  // Looks up the class of a request, on both sides.
  void Perform(ByteSource& source);

  // Checks the whole table and every size that has a class, once per process.
  void CheckInvariants();

 private:
  // The first class whose blocks hold `bytes` and whose size is a multiple of
  // `alignment`; 0 if there is none.
  size_t Search(size_t bytes, size_t alignment) const;

  std::vector<size_t> sizes_;  // by class; class 0 is unused
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_SIZE_CLASSES_MODEL_H_
