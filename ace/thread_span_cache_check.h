// What is true of spans that bins and shards keep.
#ifndef HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_
#define HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "backend/verify/heap_verifier.h"

namespace hakmem {

// Proves that each of `count` spans is one of `pages` that the page heap knows
// to be cached, and counts them.
[[gnu::cold]] void CheckKeptSpans(const uintptr_t* spans, uint32_t count,
                                  size_t pages, HeapVerifier& check);

}  // namespace hakmem

#endif  // HAKMEM_ACE_THREAD_SPAN_CACHE_CHECK_H_
