// api_model_test.cc: the whole interface against a model, in runs of random
// calls on three threads that take turns. A run depends on its seed only.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "frontend/api_model_test_helper.h"
#include "frontend/preload_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem_test {
namespace {

std::string RunModel(uint64_t seed, size_t operations) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(operations * ApiOperations::kBytesEach);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  ApiModel model({Hakmem().collect, Hakmem().check_heap, Hakmem().free_sized,
                  Hakmem().free_aligned_sized});
  return model.Run(bytes.data(), bytes.size());
}

class ApiModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(ApiModelTest, EachCallKeepsItsPromiseAndNothingIsLost) {
  // The C library keeps what threads and the model's own containers took.
  ASSERT_EQ(RunModel(GetParam(), 2000), "");
  const uint64_t live = CollectedStats().live_bytes;
  ASSERT_EQ(RunModel(GetParam(), 6000), "");
  EXPECT_EQ(CollectedStats().live_bytes, live);
  EXPECT_EQ(Stats().free_list_faults, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ApiModelTest, testing::Range<uint64_t>(1, 7));

}  // namespace
}  // namespace hakmem_test
