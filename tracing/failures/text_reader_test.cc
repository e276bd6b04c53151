#include "tracing/failures/text_reader.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tracing/failures/fake_system_test_helper.h"

namespace hakmem {
namespace {

class TextReaderTest : public testing::Test {
 protected:
  std::vector<std::pair<std::string, uint64_t>> Fields(
      const std::string& contents) {
    system_.Write("/file", contents);
    TextReader file(system_.root(), "/file");
    std::vector<std::pair<std::string, uint64_t>> fields;
    char key[16];
    uint64_t value;
    while (file.NextField(key, sizeof(key), &value)) {
      fields.emplace_back(key, value);
    }
    return fields;
  }

  FakeSystem system_;
};

using Pairs = std::vector<std::pair<std::string, uint64_t>>;

TEST_F(TextReaderTest, ReadsFields) {
  EXPECT_EQ(Fields("VmSize:\t    1234 kB\nVmData:  5 kB\n"),
            (Pairs{{"VmSize", 1234}, {"VmData", 5}}));
  EXPECT_EQ(Fields("anon 17\nfile 18"), (Pairs{{"anon", 17}, {"file", 18}}));
}

TEST_F(TextReaderTest, LeavesOutLinesWithoutANumber) {
  EXPECT_EQ(Fields("Name: x\n\nGroups:\nState:\nThreads: 3\nempty"),
            (Pairs{{"Threads", 3}}));
}

TEST_F(TextReaderTest, CutsLongKeys) {
  EXPECT_EQ(Fields("abcdefghijklmnopqrstuvwxyz: 7\nb: 8\n"),
            (Pairs{{"abcdefghijklmno", 7}, {"b", 8}}));
}

TEST_F(TextReaderTest, AFileThatIsCutShortGivesWhatThereIs) {
  EXPECT_EQ(Fields("a: 1\nb:"), (Pairs{{"a", 1}}));
  EXPECT_EQ(Fields("a: 1\nb"), (Pairs{{"a", 1}}));
  EXPECT_EQ(Fields(""), Pairs{});
}

TEST_F(TextReaderTest, ReadsFilesLargerThanItsBuffer) {
  std::string contents;
  for (int i = 0; i < 5000; ++i) {
    contents += "7f0000000000-7f0000001000 rw-p " + std::to_string(i) + "\n";
  }
  system_.Write("/file", contents + "last: 9\n");
  TextReader file(system_.root(), "/file");
  int lines = 0;
  while (file.SkipLine()) ++lines;
  EXPECT_EQ(lines, 5001);
  uint64_t value = 0;
  EXPECT_TRUE(ReadField(system_.root(), "/fi", "le", "last", &value));
  EXPECT_EQ(value, 9u);
}

TEST_F(TextReaderTest, ReadsTheNumberAFileBeginsWith) {
  uint64_t value = 0;
  system_.Write("/a", "65530\n");
  EXPECT_TRUE(ReadNumber(system_.root(), "/a", "", &value));
  EXPECT_EQ(value, 65530u);
  for (const char* text : {"max\n", "", "-1\n", "99999999999999999999999\n"}) {
    system_.Write("/a", text);
    EXPECT_FALSE(ReadNumber(system_.root(), "/a", "", &value)) << text;
  }
  EXPECT_EQ(value, 65530u);
}

TEST_F(TextReaderTest, MissingAndUnreadableFilesAreEmpty) {
  system_.MakeUnreadable("/folder");
  const std::string too_long(TextReader::kPathBytes, 'x');
  for (const std::string& path :
       {std::string("/none"), std::string("/folder"), "/" + too_long}) {
    TextReader file(system_.root(), path.c_str());
    EXPECT_EQ(file.Next(), TextReader::kEnd);
    EXPECT_FALSE(file.SkipLine());
    uint64_t value;
    EXPECT_FALSE(file.NextNumber(&value));
  }
}

}  // namespace
}  // namespace hakmem
