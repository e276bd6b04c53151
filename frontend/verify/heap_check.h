// Verifies all metadata of the allocator: hakmem_check_heap.
#ifndef HAKMEM_FRONTEND_VERIFY_HEAP_CHECK_H_
#define HAKMEM_FRONTEND_VERIFY_HEAP_CHECK_H_

namespace hakmem {

// Returns the number of errors; the first 20 are written to stderr, one per
// line. Takes every lock, allocates nothing. No other thread may be in the
// allocator: its bins are read.
[[gnu::cold]] int CheckHeap();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_VERIFY_HEAP_CHECK_H_
