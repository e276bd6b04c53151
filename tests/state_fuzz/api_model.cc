#include "tests/state_fuzz/api_model.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "ace/ace.h"
#include "backend/memory/dirty_bytes.h"
#include "base/os/os_memory.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/call.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/verify/heap_check.h"
#include "linked_backend.h"
#include "tests/state_fuzz/model.h"

namespace hakmem::fuzz {
namespace {

// --- As in malloc.cc and operator_new.cc -----------------------------------

void* Malloc(size_t size) noexcept {
  void* block = PopFromBins(size);
  return block != nullptr ? block
                          : AllocateSlow(size, CallOf(HAKMEM_ENTRY_MALLOC));
}

void Free(void* block) noexcept {
  if (!PushToBins(block)) FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE));
}

void* Calloc(size_t count, size_t size) noexcept {
  const size_t bytes = count * size;
  void* block = PopFromBins(bytes);
  return block != nullptr ? memset(block, 0, bytes)
                          : AllocateZeroed(bytes, CallOf(HAKMEM_ENTRY_CALLOC));
}

void* ReallocateArray(void* block, size_t count, size_t size) noexcept {
  const size_t bytes = count * size;
  if (bytes == 0 && block != nullptr) {
    Free(block);
    return nullptr;
  }
  return Reallocate(block, bytes, CallOf(HAKMEM_ENTRY_REALLOCARRAY));
}

void* Realloc(void* block, size_t size) noexcept {
  return ReallocateArray(block, 1, size);
}

void* Memalign(size_t alignment, size_t size) noexcept {
  return AllocateAligned(alignment, size, CallOf(HAKMEM_ENTRY_MEMALIGN));
}

int PosixMemalign(void** block, size_t alignment, size_t size) noexcept {
  *block =
      AllocateAligned(alignment, size, CallOf(HAKMEM_ENTRY_POSIX_MEMALIGN));
  return *block == nullptr ? ENOMEM : 0;
}

void* Valloc(size_t size) noexcept {
  return AllocateAligned(os::PageBytes(), size, CallOf(HAKMEM_ENTRY_VALLOC));
}

void* Pvalloc(size_t size) noexcept {
  const size_t page = os::PageBytes();
  return AllocateAligned(page, std::max((size + page - 1) & ~(page - 1), page),
                         CallOf(HAKMEM_ENTRY_PVALLOC));
}

size_t UsableSize(void* block) noexcept { return UsableBytes(block); }

int Trim(size_t) noexcept { return CollectAll() != 0; }

size_t Collect() noexcept { return CollectAll(); }

void* New(size_t size, size_t alignment) noexcept {
  if (alignment != 0) {
    return AllocateAligned(alignment, size, CallOf(HAKMEM_ENTRY_NEW_ALIGNED));
  }
  void* block = PopFromBins(size);
  return block != nullptr ? block
                          : AllocateSlow(size, CallOf(HAKMEM_ENTRY_NEW));
}

void FreeAs(void* block, SizedFreeHint hint, BlockCall function) {
  if constexpr (!kChecksFrees) return Free(block);
  FreeSized(block, hint, function, CallOf(HAKMEM_ENTRY_NONE));
}

void Delete(void* block, size_t size, size_t alignment) noexcept {
  FreeAs(block, {size, alignment}, BlockCall::kDelete);
}

void FreeSized(void* block, size_t size) noexcept {
  FreeAs(block, {size, 0}, BlockCall::kFreeSized);
}

void FreeAlignedSized(void* block, size_t alignment, size_t size) noexcept {
  FreeAs(block, {size, alignment}, BlockCall::kFreeAlignedSized);
}

int VerifyInvariants() noexcept { return CheckHeap(); }

void CheckNothingIsLeft() {
  Check(ThreadCache::SumAll().threads == 0, "a thread's cache is left");
  // Twice: the second round releases what the first found empty.
  CollectAll();
  CollectAll();
  const Ace::Totals ace = Ace::Sum();
  Check(LinkedBackend::Totals().block_bytes == 0 &&
            ace.slabs.block_bytes == 0 && ace.span_bytes == 0 &&
            ace.large_bytes == 0,
        "%zu bytes in tiny blocks, %zu in mid ones, %zu in spans left",
        size_t{LinkedBackend::Totals().block_bytes},
        size_t{ace.slabs.block_bytes}, size_t{ace.span_bytes});
  Check(DirtyBytes::Bytes() == 0, "%zu bytes are left in the ledger",
        DirtyBytes::Bytes());
}

}  // namespace

hakmem_test::ApiFunctions LinkedAllocator() {
  return {.malloc = Malloc,
          .calloc = Calloc,
          .realloc = Realloc,
          .reallocarray = ReallocateArray,
          .memalign = Memalign,
          .aligned_alloc = Memalign,
          .posix_memalign = PosixMemalign,
          .valloc = Valloc,
          .pvalloc = Pvalloc,
          .usable_size = UsableSize,
          .trim = Trim,
          .free = Free,
          .operator_new = New,
          .operator_delete = Delete,
          .collect = Collect,
          .check_heap = VerifyInvariants,
          .free_sized = FreeSized,
          .free_aligned_sized = FreeAlignedSized};
}

void RunLinkedModel(std::span<const uint8_t> bytes) {
  const std::string problem =
      hakmem_test::ApiModel(LinkedAllocator()).Run(bytes.data(), bytes.size());
  Check(problem.empty(), "%s", problem.c_str());
  CheckNothingIsLeft();
}

}  // namespace hakmem::fuzz
