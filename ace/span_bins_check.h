// What is true of spans that bins and shards keep.
#ifndef HAKMEM_ACE_SPAN_BINS_CHECK_H_
#define HAKMEM_ACE_SPAN_BINS_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "backend/verify/book_check.h"

namespace hakmem {

// Proves that each of `count` spans is one of `pages` that the page heap knows
// to be cached, and counts them.
[[gnu::cold]] void CheckKeptSpans(const uintptr_t* spans, uint32_t count,
                                  size_t pages, BookCheck& check);

}  // namespace hakmem

#endif  // HAKMEM_ACE_SPAN_BINS_CHECK_H_
