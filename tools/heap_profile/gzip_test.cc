#include "tools/heap_profile/gzip.h"

#include <cstddef>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

std::string SomeText(size_t bytes) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i);
  text.resize(bytes);
  return text;
}

TEST(GzipTest, WhatIsWrittenCanBeRead) {
  for (const size_t bytes : {0, 1, 65535, 65536, 200000}) {
    const auto read = GunzipStored(GzipStored(SomeText(bytes)));
    ASSERT_TRUE(read.ok()) << bytes;
    EXPECT_EQ(*read, SomeText(bytes));
  }
}

TEST(GzipTest, GzipReadsIt) {
  const std::string path = std::string(testing::TempDir()) + "/stored.gz";
  for (const size_t bytes : {0, 1, 65536, 200000}) {
    std::ofstream(path, std::ios::binary) << GzipStored(SomeText(bytes));
    const ProcessResult result =
        RunProcess({.arguments = {"gzip", "-dc", path}});
    EXPECT_TRUE(result.ok()) << result.Describe() << result.errors;
    EXPECT_EQ(result.output, SomeText(bytes));
  }
}

TEST(GzipTest, NoDamageGoesUnnoticed) {
  const std::string file = GzipStored(SomeText(100));
  for (size_t i = 0; i < file.size(); ++i) {
    EXPECT_FALSE(GunzipStored(file.substr(0, i)).ok()) << i;
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(GunzipStored(damaged).ok()) << i;
  }
}

}  // namespace
}  // namespace hakmem::tools
