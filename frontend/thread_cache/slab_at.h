// The slab of a block, whichever back-end serves its class.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_SLAB_AT_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_SLAB_AT_H_

#include <cstdint>

#include "ace/ace.h"
#include "backend/slabs/slab.h"
#include "base/size_classes.h"
#include "linked_backend.h"

namespace hakmem {

// `address` lies in a slab of class `c`, as the pagemap says.
inline const Slab* SlabAt(SizeClass c, uintptr_t address) {
  return IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_SLAB_AT_H_
