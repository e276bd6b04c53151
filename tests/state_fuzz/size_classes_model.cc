#include "tests/state_fuzz/size_classes_model.h"

#include "base/size_classes.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

SizeClass ClassNumber(size_t c) { return SizeClass{static_cast<uint8_t>(c)}; }

}  // namespace

SizeClassesModel::SizeClassesModel(ByteSource&) : sizes_{0} {
  for (size_t bytes = 16; bytes <= 128; bytes += 16) sizes_.push_back(bytes);
  for (size_t doubling = 128; doubling < kMaxMidBytes; doubling *= 2) {
    for (size_t i = 1; i <= 8; ++i) {
      sizes_.push_back(doubling + doubling / 8 * i);
    }
  }
}

void SizeClassesModel::Perform(ByteSource& source) {
  const size_t bytes = source.OneIn(8) ? source.Below(UINT64_MAX)
                                       : source.Below(kMaxMidBytes + 2);
  const size_t alignment = source.PowerOfTwo(1, size_t{1} << 63);
  const size_t found = Index(AlignedClassOf(bytes, alignment));
  Check(found == Search(bytes, alignment),
        "%zu bytes aligned to %zu have class %zu, found %zu", bytes, alignment,
        Search(bytes, alignment), found);
}

void SizeClassesModel::CheckInvariants() {
  static bool is_done = false;
  if (is_done) return;
  is_done = true;
  Check(sizes_.size() == kClassCount, "%zu classes, not %zu", kClassCount,
        sizes_.size());
  for (size_t c = 0; c < kClassCount; ++c) {
    Check(ClassBytes(ClassNumber(c)) == sizes_[c],
          "class %zu has %zu bytes, not %zu", c,
          size_t{ClassBytes(ClassNumber(c))}, sizes_[c]);
    Check(IsMid(ClassNumber(c)) == (sizes_[c] > kMaxTinyBytes),
          "class %zu is tiny or mid, the wrong one", c);
  }
  for (size_t bytes = 0; bytes <= kMaxMidBytes; ++bytes) {
    const size_t c = Index(ClassOf(bytes));
    Check(c == Search(bytes, 1), "%zu bytes have class %zu, found %zu", bytes,
          Search(bytes, 1), c);
    Check(bytes <= 128 || (sizes_[c] - bytes) * 8 < bytes,
          "%zu bytes rounded up to %zu", bytes, sizes_[c]);
  }
}

size_t SizeClassesModel::Search(size_t bytes, size_t alignment) const {
  for (size_t c = 1; c < sizes_.size(); ++c) {
    if (sizes_[c] >= bytes && sizes_[c] % alignment == 0) return c;
  }
  return 0;
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  RunModel<SizeClassesModel>(bytes);
}

}  // namespace hakmem::fuzz
