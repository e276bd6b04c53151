// Checks of spans in bins and the central span cache.
#ifndef HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_
#define HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "backend/verify/heap_verifier.h"

namespace hakmem {

// Verifies that each of `count` spans has `pages` pages and is marked cached in
// the page heap, and counts them.
[[gnu::cold]] void CheckCachedSpans(const uintptr_t* spans, uint32_t count,
                                    size_t pages, HeapVerifier& check);

}  // namespace hakmem

#endif  // HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_
