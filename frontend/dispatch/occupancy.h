// The bytes that classes and pools hold, for records of failed requests.
//
// A lookup walks every slab, and a refused program retries many times a second.
// So the figures of all classes are cached for 100 ms.
#ifndef HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_
#define HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_

#include <cstdint>

#include "base/size_classes.h"
#include "tracing/failures/failure.h"

namespace hakmem {

// Bytes in use or in bins, and free bytes.
struct Occupancy {
  uint64_t live = 0;
  uint64_t cached = 0;
};

// The bytes of class `c`, or for kNone of all spans (HAKMEM_LAYER_ACE) or large
// blocks; at most a tenth of a second old. Takes the locks of the back-end and
// ACE. Thread-safe.
Occupancy OccupancyOf(hakmem_failure_layer_t layer, SizeClass c);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_
