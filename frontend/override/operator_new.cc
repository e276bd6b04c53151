// Every form of the replaceable operators new and delete.
//
// The library links no C++ runtime, so that C programs need none. What failures
// need of it (the new-handler, bad_alloc and catching) is referred to weakly: a
// program that calls operator new has libstdc++; otherwise it aborts with one
// line where it would have thrown.

#include <bit>
#include <cstddef>
#include <new>

#include "base/text/log.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/origins.h"
#include "hakmem/hakmem.h"

namespace std {
// libstdc++'s; null in a process without it.
__attribute__((weak)) new_handler get_new_handler() noexcept;
__attribute__((weak)) void __throw_bad_alloc();
}  // namespace std

asm(".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak _ZSt9terminatev");

namespace {

using hakmem::AllocateAligned;
using hakmem::AllocateSlow;
using hakmem::BlockCall;
using hakmem::Call;
using hakmem::CallOf;
using hakmem::FreeSized;
using hakmem::FreeSlow;
using hakmem::kChecksFrees;
using hakmem::Origin;
using hakmem::PopFromBins;
using hakmem::PushSizedToBins;
using hakmem::PushToBins;
using hakmem::SizedFreeHint;
using hakmem::WithOrigin;
using std::align_val_t;
using std::nothrow_t;

// Calls the new-handler; false when there is none.
bool CallNewHandler() {
  const std::new_handler handler =
      std::get_new_handler == nullptr ? nullptr : std::get_new_handler();
  if (handler == nullptr) return false;
  handler();
  return true;
}

template <typename TryAllocate>
[[gnu::noinline]] void* AllocateOrThrow(TryAllocate&& try_allocate) {
  for (;;) {
    void* block = try_allocate();
    if (block != nullptr) return block;
    if (CallNewHandler()) continue;
    if (std::__throw_bad_alloc != nullptr) std::__throw_bad_alloc();
    hakmem::LogLine()
        .Text("operator new is out of memory, and no C++ runtime can throw")
        .SendAndAbort();
  }
}

// Like libstdc++: when the handler throws, a nothrow operator returns null.
template <typename TryAllocate>
[[gnu::noinline]] void* AllocateOrNull(TryAllocate&& try_allocate) noexcept {
  try {
    for (;;) {
      void* block = try_allocate();
      if (block != nullptr || !CallNewHandler()) return block;
    }
  } catch (...) {
    return nullptr;
  }
}

template <Origin kOrigin>
[[gnu::noinline]] void* NewSlow(size_t size) {
  const Call call = CallOf(HAKMEM_ENTRY_NEW);
  return AllocateOrThrow(
      [=] { return WithOrigin(AllocateSlow(size, call), kOrigin); });
}

template <Origin kOrigin>
[[gnu::noinline]] void* NewSlowNothrow(size_t size) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_NEW);
  return AllocateOrNull(
      [=] { return WithOrigin(AllocateSlow(size, call), kOrigin); });
}

template <Origin kOrigin>
[[gnu::always_inline]] inline void* New(size_t size) {
  void* block = PopFromBins(size);
  return block != nullptr ? block : NewSlow<kOrigin>(size);
}

template <Origin kOrigin>
[[gnu::always_inline]] inline void* NewNothrow(size_t size) noexcept {
  void* block = PopFromBins(size);
  return block != nullptr ? block : NewSlowNothrow<kOrigin>(size);
}

template <Origin kOrigin>
[[gnu::always_inline]] inline void* NewAligned(size_t size,
                                               align_val_t alignment) {
  const Call call = CallOf(HAKMEM_ENTRY_NEW_ALIGNED);
  return AllocateOrThrow([=] {
    return WithOrigin(
        AllocateAligned(static_cast<size_t>(alignment), size, call), kOrigin);
  });
}

template <Origin kOrigin>
[[gnu::always_inline]] inline void* NewAlignedNothrow(
    size_t size, align_val_t alignment) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_NEW_ALIGNED);
  return AllocateOrNull([=] {
    return WithOrigin(
        AllocateAligned(static_cast<size_t>(alignment), size, call), kOrigin);
  });
}

// noexcept, so that a noexcept operator delete can tail-call it.
template <BlockCall kFunction>
[[gnu::noinline]] void DeleteSlow(void* block) noexcept {
  FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE), kFunction);
}

template <BlockCall kFunction>
[[gnu::always_inline]] inline void Delete(void* block) {
  if (!PushToBins(block)) [[unlikely]] {
    DeleteSlow<kFunction>(block);
  }
}

template <BlockCall kFunction>
[[gnu::noinline]] void DeleteSizedSlow(void* block,
                                       SizedFreeHint hint) noexcept {
  FreeSized(block, hint, kFunction, CallOf(HAKMEM_ENTRY_NONE));
}

// The size and alignment passed to delete are not needed: a program that
// deletes through a base class passes a wrong size, which other allocators
// accept. Hardened builds compare them with the block.
template <BlockCall kFunction>
[[gnu::always_inline]] inline void DeleteSized(void* block, size_t size) {
  if (!PushSizedToBins(block, size)) [[unlikely]] {
    kChecksFrees ? DeleteSizedSlow<kFunction>(block, {size, 0})
                 : DeleteSlow<kFunction>(block);
  }
}

template <BlockCall kFunction>
[[gnu::always_inline]] inline void DeleteAligned(void* block, size_t size,
                                                 align_val_t alignment) {
  if constexpr (!kChecksFrees) return Delete<kFunction>(block);
  DeleteSizedSlow<kFunction>(block, {size, static_cast<size_t>(alignment)});
}

}  // namespace

HAKMEM_API void* operator new(size_t size) { return New<Origin::kNew>(size); }
HAKMEM_API void* operator new[](size_t size) {
  return New<Origin::kNewArray>(size);
}
HAKMEM_API void* operator new(size_t size, const nothrow_t&) noexcept {
  return NewNothrow<Origin::kNew>(size);
}
HAKMEM_API void* operator new[](size_t size, const nothrow_t&) noexcept {
  return NewNothrow<Origin::kNewArray>(size);
}
HAKMEM_API void* operator new(size_t size, align_val_t alignment) {
  return NewAligned<Origin::kNew>(size, alignment);
}
HAKMEM_API void* operator new[](size_t size, align_val_t alignment) {
  return NewAligned<Origin::kNewArray>(size, alignment);
}
HAKMEM_API void* operator new(size_t size, align_val_t alignment,
                              const nothrow_t&) noexcept {
  return NewAlignedNothrow<Origin::kNew>(size, alignment);
}
HAKMEM_API void* operator new[](size_t size, align_val_t alignment,
                                const nothrow_t&) noexcept {
  return NewAlignedNothrow<Origin::kNewArray>(size, alignment);
}

HAKMEM_API void operator delete(void* block) noexcept {
  Delete<BlockCall::kDelete>(block);
}
HAKMEM_API void operator delete[](void* block) noexcept {
  Delete<BlockCall::kDeleteArray>(block);
}
HAKMEM_API void operator delete(void* block, const nothrow_t&) noexcept {
  Delete<BlockCall::kDelete>(block);
}
HAKMEM_API void operator delete[](void* block, const nothrow_t&) noexcept {
  Delete<BlockCall::kDeleteArray>(block);
}
HAKMEM_API void operator delete(void* block, size_t size) noexcept {
  DeleteSized<BlockCall::kDelete>(block, size);
}
HAKMEM_API void operator delete[](void* block, size_t size) noexcept {
  DeleteSized<BlockCall::kDeleteArray>(block, size);
}
HAKMEM_API void operator delete(void* block, align_val_t alignment) noexcept {
  DeleteAligned<BlockCall::kDelete>(block, 0, alignment);
}
HAKMEM_API void operator delete[](void* block, align_val_t alignment) noexcept {
  DeleteAligned<BlockCall::kDeleteArray>(block, 0, alignment);
}
HAKMEM_API void operator delete(void* block, align_val_t alignment,
                                const nothrow_t&) noexcept {
  DeleteAligned<BlockCall::kDelete>(block, 0, alignment);
}
HAKMEM_API void operator delete[](void* block, align_val_t alignment,
                                  const nothrow_t&) noexcept {
  DeleteAligned<BlockCall::kDeleteArray>(block, 0, alignment);
}
HAKMEM_API void operator delete(void* block, size_t size,
                                align_val_t alignment) noexcept {
  DeleteAligned<BlockCall::kDelete>(block, size, alignment);
}
HAKMEM_API void operator delete[](void* block, size_t size,
                                  align_val_t alignment) noexcept {
  DeleteAligned<BlockCall::kDeleteArray>(block, size, alignment);
}
