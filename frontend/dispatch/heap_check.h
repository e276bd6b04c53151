// The proof that all books of the allocator balance: hakmem_check_heap.
#ifndef HAKMEM_FRONTEND_DISPATCH_HEAP_CHECK_H_
#define HAKMEM_FRONTEND_DISPATCH_HEAP_CHECK_H_

namespace hakmem {

// Returns how many errors there are; each is a line on stderr, but for those
// beyond 20. Takes every lock, allocates nothing. No other thread may be in the
// allocator: their bins are read.
[[gnu::cold]] int CheckHeap();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_HEAP_CHECK_H_
