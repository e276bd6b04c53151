// Route: the source of a block for a request that no bin served. Decided once,
// from size and alignment alone, and passed on.
//
//   kTiny    up to 2 KiB      a class of the back-end
//   kMid     to 32 KiB        a class of ACE
//   kSpan    to 1 MiB         whole pages; also sizes beyond the waste cap
//   kLarge   above            a mapping, or a cached one
#ifndef HAKMEM_FRONTEND_DISPATCH_ROUTE_H_
#define HAKMEM_FRONTEND_DISPATCH_ROUTE_H_

#include <cstddef>
#include <cstdint>

#include "ace/ace.h"
#include "base/size_classes.h"
#include "tracing/failures/failure.h"

namespace hakmem {

struct Route {
  enum class Kind : uint8_t { kTiny, kMid, kSpan, kLarge };

  Kind kind;
  SizeClass size_class;  // kNone for spans and large blocks

  // For `bytes` (at most PTRDIFF_MAX) at `alignment`, a power of two, or 0 for
  // the default.
  [[gnu::always_inline]] static Route Of(size_t bytes, size_t alignment) {
    if (bytes <= kMaxTinyBytes) {
      if (alignment <= kBlockAlignment) return {Kind::kTiny, ClassOf(bytes)};
      const SizeClass c = AlignedClassOf(bytes, alignment);
      // An aligned request may fit a mid class, but those are for larger sizes.
      if (c != SizeClass::kNone && !IsMid(c)) return {Kind::kTiny, c};
    } else if (const SizeClass c = Ace::ClassFor(bytes, alignment);
               c != SizeClass::kNone) {
      return {Kind::kMid, c};
    }
    return {Ace::IsLarge(bytes, alignment) ? Kind::kLarge : Kind::kSpan,
            SizeClass::kNone};
  }

  bool HasClass() const { return size_class != SizeClass::kNone; }

  // The layer named when the request is refused.
  hakmem_failure_layer_t layer() const {
    switch (kind) {
      case Kind::kTiny:
        return HAKMEM_LAYER_BACKEND;
      case Kind::kMid:
      case Kind::kSpan:
        return HAKMEM_LAYER_ACE;
      case Kind::kLarge:
        break;
    }
    return HAKMEM_LAYER_LARGE;
  }
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_ROUTE_H_
