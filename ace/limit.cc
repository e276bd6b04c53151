#include "ace/limit.h"

#include "ace/mid_pools.h"
#include "backend/spans/page_heap.h"

namespace hakmem {

size_t AceLimit::Held() {
  return mid_pools.BlockBytes() + PageHeap::UsedBytes();
}

bool AceLimit::HasRoomFor(size_t bytes) {
  const size_t held = Held();
  return held <= Bytes() && bytes <= Bytes() - held;
}

void AceLimit::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }

void AceLimit::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex_.Unlock();
}

}  // namespace hakmem
