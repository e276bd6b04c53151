#include "frontend/dispatch/free_checks.h"

#include <algorithm>
#include <cstdint>

#include "ace/ace.h"
#include "backend/errors/error_reporting.h"
#include "backend/memory/pagemap.h"
#include "base/size_classes.h"
#include "frontend/dispatch/allocator.h"

namespace hakmem {
namespace {

// The class that the allocator serves such a request from.
SizeClass ClassAskedFor(SizedFreeHint terms) {
  const size_t alignment = std::max(terms.alignment, kBlockAlignment);
  if (terms.bytes > kMaxTinyBytes) {
    return Ace::ClassFor(terms.bytes, alignment);
  }
  const SizeClass c = AlignedClassOf(terms.bytes, alignment);
  return IsMid(c) ? SizeClass::kNone : c;
}

// Whether a block of `usable` bytes may be what such a request, or a realloc,
// got: no more than twice as large, but for its alignment's sake.
bool MayHold(size_t usable, SizedFreeHint terms) {
  if (StaysInPlace(usable, terms.bytes)) return true;
  return terms.alignment != 0 && terms.bytes <= usable &&
         usable - terms.bytes < terms.alignment;
}

}  // namespace

void CheckTerms(const void* block, SizedFreeHint terms, BlockCall function) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const BlockCallScope scope(function, address);
  const size_t usable = UsableBytes(block);  // aborts when it is no block
  if (terms.alignment != 0 && address % terms.alignment != 0) {
    AbortOnWrongAlignment(address, terms.alignment);
  }
  if (terms.bytes == 0) return;
  const SizeClass c = Pagemap::ClassAt(address);
  // C's free_sized takes what realloc left larger than need be as well.
  const bool is_new =
      function == BlockCall::kDelete || function == BlockCall::kDeleteArray;
  const bool fits = c == SizeClass::kNone || !is_new
                        ? MayHold(usable, terms)
                        : ClassAskedFor(terms) == c;
  if (!fits) AbortOnWrongSize(address, terms.bytes, usable);
}

}  // namespace hakmem
