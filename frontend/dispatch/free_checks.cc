#include "frontend/dispatch/free_checks.h"

#include "backend/errors/error_reporting.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/route.h"

namespace hakmem {
namespace {

// Whether a block of `usable` bytes may result from such a request, or a
// realloc: at most twice as large, unless its alignment requires more.
bool MayHold(size_t usable, SizedFreeHint hint) {
  if (StaysInPlace(usable, hint.bytes)) return true;
  return hint.alignment != 0 && hint.bytes <= usable &&
         usable - hint.bytes < hint.alignment;
}

bool IsAligned(uintptr_t address, size_t alignment) {
  return alignment == 0 || address % alignment == 0;
}

}  // namespace

bool MayHaveBeenSized(const FreedBlock& block, SizedFreeHint hint,
                      BlockCall function) {
  if (!IsAligned(block.address, hint.alignment)) return false;
  if (hint.bytes == 0) return true;
  // C's free_sized also accepts what realloc left larger than necessary.
  const bool is_new =
      function == BlockCall::kDelete || function == BlockCall::kDeleteArray;
  return block.size_class == SizeClass::kNone || !is_new
             ? MayHold(block.usable, hint)
             : Route::Of(hint.bytes, hint.alignment).size_class ==
                   block.size_class;
}

void AbortOnSizedFree(const FreedBlock& block, SizedFreeHint hint) {
  if (!IsAligned(block.address, hint.alignment)) {
    AbortOnWrongAlignment(block.address, hint.alignment);
  }
  AbortOnWrongSize(block.address, hint.bytes, block.usable);
}

}  // namespace hakmem
