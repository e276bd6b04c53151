// Reports misuse of a guarded block: several lines on stderr, the first of
// which says everything but the stacks.
//
//   hakmem[4711]: guarded block: write past the end (1 byte behind) of a block
//           of 64 bytes at 0x7f10a3c05fc0 by thread 4711    (one line)
//   hakmem[4711]:   allocated by thread 4711 at:
//   hakmem[4711]:   #0 0x55d0c3a2b1f7 /usr/bin/program+0x11f7 main+0x27
//   …
//   hakmem[4711]:   freed by thread 4712 at:                 (if it was)
//   …
//   hakmem[4711]:   accessed by thread 4711 at:
//   …
//
// Allocates nothing, takes no lock.
#ifndef HAKMEM_FRONTEND_GUARD_GUARDED_REPORT_H_
#define HAKMEM_FRONTEND_GUARD_GUARDED_REPORT_H_

#include <cstdint>

#include "backend/errors/block_call.h"
#include "frontend/guard/guarded_block.h"
#include "frontend/guard/guarded_pool.h"
#include "frontend/guard/segv_handler.h"

namespace hakmem {

// Reports a fault in the pool. Async-signal-safe. Prints only the first line if
// the signal stack has little space left.
[[gnu::cold]] void ReportFault(const Fault& fault,
                               const NearestAllocation& finding);

// Reports a fault in the pool that is not near any block.
[[gnu::cold]] void ReportStrayFault(const Fault& fault);

// Reports the error `answer` (not kGood) of a call of `function` with
// `address`, then aborts.
[[noreturn, gnu::cold]] void AbortOnMisuse(GuardedPool::Answer answer,
                                           uintptr_t address,
                                           const NearestAllocation& finding,
                                           BlockCall function,
                                           const CallSite& now);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARDED_REPORT_H_
