// The counters match what the program holds, in every form in which they can be
// read.
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
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
const Field kFields[] = {
#define HAKMEM_STATISTIC(name, type, doc) {#name, &hakmem_stats_t::name},
#include "hakmem/statistics.def"
#undef HAKMEM_STATISTIC
};
static_assert(sizeof(hakmem_stats_t) ==
                  sizeof(const char*) + std::size(kFields) * sizeof(uint64_t),
              "statistics.def lacks a field of hakmem_stats_t");

std::string StatsJson() {
  std::string text(Hakmem().stats_json(nullptr, 0) + 1, '?');
  // There may be more in the meantime, because of the string above.
  text.resize(text.size() + 2000);
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
  EXPECT_EQ(values.size(), std::size(kFields) + 8);
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
  static char whole[1 << 16];
  const size_t length = Hakmem().stats_json(whole, sizeof(whole));
  ASSERT_LT(length, sizeof(whole));
  EXPECT_EQ(strlen(whole), length);
  for (const size_t capacity :
       {size_t{1}, size_t{2}, size_t{10}, length, length + 1, length + 2}) {
    static char part[1 << 16];
    memset(part, '?', sizeof(part));
    EXPECT_EQ(Hakmem().stats_json(part, capacity), length);
    EXPECT_EQ(strlen(part), std::min(capacity - 1, length));
    EXPECT_EQ(strncmp(part, whole, capacity - 1), 0);
    EXPECT_EQ(part[capacity], '?');
  }
  EXPECT_EQ(Hakmem().stats_json(nullptr, 0), length);
}

// --- Of classes and threads --------------------------------------------------

std::vector<hakmem_class_stats_t> Classes() {
  std::vector<hakmem_class_stats_t> classes(256);
  classes.resize(
      Hakmem().class_stats(classes.data(), classes.size(), sizeof(classes[0])));
  return classes;
}

// The class that blocks of `bytes` are of.
hakmem_class_stats_t ClassOfSize(size_t bytes) {
  for (const hakmem_class_stats_t& c : Classes()) {
    if (c.block_bytes >= bytes) return c;
  }
  return {};
}

TEST(StatisticsTest, AClassCountsItsBlocks) {
  std::vector<void*> blocks(3000);
  for (void*& block : blocks) block = malloc(1000);
  const hakmem_class_stats_t before = ClassOfSize(1000);
  EXPECT_EQ(before.block_bytes, malloc_usable_size(blocks[0]));
  EXPECT_GE(before.live_blocks, blocks.size());
  for (void*& block : blocks) memset(block, 1, 1000);
  // A block of every fourth is left, so no slab is.
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 4 != 0) free(blocks[i]);
  }
  const hakmem_class_stats_t after = ClassOfSize(1000);
  EXPECT_EQ(after.live_blocks, before.live_blocks - blocks.size() * 3 / 4);
  EXPECT_EQ(after.slabs, before.slabs);
  EXPECT_GE(after.cached_blocks + after.free_blocks,
            before.cached_blocks + before.free_blocks + blocks.size() * 3 / 4);
  EXPECT_GE(after.committed_bytes, after.live_blocks * after.block_bytes);
  EXPECT_LE(after.committed_bytes, after.slabs * 64 * kKiB);
  for (size_t i = 0; i < blocks.size(); i += 4) free(blocks[i]);
}

TEST(StatisticsTest, ClassesAddUpToTheSums) {
  std::mt19937_64 random(3);
  std::vector<void*> blocks(10000);
  for (void*& block : blocks) block = malloc(AnySize(random) / 8);
  for (size_t i = 0; i < blocks.size(); i += 2) free(blocks[i]);
  const hakmem_stats_t sums = Stats();
  uint64_t slabs = 0;
  uint64_t tiny = 0;
  uint64_t mid = 0;
  uint64_t last = 0;
  for (const hakmem_class_stats_t& c : Classes()) {
    EXPECT_GT(c.block_bytes, last);
    last = c.block_bytes;
    slabs += c.block_bytes <= 2 * kKiB ? c.slabs : 0;
    (c.block_bytes <= 2 * kKiB ? tiny : mid) += c.live_blocks * c.block_bytes;
  }
  EXPECT_EQ(slabs, sums.slabs);
  // The array of classes is a block as well.
  EXPECT_NEAR(static_cast<double>(tiny),
              static_cast<double>(sums.slab_live_bytes), 64 * kKiB);
  EXPECT_NEAR(static_cast<double>(mid),
              static_cast<double>(sums.mid_live_bytes), 64 * kKiB);
  for (size_t i = 1; i < blocks.size(); i += 2) free(blocks[i]);
}

TEST(StatisticsTest, AnArrayOfOtherElementsIsFilledAsFarAsItGoes) {
  struct Larger {
    hakmem_class_stats_t known;
    uint64_t unknown;
  };
  free(malloc(100));
  Larger larger[2];
  memset(larger, 0x5a, sizeof(larger));
  const size_t count =
      Hakmem().class_stats(&larger[0].known, 1, sizeof(Larger));
  EXPECT_GE(count, 1u);
  EXPECT_NE(larger[0].known.block_bytes, 0x5a5a5a5a5a5a5a5au);
  EXPECT_EQ(larger[0].unknown, 0x5a5a5a5a5a5a5a5au);
  EXPECT_EQ(larger[1].known.block_bytes, 0x5a5a5a5a5a5a5a5au);
  uint64_t shorter[2];
  memset(shorter, 0x5a, sizeof(shorter));
  Hakmem().class_stats(reinterpret_cast<hakmem_class_stats_t*>(shorter), 1,
                       sizeof(shorter[0]));
  EXPECT_EQ(shorter[0], larger[0].known.block_bytes);
  EXPECT_EQ(shorter[1], 0x5a5a5a5a5a5a5a5au);
  EXPECT_EQ(Hakmem().class_stats(nullptr, 0, sizeof(Larger)), count);
}

// What this thread's cache holds.
uint64_t CachedHere() {
  hakmem_thread_stats_t threads[256];
  const size_t count =
      Hakmem().thread_stats(threads, std::size(threads), sizeof(threads[0]));
  for (size_t i = 0; i < std::min(count, std::size(threads)); ++i) {
    if (threads[i].thread == static_cast<uint64_t>(gettid())) {
      return threads[i].cached_bytes;
    }
  }
  ADD_FAILURE() << "this thread is not among " << count;
  return 0;
}

TEST(StatisticsTest, AThreadsCacheIsListed) {
  std::thread([] {
    std::vector<void*> blocks(100);
    for (void*& block : blocks) block = malloc(2000);
    const uint64_t before = CachedHere();
    for (void* block : blocks) free(block);
    EXPECT_GT(CachedHere(), before);
    EXPECT_GE(Hakmem().thread_stats(nullptr, 0, 0), Stats().threads);
    Hakmem().collect();
    EXPECT_LT(CachedHere(), before + 100 * 2000);
  }).join();
}

TEST(StatisticsTest, JsonListsClassesAndThreads) {
  const nlohmann::json values = nlohmann::json::parse(StatsJson());
  EXPECT_EQ(values["classes"].size(), Classes().size());
  for (const nlohmann::json& c : values["classes"]) {
    EXPECT_EQ(c.size(), 6u);
    EXPECT_LE(
        c["live_blocks"].get<uint64_t>() * c["block_bytes"].get<uint64_t>(),
        c["committed_bytes"].get<uint64_t>());
  }
  EXPECT_GE(values["thread_caches"].size(), values["threads"].get<uint64_t>());
}

TEST(StatisticsTest, PrometheusReadsEveryField) {
  static char text[1 << 17];
  const size_t length = Hakmem().stats_prometheus(text, sizeof(text));
  ASSERT_LT(length, sizeof(text));
  EXPECT_EQ(text[length - 1], '\n');
  // Its text format: HELP and TYPE, each once, before the values of a metric.
  std::map<std::string, size_t> values;
  std::set<std::string> described;
  std::istringstream lines(text);
  std::string helped;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string name;
    words >> first;
    if (first == "#") {
      words >> first >> name;
      if (first == "HELP") {
        helped = name;
        EXPECT_TRUE(described.insert(name).second) << line;
      } else {
        EXPECT_EQ(name, helped) << line;
        words >> first;
        EXPECT_EQ(first == "counter",
                  name.size() > 6 && name.substr(name.size() - 6) == "_total")
            << line;
      }
      continue;
    }
    uint64_t value;
    EXPECT_TRUE(words >> value) << line;
    EXPECT_EQ(first.substr(0, first.find('{')), helped) << line;
    ++values[helped];
  }
  EXPECT_EQ(values.size(), std::size(kFields) + 5);
  for (const Field& field : kFields) {
    const std::string name = std::string("hakmem_") + field.name;
    EXPECT_EQ(values[name] + values[name + "_total"], 1u) << name;
  }
  EXPECT_EQ(values["hakmem_class_live_blocks"], Classes().size());
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

TEST(StatisticsTest, MallinfoCountsLargeBlocks) {
  const struct mallinfo2 before = mallinfo2();
  void* large = malloc(20 * kMiB);
  const struct mallinfo2 with = mallinfo2();
  EXPECT_EQ(with.hblks, before.hblks + 1);
  EXPECT_GE(with.hblkhd, before.hblkhd + 20 * kMiB);
  free(large);
  const struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(after.hblks, before.hblks);
  EXPECT_EQ(after.hblkhd, before.hblkhd);
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
  EXPECT_NE(xml.find("<class size=\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("<thread id=\"" + std::to_string(gettid()) + "\""),
            std::string::npos)
      << xml;
  // No options are defined.
  EXPECT_NE(malloc_info(1, stderr), 0);
}

TEST(StatisticsTest, MallocStatsWritesToStderr) {
  const ChildResult child = RunForked([] { malloc_stats(); });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_NE(child.err.find(ExpectedBackend()), std::string::npos) << child.err;
  EXPECT_NE(child.err.find(" bytes live"), std::string::npos) << child.err;
  EXPECT_NE(child.err.find("block size"), std::string::npos) << child.err;
}

}  // namespace
}  // namespace hakmem_test
