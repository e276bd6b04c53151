#include "frontend/dispatch/free_checks.h"

#include "backend/errors/error_reporting.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/route.h"

namespace hakmem {
namespace {

// Whether a block of `usable` bytes may result from such a request, or a
// realloc: at most twice as large, unless its alignment requires more.
bool MayHold(size_t usable, SizedFreeHint terms) {
  if (StaysInPlace(usable, terms.bytes)) return true;
  return terms.alignment != 0 && terms.bytes <= usable &&
         usable - terms.bytes < terms.alignment;
}

bool IsAligned(uintptr_t address, size_t alignment) {
  return alignment == 0 || address % alignment == 0;
}

}  // namespace

bool MayHaveTerms(const FreedBlock& block, SizedFreeHint terms,
                  BlockCall function) {
  if (!IsAligned(block.address, terms.alignment)) return false;
  if (terms.bytes == 0) return true;
  // C's free_sized also accepts what realloc left larger than necessary.
  const bool is_new =
      function == BlockCall::kDelete || function == BlockCall::kDeleteArray;
  return block.size_class == SizeClass::kNone || !is_new
             ? MayHold(block.usable, terms)
             : Route::Of(terms.bytes, terms.alignment).size_class ==
                   block.size_class;
}

void AbortOnTerms(const FreedBlock& block, SizedFreeHint terms) {
  if (!IsAligned(block.address, terms.alignment)) {
    AbortOnWrongAlignment(block.address, terms.alignment);
  }
  AbortOnWrongSize(block.address, terms.bytes, block.usable);
}

}  // namespace hakmem
