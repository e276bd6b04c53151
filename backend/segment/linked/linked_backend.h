// Build variant --//backend=segment: the back-end that the front-end uses.
#ifndef HAKMEM_BACKEND_LINKED_BACKEND_H_
#define HAKMEM_BACKEND_LINKED_BACKEND_H_

#include "backend/segment/segment.h"

namespace hakmem {
using LinkedBackend = SegmentBackend;
}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LINKED_BACKEND_H_
