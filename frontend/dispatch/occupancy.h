// What the classes and pools hold, for records of failed requests.
//
// To look is to walk every slab, and a program that is refused memory asks
// again, many times a second: figures are kept for a tenth of a second, of all
// classes at once, since the next request may well be of another size.
#ifndef HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_
#define HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_

#include <cstdint>

#include "base/size_classes.h"
#include "tracing/failures/failure.h"

namespace hakmem {

// Bytes in use, or in bins, and bytes free.
struct Occupancy {
  uint64_t live = 0;
  uint64_t cached = 0;
};

// What class `c` holds, or for kNone what all spans (HAKMEM_LAYER_ACE) or large
// blocks do; at most a tenth of a second old. Takes the locks of the back-end
// and ACE. Thread-safe.
Occupancy OccupancyOf(hakmem_failure_layer_t layer, SizeClass c);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_OCCUPANCY_H_
