// The contents of an allocation event.
#ifndef HAKMEM_TRACING_EVENTS_ALLOCATION_EVENT_H_
#define HAKMEM_TRACING_EVENTS_ALLOCATION_EVENT_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

// The values are those of hakmem_operation_t (hakmem/hakmem.h).
// A reallocation is a kFree of the old block and a kReallocate of the new.
enum class Operation : uint8_t { kAllocate, kFree, kReallocate };

struct AllocationEvent {
  uint64_t time_ns;  // CLOCK_MONOTONIC
  uint32_t thread;   // as of gettid(2)
  Operation operation;
  const void* address;  // of the block
  size_t bytes;         // requested; 0 for a free
  size_t class_bytes;   // of the block
  const void* caller;   // return address in the program
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_ALLOCATION_EVENT_H_
