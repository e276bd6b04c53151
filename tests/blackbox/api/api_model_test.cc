// Tests the whole API against a model, in runs of random calls on three threads
// that take turns. A run depends only on its seed.
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/api/api_model_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

void* New(size_t size, size_t alignment) noexcept {
  return alignment == 0
             ? ::operator new(size, std::nothrow)
             : ::operator new(size, std::align_val_t(alignment), std::nothrow);
}

void Delete(void* block, size_t size, size_t alignment) noexcept {
  return alignment == 0
             ? ::operator delete(block, size)
             : ::operator delete(block, size, std::align_val_t(alignment));
}

// The functions as this program calls them.
ApiFunctions ThisProcess() {
  return {.malloc = malloc,
          .calloc = calloc,
          .realloc = realloc,
          .reallocarray = reallocarray,
          .memalign = memalign,
          .aligned_alloc = aligned_alloc,
          .posix_memalign = posix_memalign,
          .valloc = valloc,
          .pvalloc = pvalloc,
          .usable_size = malloc_usable_size,
          .trim = malloc_trim,
          .free = free,
          .operator_new = New,
          .operator_delete = Delete,
          .collect = Hakmem().collect,
          .check_heap = Hakmem().check_heap,
          .free_sized = Hakmem().free_sized,
          .free_aligned_sized = Hakmem().free_aligned_sized};
}

std::string RunModel(uint64_t seed, size_t operations) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(operations * ApiOperations::kBytesEach);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  ApiModel model(ThisProcess());
  return model.Run(bytes.data(), bytes.size());
}

class ApiModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(ApiModelTest, EachCallKeepsItsPromiseAndNothingIsLost) {
  // The C library keeps what threads and the model's own containers took.
  ASSERT_EQ(RunModel(GetParam(), 2000), "");
  const uint64_t live = CollectedStats().live_bytes;
  ASSERT_EQ(RunModel(GetParam(), 6000), "");
  EXPECT_EQ(CollectedStats().live_bytes, live);
  EXPECT_EQ(HeapProblems(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ApiModelTest, testing::Range<uint64_t>(1, 7));

}  // namespace
}  // namespace hakmem_test
