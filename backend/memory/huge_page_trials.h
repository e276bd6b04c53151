// HugePageTrials: whether the kernel makes huge pages fast enough.
//
// A huge page is zeroed at once. Where that takes longer than 512 page faults
// (a hypervisor may have to find the memory first), small pages are better. So
// some are timed. After a slow one, a number of chunks get small pages before
// the next trial; the number doubles with each slow trial, so that a heap which
// grows to gigabytes pays for a few, and two quick trials in a row reset it.
//
// Not thread-safe: guarded by the chunk source's lock.
#ifndef HAKMEM_BACKEND_MEMORY_HUGE_PAGE_TRIALS_H_
#define HAKMEM_BACKEND_MEMORY_HUGE_PAGE_TRIALS_H_

#include <algorithm>
#include <cstdint>
#include <utility>

namespace hakmem {

class HugePageTrials {
 public:
  // Whether the next chunk for which huge pages are wanted may have them.
  bool Allow() {
    if (until_allowed_ == 0) return true;
    --until_allowed_;
    return false;
  }

  // Call for each chunk with huge pages and nothing resident. Whether its first
  // touch is to be timed: one in kTimedEvery, after a slow one each.
  bool BeginsTrial() {
    const bool begins = until_timed_ == 0;
    until_timed_ = begins ? kTimedEvery - 1 : until_timed_ - 1;
    return begins;
  }

  // Ends a trial: the first touch took so many nanoseconds.
  void End(uint64_t nanoseconds) {
    if (nanoseconds > kSlowNanoseconds) {
      until_allowed_ = patience_;
      patience_ = std::min(patience_ * 2, kMaxPatience);
      was_quick_ = false;
    } else if (std::exchange(was_quick_, true)) {
      patience_ = kMinPatience;
    }
    if (!was_quick_ || patience_ != kMinPatience) until_timed_ = 0;
  }

 private:
  static constexpr uint32_t kTimedEvery = 8;
  static constexpr uint32_t kMinPatience = 32;    // chunks: 64 MiB
  static constexpr uint32_t kMaxPatience = 4096;  // 8 GiB
  static constexpr uint64_t kSlowNanoseconds = 512'000;

  uint32_t until_timed_ = 0;
  uint32_t until_allowed_ = 0;
  uint32_t patience_ = kMinPatience;
  bool was_quick_ = false;  // the last trial
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_HUGE_PAGE_TRIALS_H_
