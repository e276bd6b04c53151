// Measures what it costs to find the slab of an address.
#ifndef HAKMEM_FRONTEND_API_LOOKUP_COST_H_
#define HAKMEM_FRONTEND_API_LOOKUP_COST_H_

namespace hakmem {

// Cycles of the time-stamp counter (nanoseconds where there is none) for one
// lookup, address to slab to class, over up to 4096 slabs held, in no order;
// each lookup waits for the one before, so it is latency that is measured. 0
// when no slab is held or another thread is measuring. About a millisecond;
// allocates nothing.
[[gnu::cold]] double MeasureLookup();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_API_LOOKUP_COST_H_
