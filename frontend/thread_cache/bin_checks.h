// BinChecks: what bins of hardened builds do with each block that they take and
// hand out (hardening/levels.h); nothing in others.
//
// A part of BinTable: it holds copies of what it looks up, where the fewest
// instructions find them.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_BIN_CHECKS_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_BIN_CHECKS_H_

#include <cstdint>
#include <type_traits>

#include "backend/errors/error_reporting.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/block_start.h"
#include "base/size_classes.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"
#include "hardening/secret.h"

namespace hakmem {

class MarkChecks {
 public:
  static MarkChecks Make() { return {Secret::Get(), kReciprocals}; }

  // Whether `block` may be a block in use, as far as a few instructions can
  // tell. `c` is what the pagemap says of the address, and not kNone.
  bool MayBeInUse(SizeClass c, const void* block, const void*) const {
    const auto address = reinterpret_cast<uintptr_t>(block);
    if (!IsBlockStart(c, address, reciprocals_)) return false;
    // Parts of mid slabs are purged while others are in use: a closer look.
    if (IsMid(c) && FreedMark::MayBeGone(block)) return false;
    return !FreedMark::IsOn(block, secret_);
  }

  // A block in use becomes a free one.
  void Mark(void* block) const { FreedMark::Put(block, secret_); }

  // A free block becomes one in use. Aborts when it was written to in between.
  void Unmark(void* block) const {
    if (!FreedMark::IsOn(block, secret_)) [[unlikely]]
      AbortOnLostMark(block);
    FreedMark::Remove(block);
  }

  // Of a thread that has no bins: never asked.
  static constexpr MarkChecks None() { return {0, {}}; }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] static void AbortOnLostMark(
      const void* block) {
    const auto address = reinterpret_cast<uintptr_t>(block);
    AbortOnWriteAfterFree(address, ClassBytes(Pagemap::ClassAt(address)));
  }

  constexpr MarkChecks(uint64_t secret, const Reciprocals& reciprocals)
      : secret_(secret), reciprocals_(reciprocals) {}

  uint64_t secret_;
  Reciprocals reciprocals_;
};

struct NoChecks {
  static NoChecks Make() { return {}; }
  static constexpr NoChecks None() { return {}; }
  // `last` is what was freed last.
  bool MayBeInUse(SizeClass, const void* block, const void* last) const {
    return block != last;
  }
  void Mark(void*) const {}
  void Unmark(void*) const {}
};

using BinChecks = std::conditional_t<kMarksFreed, MarkChecks, NoChecks>;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_BIN_CHECKS_H_
