// Build variant --//backend=superslab: the back-end that the front-end uses.
#ifndef HAKMEM_BACKEND_LINKED_BACKEND_H_
#define HAKMEM_BACKEND_LINKED_BACKEND_H_

#include "backend/superslab/superslab.h"

namespace hakmem {
using LinkedBackend = SuperSlabBackend;
}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LINKED_BACKEND_H_
