#include "tools/soak/blocks.h"

#include <malloc.h>
#include <stdlib.h>

#include <cerrno>
#include <new>

#include "tools/soak/claims.h"
#include "tools/soak/counters.h"
#include "tools/soak/pattern.h"
#include "tools/soak/refusals.h"

namespace hakmem::soak {
namespace {

// What a call returned, and whether it reported a failure properly.
struct Got {
  void* at;
  bool reported;  // a null pointer: by ENOMEM or bad_alloc
  Block::Family family = Block::kC;
  bool zeroed = false;
};

Got ByErrno(void* at, bool zeroed = false) {
  return {at, errno == ENOMEM, Block::kC, zeroed};
}

Got ByPosixMemalign(size_t alignment, size_t size) {
  void* at = nullptr;
  const int error = posix_memalign(&at, alignment, size);
  return {error == 0 ? at : nullptr, error == ENOMEM};
}

template <typename New>
Got ByNew(Block::Family family, const New& call) {
  try {
    return {call(), false, family};
  } catch (const std::bad_alloc&) {
    return {nullptr, true, family};
  }
}

Got AskAligned(Random& random, size_t size, size_t alignment) {
  const auto align = std::align_val_t{alignment};
  switch (random.Below(5)) {
    case 0:
      return ByErrno(aligned_alloc(alignment, size));
    case 1:
      return ByErrno(memalign(alignment, size));
    case 2:
      return ByPosixMemalign(alignment, size);
    case 3:
      return ByNew(Block::kNewAligned,
                   [&] { return operator new(size, align); });
    default:
      return {operator new(size, align, std::nothrow), true,
              Block::kNewAligned};
  }
}

Got AskZeroed(Random& random, size_t size) {
  // As an array where the size allows it.
  const size_t count = size % 8 == 0 && random.OneIn(2) ? 8 : 1;
  return ByErrno(calloc(count, size / count), true);
}

Got Ask(Random& random, size_t size, size_t alignment, Entry entry) {
  if (alignment != 0) return AskAligned(random, size, alignment);
  if (entry == Entry::kZeroed) return AskZeroed(random, size);
  if (entry == Entry::kMalloc) return ByErrno(malloc(size));
  // Mostly malloc, as in programs.
  switch (random.Below(12)) {
    case 0:
      return ByNew(Block::kNew, [&] { return operator new(size); });
    case 1:
      return ByNew(Block::kNewArray, [&] { return operator new[](size); });
    case 2:
      return AskZeroed(random, size);
    case 3:
      return ByErrno(realloc(nullptr, size));
    case 4:
      return ByErrno(reallocarray(nullptr, 1, size));
    case 5:
      return {operator new(size, std::nothrow), true, Block::kNew};
    default:
      return ByErrno(malloc(size));
  }
}

// Checks a request that failed.
void CheckRefusal(const char* what, size_t size, size_t alignment,
                  bool reported, uint64_t epoch) {
  ++counters.refused;
  if (!MayBeRefused(epoch)) {
    ReportError("%s of %zu bytes, alignment %zu, was refused without a limit",
                what, size, alignment);
  } else if (!reported) {
    ReportError("%s of %zu bytes, alignment %zu, was refused without ENOMEM",
                what, size, alignment);
  }
}

bool IsAligned(const void* at, size_t alignment) {
  return reinterpret_cast<uintptr_t>(at) % alignment == 0;
}

// Checks a block that was just returned or moved.
void CheckPlacement(const char* what, const Block& block) {
  const size_t least = block.size >= 16 ? 16 : 8;
  const size_t alignment = block.alignment > least ? block.alignment : least;
  if (!IsAligned(block.at, alignment)) {
    ReportError("%s of %zu bytes gave %p, not aligned to %zu", what, block.size,
                static_cast<void*>(block.at), alignment);
  }
  const size_t usable = malloc_usable_size(block.at);
  if (usable < block.size) {
    ReportError("%s of %zu bytes gave %p, of which %zu are usable", what,
                block.size, static_cast<void*>(block.at), usable);
  }
  if (!Claim(block.at, block.size)) {
    ReportError("%s of %zu bytes gave %p, which lies in another block", what,
                block.size, static_cast<void*>(block.at));
  }
}

void CheckContents(const Block& block, uint64_t seed, size_t size,
                   size_t prefix) {
  ++counters.checked;
  const size_t damage = FindDamage(block.at, size, seed, prefix);
  if (damage != kIntact) {
    ReportError("the block at %p of %zu bytes was overwritten at byte %zu",
                static_cast<void*>(block.at), size, damage);
  }
}

void Free(Random& random, const Block& block) {
  const auto align = std::align_val_t{block.alignment};
  const bool sized = random.OneIn(2);
  switch (block.family) {
    case Block::kC:
      // free may not touch errno: cleanups run between an error and its report.
      errno = EXDEV;
      free(block.at);
      if (errno != EXDEV) {
        ReportError("free of %zu bytes changed errno to %d", block.size, errno);
      }
      return;
    case Block::kNew:
      return sized ? operator delete(block.at, block.size) :
                   operator delete(block.at);
    case Block::kNewArray:
      return sized ? operator delete[](block.at, block.size) :
                   operator delete[](block.at);
    case Block::kNewAligned:
      return sized ? operator delete(block.at, block.size, align) :
                   operator delete(block.at, align);
  }
}

}  // namespace

bool Allocate(Random& random, size_t size, size_t alignment, Entry entry,
              Block& block) {
  ++counters.operations;
  const uint64_t epoch = LimitEpoch();
  errno = 0;
  const Got got = Ask(random, size, alignment, entry);
  if (got.at == nullptr) {
    CheckRefusal("a request", size, alignment, got.reported, epoch);
    return false;
  }
  block = {static_cast<char*>(got.at), size, random.Next(),
           static_cast<uint32_t>(alignment), got.family};
  CheckPlacement("a request", block);
  if (got.zeroed) {
    const size_t dirt = FindNonZero(block.at, size);
    if (dirt != kIntact) {
      ReportError("calloc of %zu bytes gave %p, not zero at byte %zu", size,
                  static_cast<void*>(block.at), dirt);
    }
  }
  FillBlock(block.at, size, block.seed);
  return true;
}

void Check(const Block& block) {
  CheckContents(block, block.seed, block.size, block.size);
}

bool Resize(Random& random, size_t size, Block& block) {
  ++counters.operations;
  Check(block);
  Unclaim(block.at, block.size);
  const uint64_t epoch = LimitEpoch();
  errno = 0;
  void* const at = random.OneIn(8) ? reallocarray(block.at, 1, size)
                                   : realloc(block.at, size);
  if (at == nullptr) {
    CheckRefusal("realloc", size, 0, errno == ENOMEM, epoch);
    CheckPlacement("a refused realloc", block);
    Check(block);
    return false;
  }
  const Block former = block;
  block.at = static_cast<char*>(at);
  block.size = size;
  CheckPlacement("realloc", block);
  CheckContents(block, former.seed, former.size,
                size < former.size ? size : former.size);
  block.seed = random.Next();
  FillBlock(block.at, size, block.seed);
  return true;
}

void Release(Random& random, Block& block) {
  ++counters.operations;
  Check(block);
  Unclaim(block.at, block.size);
  Free(random, block);
  block = {};
}

}  // namespace hakmem::soak
