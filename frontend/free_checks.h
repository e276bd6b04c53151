// What is compared in hardened builds with what the caller of a free says of
// the block.
#ifndef HAKMEM_FRONTEND_FREE_CHECKS_H_
#define HAKMEM_FRONTEND_FREE_CHECKS_H_

#include <cstddef>

namespace hakmem {

// What the caller of a sized or aligned free says: the size and the alignment
// that the block was asked for with. 0: it says nothing of it.
struct FreeTerms {
  size_t bytes = 0;
  size_t alignment = 0;
};

// Whether the block of a realloc may have been freed: C's free_sized takes any,
// operator delete only what operator new gave.
enum class Origin { kMalloc, kNew };

// Aborts with one line when `block`, in use and not null, cannot have been
// asked for in these terms. Of blocks above 32 KiB, and of C's, which realloc
// may have left larger than need be, all that can be said is that they are
// large enough and not twice too large.
void CheckTerms(const void* block, FreeTerms terms, Origin origin);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_FREE_CHECKS_H_
