// Decodes bytes into API calls.
//
// Any string of bytes is a sequence of calls: random for a model test, chosen
// by a fuzzer. Seven bytes per operation:
//
//   which │ thread │ block (2) │ size (2) │ alignment and how much is used
//
// Sizes are mostly small and reach 16 MiB, so that every layer is used.
#ifndef HAKMEM_TESTS_BLACKBOX_API_API_OPERATIONS_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_API_API_OPERATIONS_TEST_HELPER_H_

#include <cstddef>
#include <cstdint>

namespace hakmem_test {

enum class ApiCall : uint8_t {
  kMalloc,
  kCalloc,
  kReallocNull,
  kMemalign,
  kAlignedAlloc,
  kPosixMemalign,
  kValloc,
  kPvalloc,
  kNew,
  kNewAligned,
  kRealloc,
  kReallocarray,
  kReallocToZero,
  kFree,
  kFreeSized,  // free_sized, or free_aligned_sized for aligned blocks
  kDelete,     // the sized form, and aligned for aligned blocks
  kFreeNull,
  kCollect,
  kTrim,
  kRebirth,  // the thread ends, and another replaces it
};

struct ApiOperation {
  ApiCall call;
  uint8_t thread;    // below kApiThreads
  uint16_t block;    // any number, reduced to pick a live block
  size_t size;       // bytes, below 16 MiB
  size_t alignment;  // a power of two, 8 to 4 MiB
  bool use_all;      // write to all usable bytes, not only those requested
};

inline constexpr uint8_t kApiThreads = 3;

class ApiOperations {
 public:
  static constexpr size_t kBytesEach = 7;

  ApiOperations(const uint8_t* bytes, size_t count)
      : next_(bytes), end_(bytes + count) {}

  // False at the end of the bytes.
  bool Next(ApiOperation* operation) {
    if (static_cast<size_t>(end_ - next_) < kBytesEach) return false;
    const uint8_t* b = next_;
    next_ += kBytesEach;
    operation->call = CallOf(b[0]);
    operation->thread = b[1] % kApiThreads;
    operation->block = static_cast<uint16_t>(b[2] << 8 | b[3]);
    operation->size = SizeOf(b[4], b[5]);
    // Half of all alignments are at most a page.
    operation->alignment =
        size_t{8} << ((b[6] & 64) != 0 ? (b[6] & 31) % 20 : (b[6] & 31) % 10);
    operation->use_all = (b[6] & 128) != 0;
    return true;
  }

 private:
  // Frequencies out of 256, in the order of ApiCall; the rest is kMalloc.
  static ApiCall CallOf(uint8_t byte) {
    constexpr uint8_t kShares[] = {44, 20, 4, 8,  8,  8,  2, 2, 14, 8,
                                   22, 4,  2, 52, 14, 14, 1, 3, 3,  2};
    uint32_t below = 0;
    for (size_t call = 0; call < sizeof(kShares); ++call) {
      below += kShares[call];
      if (byte < below) return static_cast<ApiCall>(call);
    }
    return ApiCall::kMalloc;
  }

  // A doubling, and a position in it.
  static size_t SizeOf(uint8_t which, uint8_t where) {
    const size_t doubling = which < 170   ? which % 12       // to 4 KiB
                            : which < 235 ? 11 + which % 7   // to 256 KiB
                                          : 17 + which % 7;  // to 16 MiB
    const size_t least = size_t{1} << doubling;
    // Sizes at class boundaries find most bugs.
    if (where < 8) return least - 4 + where % 8 + (doubling < 2 ? 4 : 0);
    return least + least * where / 256;
  }

  const uint8_t* next_;
  const uint8_t* end_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_API_API_OPERATIONS_TEST_HELPER_H_
