#include "frontend/dispatch/free_checks.h"

#include <algorithm>
#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/memory/pagemap.h"
#include "base/size_classes.h"
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

}  // namespace

void CheckTerms(const void* block, SizedFreeHint terms, BlockCall function) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const BlockCallScope scope(function, address);
  const size_t usable = UsableBytes(block);  // aborts when it is not a block
  if (terms.alignment != 0 && address % terms.alignment != 0) {
    AbortOnWrongAlignment(address, terms.alignment);
  }
  if (terms.bytes == 0) return;
  const SizeClass c = Pagemap::ClassAt(address);
  // C's free_sized also accepts what realloc left larger than necessary.
  const bool is_new =
      function == BlockCall::kDelete || function == BlockCall::kDeleteArray;
  const bool fits =
      c == SizeClass::kNone || !is_new
          ? MayHold(usable, terms)
          : Route::Of(terms.bytes, terms.alignment).size_class == c;
  if (!fits) AbortOnWrongSize(address, terms.bytes, usable);
}

}  // namespace hakmem
