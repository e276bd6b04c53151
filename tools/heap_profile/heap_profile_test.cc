// From the library's text to the views, and through pprof's format.
#include "tools/heap_profile/heap_profile.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/heap_profile/pprof_format.h"
#include "tools/heap_profile/profile_views.h"
#include "tools/heap_profile/raw_profile.h"
#include "tools/heap_profile/symbolize.h"

namespace hakmem::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kText[] =
    "hakmem heap profile 1\n"
    "pid 12\n"
    "rate 524288\n"
    "live 3 300\n"
    "dropped 1 7\n"
    "site 1 100 2 250 3 300 0x401010 0x7f0020\n"
    "site 2 200 2 200 4 400 0x402010 0x999\n"
    "map 0x401000 0x403000 0x1000 abcd /opt/a program\n"
    "map 0x7f0000 0x7f1000 0x0 - /lib/b.so\n"
    "end\n";

// The same program elsewhere in memory.
constexpr char kOther[] =
    "hakmem heap profile 1\n"
    "rate 524288\n"
    "dropped 0 0\n"
    "site 10 1000 10 1000 10 1000 0x501010 0x8f0020\n"
    "map 0x501000 0x503000 0x1000 abcd /opt/a program\n"
    "map 0x8f0000 0x8f1000 0x0 - /lib/b.so\n"
    "end\n";

HeapProfile Read() {
  ProfileMerger merger;
  EXPECT_TRUE(merger.Add(kText).ok());
  return merger.profile();
}

TEST(RawProfileTest, EveryLineIsRead) {
  const HeapProfile profile = Read();
  EXPECT_EQ(profile.rate, 524288u);
  EXPECT_EQ(profile.dropped.bytes, 7);
  ASSERT_THAT(profile.modules, SizeIs(2));
  EXPECT_EQ(profile.modules[0].path, "/opt/a program");
  EXPECT_EQ(profile.modules[0].build_id, "abcd");
  EXPECT_EQ(profile.modules[1].build_id, "");
  ASSERT_THAT(profile.sites, SizeIs(2));
  EXPECT_EQ(profile.sites[0].values.live.bytes, 100);
  EXPECT_EQ(profile.sites[0].values.peak.bytes, 250);
  EXPECT_EQ(profile.sites[0].values.allocated.count, 3);
  const Location& first = profile.locations[profile.sites[0].locations[0]];
  EXPECT_EQ(first.module, 0u);
  EXPECT_EQ(first.offset, 0x1010u);
  EXPECT_EQ(profile.locations[profile.sites[1].locations[1]].module, kNoModule);
}

TEST(RawProfileTest, ProcessesAreMergedByPlacesInFiles) {
  ProfileMerger merger;
  ASSERT_TRUE(merger.Add(kText).ok());
  ASSERT_TRUE(merger.Add(kOther).ok());
  ASSERT_THAT(merger.profile().sites, SizeIs(2));
  EXPECT_EQ(merger.profile().sites[0].values.live.bytes, 1100);
}

TEST(RawProfileTest, BadTextsAreRefusedAndAddNothing) {
  std::string cut(kText);
  cut.resize(cut.size() - 5);
  std::string damaged(kText);
  damaged.replace(damaged.find("0x402010"), 8, "nonsense");
  for (const std::string& bad :
       {std::string(), std::string("hakmem heap profile 2\nend\n"),
        std::string("\x7f"
                    "ELF"),
        cut, damaged}) {
    ProfileMerger merger;
    const absl::Status status = merger.Add(bad);
    EXPECT_FALSE(status.ok()) << bad;
    EXPECT_EQ(status.message().find('\n'), std::string::npos);
    EXPECT_THAT(merger.profile().sites, SizeIs(0));
  }
}

HeapProfile Named() {
  HeapProfile profile = Read();
  int number = 0;
  for (Location& location : profile.locations) {
    location.lines = {{"f" + std::to_string(number++), "shop.cc", 12}};
  }
  return profile;
}

TEST(PprofFormatTest, NothingIsLost) {
  const HeapProfile profile = Named();
  const auto read = FromPprof(ToPprof(profile, 1));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rate, profile.rate);
  EXPECT_EQ(read->modules[0].build_id, "abcd");
  HeapProfile expected = profile;
  expected.dropped = {};  // the format has no place for it
  EXPECT_EQ(ProfileTable(*read, 10), ProfileTable(expected, 10));
  EXPECT_EQ(ProfileJson(*read), ProfileJson(expected));
  EXPECT_EQ(read->sites[1].values.allocated.count, 4);
}

TEST(PprofFormatTest, WhatIsNoProfileIsRefused) {
  EXPECT_FALSE(FromPprof("").ok());
  EXPECT_FALSE(FromPprof("no profile").ok());
}

TEST(ProfileViewsTest, TheTableNamesWhoHoldsMost) {
  const std::string table = ProfileTable(Named(), 1);
  EXPECT_THAT(table, HasSubstr("in total, 2 sites"));
  EXPECT_THAT(table, HasSubstr("f0 (shop.cc:12) < f1"));
  EXPECT_THAT(table, testing::Not(HasSubstr("f2")));
  EXPECT_THAT(table, HasSubstr("Not in it: 1 blocks of 7 bytes"));
}

TEST(ProfileViewsTest, Json) {
  const std::string json = ProfileJson(Named());
  EXPECT_THAT(json, HasSubstr("\"function\": \"f0\""));
  EXPECT_THAT(json, HasSubstr("\"module\": \"/opt/a program\""));
}

TEST(ProfileViewsTest, ADifferenceIsWhatHasChanged) {
  HeapProfile after = Named();
  after.sites[0].values.live = {3, 250};
  const HeapProfile difference = ProfileDifference(Named(), after);
  ASSERT_THAT(difference.sites, SizeIs(1));
  EXPECT_EQ(difference.sites[0].values.live.bytes, 150);
  EXPECT_EQ(difference.sites[0].values.peak.bytes, 0);
  const HeapProfile back = ProfileDifference(after, Named());
  EXPECT_THAT(ProfileTable(back, 5), HasSubstr("-150 bytes"));
}

TEST(SymbolizeTest, OutputOfAddr2line) {
  const auto answers = ParseAddr2line(
      "0x0000000000001136\ninlined\n/src/a.c:3 (discriminator 2)\n"
      "outer(int)\n/src/a.c:9\n0x0000000000002000\n??\n??:0\n",
      3);
  ASSERT_THAT(answers, SizeIs(3));
  ASSERT_THAT(answers[0], SizeIs(2));
  EXPECT_EQ(answers[0][0].function, "inlined");
  EXPECT_EQ(answers[0][0].file, "/src/a.c");
  EXPECT_EQ(answers[0][0].line, 3);
  EXPECT_EQ(answers[0][1].function, "outer(int)");
  EXPECT_THAT(answers[1], SizeIs(0));
  EXPECT_THAT(answers[2], SizeIs(0));
}

}  // namespace
}  // namespace hakmem::tools
