// BinChecks: the checks that bins of hardened builds make on each block they
// take and hand out (hardening/levels.h); empty in other builds.
//
// A part of BinTable: it holds copies of what it looks up, where the fewest
// instructions reach them.
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

  // Whether `block` may be in use, as far as a few instructions can tell. `c`
  // is the pagemap's class of the address, and not kNone.
  bool MayBeInUse(SizeClass c, const void* block, const void*) const {
    const auto address = reinterpret_cast<uintptr_t>(block);
    if (!IsBlockStart(c, address, reciprocals_)) return false;
    // Parts of a mid slab may be purged while others are in use: check in
    // detail.
    if (IsMid(c) && FreedMark::MayBeGone(block)) return false;
    return !FreedMark::IsOn(block, secret_);
  }

  // Marks a block as free.
  void Mark(void* block) const { FreedMark::Put(block, secret_); }

  // Marks a block as in use. Aborts when it was written to while free.
  void Unmark(void* block) const {
    if (!FreedMark::IsOn(block, secret_)) [[unlikely]]
      AbortOnLostMark(block);
    FreedMark::Remove(block);
  }

  // For a thread without bins: never consulted.
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
  // `last` is the block freed last.
  bool MayBeInUse(SizeClass, const void* block, const void* last) const {
    return block != last;
  }
  void Mark(void*) const {}
  void Unmark(void*) const {}
};

using BinChecks = std::conditional_t<kMarksFreed, MarkChecks, NoChecks>;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_BIN_CHECKS_H_
