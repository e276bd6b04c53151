#include "tools/text/human_bytes.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace hakmem::tools {
namespace {

TEST(HumanBytes, AreRoundedForPeople) {
  EXPECT_EQ(HumanBytes(0), "0 bytes");
  EXPECT_EQ(HumanBytes(1023), "1023 bytes");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes((uint64_t{1} << 20) - 1), "1.0 MiB");
  EXPECT_EQ(HumanBytes(uint64_t{3} << 40), "3.0 TiB");
  EXPECT_EQ(HumanBytes(uint64_t{1} << 60), "1.0 EiB");
}

}  // namespace
}  // namespace hakmem::tools
