#include "tracing/profile/live_table.h"

#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "gtest/gtest.h"

namespace hakmem {
namespace {

StackTrace StackOf(uintptr_t innermost, size_t count = 3) {
  StackTrace stack = {};
  stack.count = count;
  for (size_t i = 0; i < count; ++i) stack.frames[i] = innermost + i * 16;
  return stack;
}

std::unique_ptr<LiveTable> MakeTable() { return std::make_unique<LiveTable>(); }

constexpr SampleWeight kTen = {10 * SampleWeight::kUnitsPerBlock, 1000};

TEST(LiveTableTest, AStackHasOneSite) {
  const auto table = MakeTable();
  const LiveTable::Index site = table->SiteOf(StackOf(100));
  EXPECT_NE(site, 0u);
  EXPECT_EQ(table->SiteOf(StackOf(100)), site);
  EXPECT_NE(table->SiteOf(StackOf(101)), site);
  EXPECT_NE(table->SiteOf(StackOf(100, 2)), site);
  EXPECT_EQ(table->StackOf(site).frames[1], 116u);
  EXPECT_EQ(table->SiteCount(), 4u);
}

TEST(LiveTableTest, LiveFollowsFreesAndAllocatedDoesNot) {
  const auto table = MakeTable();
  const LiveTable::Index site = table->SiteOf(StackOf(100));
  table->Add(0x1000, 100, kTen, site);
  table->Add(0x2000, 100, kTen, site);
  EXPECT_EQ(table->TotalsOf(site).live.bytes, 2000u);
  EXPECT_EQ(table->Find(0x1000)->usable, 100u);
  LiveTable::Sample removed;
  EXPECT_TRUE(table->Remove(0x1000, &removed));
  EXPECT_EQ(removed.weight.bytes, 1000u);
  EXPECT_FALSE(table->Remove(0x1000, &removed));
  EXPECT_FALSE(table->Remove(0x3000, &removed));
  EXPECT_EQ(table->Find(0x1000), nullptr);
  EXPECT_EQ(table->TotalsOf(site).live.bytes, 1000u);
  EXPECT_EQ(table->TotalsOf(site).live.count(), 10u);
  EXPECT_EQ(table->all().allocated.bytes, 2000u);
  EXPECT_EQ(table->all().allocated.count(), 20u);
}

TEST(LiveTableTest, WhatIsRestoredWasNotAllocatedAgain) {
  const auto table = MakeTable();
  const LiveTable::Index site = table->SiteOf(StackOf(100));
  table->Add(0x1000, 100, kTen, site);
  LiveTable::Sample removed;
  ASSERT_TRUE(table->Remove(0x1000, &removed));
  table->Restore(removed);
  EXPECT_EQ(table->Find(0x1000)->usable, 100u);
  EXPECT_EQ(table->all().live.bytes, 1000u);
  EXPECT_EQ(table->all().allocated.bytes, 1000u);
}

TEST(LiveTableTest, ABlockAtTheSameAddressTakesThePlace) {
  const auto table = MakeTable();
  const LiveTable::Index one = table->SiteOf(StackOf(100));
  const LiveTable::Index other = table->SiteOf(StackOf(200));
  table->Add(0x1000, 0, kTen, one);
  table->Add(0x1000, 0, kTen, other);
  EXPECT_EQ(table->TotalsOf(one).live.bytes, 0u);
  EXPECT_EQ(table->TotalsOf(other).live.bytes, 1000u);
  EXPECT_EQ(table->all().live.bytes, 1000u);
}

TEST(LiveTableTest, ThePeakIsWhatWasLiveThen) {
  const auto table = MakeTable();
  const LiveTable::Index one = table->SiteOf(StackOf(100));
  const LiveTable::Index other = table->SiteOf(StackOf(200));
  table->Add(0x1000, 0, kTen, one);
  table->Add(0x2000, 0, kTen, other);
  LiveTable::Sample removed;
  ASSERT_TRUE(table->Remove(0x1000, &removed));
  table->Add(0x3000, 0, {256, 999}, other);
  EXPECT_EQ(table->all().peak.bytes, 2000u);
  EXPECT_EQ(table->TotalsOf(one).peak.bytes, 1000u);
  EXPECT_EQ(table->TotalsOf(other).peak.bytes, 1000u);
  // Within 1 %: noted when somebody asks.
  table->Add(0x4000, 0, {256, 10}, other);
  EXPECT_EQ(table->all().peak.bytes, 2000u);
  table->NotePeak();
  EXPECT_EQ(table->all().peak.bytes, 2009u);
  EXPECT_EQ(table->TotalsOf(one).peak.bytes, 0u);
}

TEST(LiveTableTest, FullTables) {
  const auto table = MakeTable();
  for (LiveTable::Index i = 0; i < LiveTable::kMaxSites + 10; ++i) {
    const LiveTable::Index site = table->SiteOf(StackOf(1 + i * 64));
    EXPECT_EQ(site == 0, i >= LiveTable::kMaxSites - 1) << i;
  }
  LiveTable::Index added = 0;
  for (; table->HasRoom(); ++added) {
    table->Add(0x1000 * (added + 1), 0, kTen, 0);
  }
  EXPECT_EQ(added, LiveTable::kMaxSamples - 1);
  table->Drop(kTen);
  EXPECT_EQ(table->dropped().count(), 10u);
  LiveTable::Sample removed;
  EXPECT_TRUE(table->Remove(0x1000, &removed));
  EXPECT_TRUE(table->HasRoom());
}

// Against a map, with addresses that share heads.
TEST(LiveTableTest, AgreesWithAMapOverRandomOperations) {
  const auto table = MakeTable();
  std::unordered_map<uintptr_t, uint64_t> model;
  std::mt19937_64 random(1);
  uint64_t live = 0;
  for (int i = 0; i < 1000000; ++i) {
    const uintptr_t address = 0x1000 * (1 + random() % 200000);
    if (random() % 2 == 0) {
      const uint64_t bytes = 1 + random() % 1000;
      live += bytes - model[address];
      model[address] = bytes;
      table->Add(address, 0, {256, bytes}, table->SiteOf(StackOf(address % 7)));
    } else {
      LiveTable::Sample removed;
      const auto at = model.find(address);
      ASSERT_EQ(table->Remove(address, &removed), at != model.end());
      if (at == model.end()) continue;
      ASSERT_EQ(removed.weight.bytes, at->second);
      live -= at->second;
      model.erase(at);
    }
    ASSERT_EQ(table->all().live.bytes, live);
  }
  for (const auto& [address, bytes] : model) {
    ASSERT_TRUE(table->MayHold(address));
    ASSERT_EQ(table->Find(address)->weight.bytes, bytes);
  }
}

TEST(SampleWeightTest, StandsForTheInverseOfItsProbability) {
  EXPECT_EQ(SampleWeight::Of(64 << 20, 1024).count(), 1u);
  EXPECT_EQ(SampleWeight::Of(64 << 20, 1024).bytes, uint64_t{64} << 20);
  const SampleWeight small = SampleWeight::Of(8, 524288);
  EXPECT_NEAR(static_cast<double>(small.bytes), 524288 + 4, 1);
  EXPECT_EQ(small.count(), 65537u);  // 65536.5
  EXPECT_NEAR(static_cast<double>(SampleWeight::Of(1000, 1000).bytes), 1581.98,
              0.5);
}

}  // namespace
}  // namespace hakmem
