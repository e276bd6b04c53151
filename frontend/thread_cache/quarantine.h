// Quarantine: freed blocks that wait before they can be reused, in builds with
// --//hardening=full.
//
//   free ──► filled, marked ──► waits behind the blocks freed before ──► bin
//                               compared with what it was filled with ───┘
//
// A thread's own, first in, first out, as many bytes as HAKMEM_QUARANTINE says.
// While a block waits, a second free of it and a write to any part of it are
// found, and memory that is read after its free holds nothing of the program's.
//
// ThreadCache's, which is empty of it in other builds. Not thread-safe, but for
// the figures. Zero bytes are a valid one.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "backend/errors/error_reporting.h"
#include "base/size_classes.h"
#include "base/text/options.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"

namespace hakmem {
namespace internal {

class KeptQuarantine {
 public:
  // Lets `block`, of class `c` and no longer in use, wait. Calls
  // release(class, block) for those that have waited long enough, which are
  // free then and bear their marks.
  template <typename Release>
  void Add(SizeClass c, void* block, Release&& release) {
    const size_t bytes = ClassBytes(c);
    const size_t limit = options::Get(options::k_quarantine);
    while (count_ != 0 && (count_ == kMostBlocks || bytes_ + bytes > limit)) {
      ReleaseOldest(release);
    }
    memset(block, Filling(), bytes);
    FreedMark::Put(block);
    if (bytes > limit) return release(c, block);
    waiting_[(first_ + count_++) % kMostBlocks] = {block, c};
    Account(c, bytes);
  }

  // Releases all.
  template <typename Release>
  void Flush(Release&& release) {
    while (count_ != 0) ReleaseOldest(release);
  }

  // Bytes of tiny and of mid blocks that wait. May be read by other threads.
  size_t tiny_bytes() const {
    return tiny_bytes_.load(std::memory_order_relaxed);
  }
  size_t mid_bytes() const {
    return mid_bytes_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kMostBlocks = 1024;
  static constexpr int kFreedByte = 0xdf;

  struct Waiting {
    void* block;
    SizeClass size_class;
  };

  static int Filling() {
    return options::Get(options::k_zero_on_free) != 0 ? 0 : kFreedByte;
  }

  template <typename Release>
  void ReleaseOldest(Release&& release) {
    const Waiting oldest = waiting_[first_];
    first_ = (first_ + 1) % kMostBlocks;
    --count_;
    const size_t bytes = ClassBytes(oldest.size_class);
    Account(oldest.size_class, -bytes);
    if (!FreedMark::IsOn(oldest.block) || !IsFilled(oldest.block, bytes)) {
      AbortOnWriteAfterFree(reinterpret_cast<uintptr_t>(oldest.block), bytes);
    }
    release(oldest.size_class, oldest.block);
  }

  // All but the mark.
  static bool IsFilled(const void* block, size_t bytes) {
    const auto* rest =
        static_cast<const unsigned char*>(block) + FreedMark::kBytes;
    // Each byte equals the one before it, and the first is as it was left.
    return rest[0] == Filling() &&
           memcmp(rest, rest + 1, bytes - FreedMark::kBytes - 1) == 0;
  }

  // `bytes` may be negative, modulo 2^64. relaxed: figures that order nothing.
  void Account(SizeClass c, size_t bytes) {
    bytes_ += bytes;
    std::atomic<size_t>& sum = IsMid(c) ? mid_bytes_ : tiny_bytes_;
    sum.store(sum.load(std::memory_order_relaxed) + bytes,
              std::memory_order_relaxed);
  }

  Waiting waiting_[kMostBlocks];
  size_t first_;
  size_t count_;
  size_t bytes_;
  std::atomic<size_t> tiny_bytes_;
  std::atomic<size_t> mid_bytes_;
};

struct NoQuarantine {
  template <typename Release>
  void Add(SizeClass c, void* block, Release&& release) {
    release(c, block);
  }
  template <typename Release>
  void Flush(Release&&) {}
  static constexpr size_t tiny_bytes() { return 0; }
  static constexpr size_t mid_bytes() { return 0; }
};

}  // namespace internal

using Quarantine =
    std::conditional_t<kQuarantinesFreed, internal::KeptQuarantine,
                       internal::NoQuarantine>;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_QUARANTINE_H_
