// The counters match what the program holds, in every form in which they can be
// read.
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Every number in hakmem_stats_t, by name.
struct Field {
  const char* name;
  uint64_t hakmem_stats_t::*member;
};
#define FIELD(name) \
  { #name, &hakmem_stats_t::name }
const Field kFields[] = {
    FIELD(live_bytes),
    FIELD(cached_bytes),
    FIELD(committed_bytes),
    FIELD(reserved_bytes),
    FIELD(metadata_bytes),
    FIELD(slab_live_bytes),
    FIELD(slab_committed_bytes),
    FIELD(span_live_bytes),
    FIELD(large_live_bytes),
    FIELD(chunks),
    FIELD(slabs),
    FIELD(threads),
    FIELD(refills),
    FIELD(refilled_blocks),
    FIELD(drains),
    FIELD(drained_blocks),
    FIELD(remote_frees),
    FIELD(purges),
    FIELD(purged_bytes),
    FIELD(map_calls),
    FIELD(map_failures),
    FIELD(mid_live_bytes),
    FIELD(ace_cached_bytes),
    FIELD(large_cached_bytes),
    FIELD(ace_limit_bytes),
    FIELD(ace_span_classes),
    FIELD(ace_classes_begun),
    FIELD(ace_classes_retired),
    FIELD(bins_grown),
    FIELD(bins_emptied),
    FIELD(failures_threshold),
    FIELD(failures_exhaustion),
    FIELD(failures_mapfail),
    FIELD(failures_forgotten),
    FIELD(routings),
    FIELD(guarded_sampled),
    FIELD(guarded_live),
    FIELD(guarded_live_bytes),
};
#undef FIELD
static_assert(sizeof(hakmem_stats_t) ==
                  sizeof(const char*) + std::size(kFields) * sizeof(uint64_t),
              "kFields lacks a field of hakmem_stats_t");

std::string StatsJson() {
  std::string text(Hakmem().stats_json(nullptr, 0) + 1, '?');
  // Numbers may have grown in the meantime, because of the string above.
  text.resize(text.size() + 200);
  const size_t length = Hakmem().stats_json(text.data(), text.size());
  EXPECT_LT(length, text.size());
  text.resize(length);
  return text;
}

TEST(StatisticsTest, LiveBytesAreTheUsableSizesOfWhatIsHeld) {
  std::mt19937_64 random(1);
  std::vector<void*> blocks(20000);
  const uint64_t before = Stats().live_bytes;
  uint64_t held = 0;
  for (void*& block : blocks) {
    block = malloc(AnySize(random) / 4);
    held += malloc_usable_size(block);
    ASSERT_EQ(Stats().live_bytes, before + held);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) {
    held -= malloc_usable_size(blocks[i]);
    free(blocks[i]);
    ASSERT_EQ(Stats().live_bytes, before + held);
  }
  for (size_t i = 1; i < blocks.size(); i += 2) free(blocks[i]);
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(StatisticsTest, LiveBytesFollowReallocAndCalloc) {
  const uint64_t before = Stats().live_bytes;
  void* block = calloc(1, 10);
  for (const size_t size :
       {100u, 5000u, 100000u, 5000000u, 50000000u, 3000000u, 70000u, 20u}) {
    block = realloc(block, size);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(Stats().live_bytes, before + malloc_usable_size(block)) << size;
  }
  free(block);
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(StatisticsTest, LiveBytesAreSplitByKind) {
  const hakmem_stats_t before = Stats();
  void* small = malloc(100);
  const hakmem_stats_t with_small = Stats();
  EXPECT_GE(with_small.slab_live_bytes, before.slab_live_bytes + 100);
  EXPECT_EQ(with_small.span_live_bytes, before.span_live_bytes);
  EXPECT_EQ(with_small.large_live_bytes, before.large_live_bytes);
  void* mid = malloc(20000);
  const hakmem_stats_t with_mid = Stats();
  EXPECT_GE(with_mid.mid_live_bytes, before.mid_live_bytes + 20000);
  EXPECT_EQ(with_mid.slab_live_bytes, with_small.slab_live_bytes);
  EXPECT_EQ(with_mid.span_live_bytes, before.span_live_bytes);
  void* span = malloc(100000);
  const hakmem_stats_t with_span = Stats();
  EXPECT_EQ(with_span.slab_live_bytes, with_small.slab_live_bytes);
  EXPECT_GE(with_span.span_live_bytes, before.span_live_bytes + 100000);
  EXPECT_EQ(with_span.large_live_bytes, before.large_live_bytes);
  void* large = malloc(50000000);
  const hakmem_stats_t with_large = Stats();
  EXPECT_EQ(with_large.slab_live_bytes, with_small.slab_live_bytes);
  EXPECT_EQ(with_large.span_live_bytes, with_span.span_live_bytes);
  EXPECT_GE(with_large.large_live_bytes, before.large_live_bytes + 50000000);
  EXPECT_EQ(with_large.live_bytes,
            with_large.slab_live_bytes + with_large.mid_live_bytes +
                with_large.span_live_bytes + with_large.large_live_bytes);
  free(small);
  free(mid);
  free(span);
  free(large);
}

TEST(StatisticsTest, OtherThreadsBlocksAreCounted) {
  WarmUpThreads(1);
  std::vector<void*> blocks(10000);
  const uint64_t before = Stats().live_bytes;
  uint64_t held = 0;
  std::thread([&] {
    for (void*& block : blocks) {
      block = malloc(200);
      held += malloc_usable_size(block);
    }
  }).join();
  EXPECT_EQ(Stats().live_bytes, before + held);
  std::thread([&] {
    for (void* block : blocks) free(block);
  }).join();
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(StatisticsTest, WhatAnotherThreadFreedIsLiveNoMore) {
  // Whether or not its owner has reclaimed it yet.
  WarmUpThreads(1);
  std::vector<void*> blocks(10000);
  const uint64_t before = Stats().live_bytes;
  for (void*& block : blocks) block = malloc(200);
  std::thread([&] {
    for (void* block : blocks) free(block);
  }).join();
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(StatisticsTest, TheSumsFitTogether) {
  std::mt19937_64 random(2);
  std::vector<void*> blocks(20000);
  for (void*& block : blocks) {
    const size_t size = AnySize(random);
    block = malloc(size);
    Fill(block, size, 1);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) free(blocks[i]);
  const hakmem_stats_t stats = Stats();
  EXPECT_GE(stats.committed_bytes, stats.live_bytes);
  EXPECT_GE(stats.reserved_bytes, stats.committed_bytes);
  EXPECT_GE(stats.committed_bytes, stats.slab_committed_bytes);
  EXPECT_GE(stats.slab_committed_bytes, stats.slab_live_bytes);
  EXPECT_GE(stats.threads, 1u);
  EXPECT_GE(stats.chunks, 1u);
  EXPECT_GE(stats.slabs, 1u);
  EXPECT_GT(stats.metadata_bytes, 0u);
  EXPECT_GE(stats.refilled_blocks, stats.refills);
  EXPECT_GE(stats.drained_blocks, stats.drains);
  EXPECT_GE(stats.drained_blocks, stats.remote_frees);
  EXPECT_GT(stats.map_calls, stats.map_failures);
  for (size_t i = 1; i < blocks.size(); i += 2) free(blocks[i]);
}

TEST(StatisticsTest, EventsAreCounted) {
  const hakmem_stats_t before = Stats();
  std::vector<void*> blocks(50000);
  std::thread([&] {
    for (void*& block : blocks) block = malloc(64);
  }).join();
  for (void* block : blocks) free(block);
  void* large = malloc(64 * kMiB);
  memset(large, 1, 64 * kMiB);
  free(large);
  Hakmem().collect();
  const hakmem_stats_t after = Stats();
  EXPECT_GE(after.refilled_blocks, before.refilled_blocks + 50000);
  EXPECT_GT(after.refills, before.refills);
  EXPECT_GT(after.drains, before.drains);
  EXPECT_GE(after.drained_blocks, before.drained_blocks + 50000);
  EXPECT_GT(after.purges, before.purges);
  EXPECT_GT(after.purged_bytes, before.purged_bytes);
  EXPECT_GT(after.map_calls, before.map_calls);
}

// Bytes that libc's own malloc holds from the system, whoever stands before it.
size_t LibcMallocBytes() {
  // By libc's own handle: the plain name finds the allocator's.
  void* const libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
  if (libc == nullptr) return SIZE_MAX;
  const auto info =
      reinterpret_cast<struct mallinfo2 (*)()>(dlsym(libc, "mallinfo2"));
  dlclose(libc);
  if (info == nullptr) return SIZE_MAX;
  const struct mallinfo2 held = info();
  return held.arena + held.hblkhd;
}

// Every kind of request, also such that are refused.
void AskForEverything() {
  for (const size_t size :
       {size_t{1}, size_t{100}, 4 * kKiB, 40 * kKiB, 400 * kKiB, 4 * kMiB}) {
    for (const size_t alignment : {size_t{16}, 4 * kKiB, 4 * kMiB}) {
      void* block = memalign(alignment, size);
      EXPECT_NE(block, nullptr);
      block = realloc(block, 3 * size);
      EXPECT_NE(block, nullptr);
      memset(block, 1, 3 * size);
      free(block);
    }
    void* block = calloc(size, 2);
    EXPECT_NE(block, nullptr);
    free(block);
  }
  EXPECT_EQ(malloc(Opaque(size_t{1} << 63)), nullptr);
  EXPECT_EQ(malloc(Opaque(size_t{1} << 60)), nullptr);
  EXPECT_EQ(calloc(Opaque(size_t{1} << 40), 1 << 20), nullptr);
}

TEST(StatisticsTest, LibcsOwnMallocHoldsNothing) {
  AskForEverything();
  for (int i = 0; i < 4; ++i) std::thread(AskForEverything).join();
  EXPECT_EQ(LibcMallocBytes(), 0u);
  const ChildResult child = RunForked([] {
    LimitAddressSpace(64 * kMiB);
    BlockChain blocks;
    while (void* block = malloc(40 * kKiB)) blocks.Push(block);
    while (void* block = malloc(100)) blocks.Push(block);
    EXPECT_EQ(LibcMallocBytes(), 0u);
    while (void* block = blocks.Pop()) free(block);
    AskForEverything();
    EXPECT_EQ(LibcMallocBytes(), 0u);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(StatisticsTest, NoWayOfReadingThemAllocates) {
  char json[4096];
  hakmem_option_t option;
  const uint64_t before = Stats().live_bytes;
  for (int i = 0; i < 10; ++i) {
    Hakmem().stats_json(json, sizeof(json));
    Hakmem().version();
    Hakmem().option(0, &option);
    const struct mallinfo2 information = mallinfo2();
    EXPECT_EQ(information.uordblks, before);
  }
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(StatisticsTest, AShorterStructIsFilledAsFarAsItGoes) {
  hakmem_stats_t stats;
  memset(&stats, 0x5a, sizeof(stats));
  const size_t size = offsetof(hakmem_stats_t, cached_bytes);
  EXPECT_EQ(Hakmem().stats(&stats, size), size);
  EXPECT_EQ(stats.backend, ExpectedBackend());
  EXPECT_EQ(stats.cached_bytes, 0x5a5a5a5a5a5a5a5au);
  EXPECT_EQ(Hakmem().stats(&stats, 0), 0u);

  // A program built with a later header requests more than there is.
  struct {
    hakmem_stats_t known;
    uint64_t unknown;
  } larger;
  memset(&larger, 0x5a, sizeof(larger));
  EXPECT_EQ(Hakmem().stats(&larger.known, sizeof(larger)),
            sizeof(hakmem_stats_t));
  EXPECT_EQ(larger.unknown, 0x5a5a5a5a5a5a5a5au);
}

TEST(StatisticsTest, JsonAgreesWithTheStruct) {
  const std::string text = StatsJson();
  const hakmem_stats_t stats = Stats();
  const nlohmann::json values = nlohmann::json::parse(text);
  EXPECT_EQ(values["format"], 1);
  EXPECT_EQ(values["backend"], ExpectedBackend());
  EXPECT_EQ(values["version"].get<std::string>() + " (" +
                values["backend"].get<std::string>() + ", ace " +
                values["ace"].get<std::string>() + ", hardening " +
                values["hardening"].get<std::string>() + ", tracing " +
                (values["tracing"].get<bool>() ? "on)" : "off)"),
            Hakmem().version());
  // One member each: none is named twice, and none is of something else.
  EXPECT_EQ(values.size(), std::size(kFields) + 6);
  for (const Field& field : kFields) {
    ASSERT_TRUE(values.contains(field.name)) << field.name << " in " << text;
    const auto value = values[field.name].get<uint64_t>();
    // The text itself is a live block in only one of them.
    if (std::string(field.name).find("bytes") == std::string::npos) {
      EXPECT_EQ(value, stats.*field.member) << field.name;
    } else {
      EXPECT_NEAR(static_cast<double>(value),
                  static_cast<double>(stats.*field.member), 64 * kKiB)
          << field.name;
    }
  }
}

TEST(StatisticsTest, JsonIsCutAndTerminatedInASmallBuffer) {
  char whole[8192];
  const size_t length = Hakmem().stats_json(whole, sizeof(whole));
  ASSERT_LT(length, sizeof(whole));
  EXPECT_EQ(strlen(whole), length);
  for (const size_t capacity :
       {size_t{1}, size_t{2}, size_t{10}, length, length + 1, length + 2}) {
    char part[8192];
    memset(part, '?', sizeof(part));
    EXPECT_EQ(Hakmem().stats_json(part, capacity), length);
    EXPECT_EQ(strlen(part), std::min(capacity - 1, length));
    EXPECT_EQ(strncmp(part, whole, capacity - 1), 0);
    EXPECT_EQ(part[capacity], '?');
  }
  EXPECT_EQ(Hakmem().stats_json(nullptr, 0), length);
}

// --- glibc's statistics functions ------------------------------------------

TEST(StatisticsTest, MallinfoTellsLiveBytes) {
  std::vector<void*> blocks;
  blocks.reserve(1000);
  const size_t before = mallinfo2().uordblks;
  EXPECT_EQ(before, Stats().live_bytes);
  for (int i = 0; i < 1000; ++i) blocks.push_back(malloc(5000));
  EXPECT_GE(mallinfo2().uordblks, before + 5000000);
  EXPECT_EQ(mallinfo2().uordblks, Stats().live_bytes);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  EXPECT_EQ(static_cast<size_t>(mallinfo().uordblks), Stats().live_bytes);
#pragma GCC diagnostic pop
  for (void* block : blocks) free(block);
  EXPECT_EQ(mallinfo2().uordblks, before);
}

TEST(StatisticsTest, MallocInfoWritesXml) {
  char* text = nullptr;
  size_t size = 0;
  FILE* file = open_memstream(&text, &size);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(malloc_info(0, file), 0);
  fclose(file);
  const std::string xml(text, size);
  free(text);
  EXPECT_EQ(xml.rfind("<malloc", 0), 0u) << xml;
  EXPECT_NE(xml.find("</malloc>"), std::string::npos) << xml;
  // No options are defined.
  EXPECT_NE(malloc_info(1, stderr), 0);
}

TEST(StatisticsTest, MallocStatsWritesToStderr) {
  const ChildResult child = RunForked([] { malloc_stats(); });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_NE(child.err.find(ExpectedBackend()), std::string::npos) << child.err;
}

}  // namespace
}  // namespace hakmem_test
