#include "backend/errors/block_call.h"

namespace hakmem {

constinit thread_local BlockCallScope::Current BlockCallScope::current_ = {
    0, BlockCall::kFree};

const char* NameOf(BlockCall call) {
  switch (call) {
    case BlockCall::kFree:
      return "free";
    case BlockCall::kFreeSized:
      return "free_sized";
    case BlockCall::kFreeAlignedSized:
      return "free_aligned_sized";
    case BlockCall::kDelete:
      return "operator delete";
    case BlockCall::kDeleteArray:
      return "operator delete[]";
    case BlockCall::kRealloc:
      return "realloc";
    case BlockCall::kReallocarray:
      return "reallocarray";
    case BlockCall::kUsableSize:
      return "malloc_usable_size";
  }
  return "a call";
}

}  // namespace hakmem
