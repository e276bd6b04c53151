// Density: whether the program touches the memory it allocates. A large buffer
// may stay mostly unused, and huge pages under it would be wasted.
//
// Each time more memory is needed, the newest memory in use is sampled. After
// kStreak dense samples in a row new memory gets huge pages; a sparse sample
// halves the streak. So a program that turns sparse wastes one chunk, and one
// that alternates wastes about a tenth of its memory.
//
// Pages that hold only zeros, or are written only later, count as untouched.
// Both errors favour small pages.
//
// Not thread-safe: guarded by the owner's lock.
#ifndef HAKMEM_BACKEND_MEMORY_DENSITY_H_
#define HAKMEM_BACKEND_MEMORY_DENSITY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backend/memory/huge_pages.h"
#include "base/os/os_memory.h"

namespace hakmem {

class Density {
 public:
  constexpr Density() = default;

  // Whether the program has touched seven eighths of the range. Needs no lock:
  // the range may be unmapped or reused meanwhile.
  static bool IsDense(uintptr_t address, size_t bytes) {
    return HugePages::AreWantedWhereDense() &&
           os::IsMostlyTouched(address, bytes, /*most_untouched=*/4);
  }

  // Adds a sample: what IsDense returned for the newest memory in use. Returns
  // whether new memory should have huge pages.
  bool WantsHugePages(bool is_dense) {
    streak_ = is_dense ? std::min(streak_ + 1, kStreak) : streak_ / 2;
    return is_dense && streak_ == kStreak;
  }

 private:
  static constexpr size_t kStreak = 8;  // 16 MiB of chunks

  size_t streak_ = 0;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_DENSITY_H_
