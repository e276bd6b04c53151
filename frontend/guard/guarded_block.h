// Guarded blocks: their metadata, and what an error report says about them.
// Written by guarded_pool.h, printed by guarded_report.h.
#ifndef HAKMEM_FRONTEND_GUARD_GUARDED_BLOCK_H_
#define HAKMEM_FRONTEND_GUARD_GUARDED_BLOCK_H_

#include <cstddef>
#include <cstdint>

#include "hardening/block_origins.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {

// The thread's id, as from gettid(2).
uint32_t ThisThread();

// Which thread did something, and where.
struct CallSite {
  uint32_t thread;
  StackTrace stack;

  // This thread, now, with the stack from `caller` on: see NoteStack.
  static CallSite Now(const void* caller);
};

struct GuardedBlock {
  uintptr_t address;  // 0: there is no block
  size_t bytes;       // as requested
  bool is_free;
  Origin origin;  // in hardened builds
  CallSite allocated;
  CallSite freed;  // while is_free
};

// Where an address lies relative to a block.
enum class Place : uint8_t { kBefore, kInside, kBehind };

// An address and the block nearest to it.
struct NearestAllocation {
  Place place = Place::kInside;
  // Bytes before the start, into the block, or past the last byte: the byte
  // after the block is 1 byte behind, the one before it 1 byte before.
  size_t distance = 0;
  GuardedBlock block = {};
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARDED_BLOCK_H_
