// Whether the program touches what it asks for: a large buffer may stay mostly
// unused, and then huge pages under it would be waste.
//
// Each time more memory is needed, the newest that is in use is sampled: do its
// pages hold anything? Once kRow samples in a row were dense, what is new is
// made of huge pages; each sparse one halves what there is of the row. So a
// program that turns sparse wastes one chunk, and one that goes to and fro some
// tenth.
//
// Pages that hold zeros count as untouched, and so does memory that is written
// to only later: both err on the side of small pages.
//
// Not thread-safe: the owner's lock guards it.
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

  // Whether the program has touched seven eighths of the range. Locks need not
  // be held, and the range may be another's or gone.
  static bool IsDense(uintptr_t address, size_t bytes) {
    return HugePages::AreWantedWhereDense() &&
           os::IsMostlyTouched(address, bytes, /*most_untouched=*/4);
  }

  // Judges by what IsDense returned for the newest memory in use. Returns
  // whether fresh memory is to have huge pages.
  bool WantsHugePages(bool is_dense) {
    row_ = is_dense ? std::min(row_ + 1, kRow) : row_ / 2;
    return is_dense && row_ == kRow;
  }

 private:
  static constexpr size_t kRow = 8;  // 16 MiB of chunks

  size_t row_ = 0;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_DENSITY_H_
