// hakmem.hpp, in a program whose own malloc is HAKMEM's as well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "hakmem/hakmem.hpp"

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct alignas(256) Wide {
  char bytes[256];
};

bool IsAligned(const void* address, size_t alignment) {
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

// --- allocator ---------------------------------------------------------------

TEST(AllocatorTest, ServesContainers) {
  std::vector<int, hakmem::allocator<int>> numbers;
  for (int i = 0; i < 100000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers[99999], 99999);
  EXPECT_GE(hakmem_malloc_usable_size(numbers.data()), 100000 * sizeof(int));
  std::list<std::string, hakmem::allocator<std::string>> texts(
      100, std::string(100, 'x'));
  texts.sort();
  using Entry = std::pair<const int, int>;
  std::map<int, int, std::less<>, hakmem::allocator<Entry>> map;
  std::unordered_map<int, int, std::hash<int>, std::equal_to<>,
                     hakmem::allocator<Entry>>
      table;
  for (int i = 0; i < 1000; ++i) map[i] = table[i] = i * i;
  EXPECT_EQ(map[999], 998001);
  EXPECT_EQ(table[999], 998001);
}

TEST(AllocatorTest, KeepsAlignments) {
  hakmem::allocator<Wide> allocator;
  for (size_t count = 1; count < 100; ++count) {
    Wide* const objects = allocator.allocate(count);
    EXPECT_TRUE(IsAligned(objects, alignof(Wide)));
    memset(static_cast<void*>(objects), 1, count * sizeof(Wide));
    allocator.deallocate(objects, count);
  }
}

TEST(AllocatorTest, AllAreEqual) {
  using Allocator = hakmem::allocator<int>;
  EXPECT_TRUE(Allocator() == hakmem::allocator<char>(Allocator()));
  EXPECT_FALSE(Allocator() != Allocator());
  static_assert(std::allocator_traits<Allocator>::is_always_equal::value);
  static_assert(
      std::is_same_v<std::allocator_traits<Allocator>::rebind_alloc<char>,
                     hakmem::allocator<char>>);
}

TEST(AllocatorTest, ImpossibleRequestsThrow) {
  hakmem::allocator<long> allocator;
  EXPECT_THROW((void)allocator.allocate(std::numeric_limits<size_t>::max() / 8),
               std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(std::numeric_limits<size_t>::max() / 2),
               std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(size_t{1} << 57), std::bad_alloc);
  EXPECT_THROW((void)hakmem::allocator<Wide>().allocate(size_t{1} << 50),
               std::bad_alloc);
}

// All that was given may be used, and the block be freed with any count of
// objects that fits: hardened builds would end the process.
template <typename T>
void UseAllRoom() {
  hakmem::allocator<T> allocator;
  for (size_t count = 0; count < 3000; count += 1 + count / 7) {
    for (const bool with_all : {false, true}) {
      const auto [objects, room] = allocator.allocate_at_least(count);
      EXPECT_GE(room, count);
      EXPECT_LE(room * sizeof(T), hakmem_malloc_usable_size(objects));
      memset(static_cast<void*>(objects), 1, room * sizeof(T));
      allocator.deallocate(objects, with_all ? room : count);
    }
  }
}

TEST(AllocatorTest, AllocateAtLeastGivesTheWholeBlock) {
  UseAllRoom<char>();
  UseAllRoom<long>();
  UseAllRoom<Wide>();
  const auto result = hakmem::allocator<char>().allocate_at_least(33);
  EXPECT_EQ(result.count, hakmem_malloc_usable_size(result.ptr));
  hakmem::allocator<char>().deallocate(result.ptr, result.count);
}

// --- memory_resource ---------------------------------------------------------

TEST(MemoryResourceTest, ServesPolymorphicContainers) {
  std::pmr::memory_resource* const resource = hakmem::memory_resource();
  std::pmr::vector<std::pmr::string> texts(resource);
  for (int i = 0; i < 1000; ++i) texts.emplace_back(i, 'x');
  EXPECT_EQ(texts[999].size(), 999u);
  EXPECT_EQ(texts[999].get_allocator().resource(), resource);
  std::pmr::monotonic_buffer_resource arena(resource);
  EXPECT_NE(arena.allocate(100000), nullptr);
}

TEST(MemoryResourceTest, KeepsAlignments) {
  std::pmr::memory_resource* const resource = hakmem::memory_resource();
  for (size_t alignment = 1; alignment <= 1 << 16; alignment *= 2) {
    for (const size_t bytes : {0, 1, 100, 5000, 100000, 3000000}) {
      void* const block = resource->allocate(bytes, alignment);
      EXPECT_TRUE(IsAligned(block, alignment));
      memset(block, 1, bytes);
      resource->deallocate(block, bytes, alignment);
    }
  }
}

TEST(MemoryResourceTest, IsOneAndNoOther) {
  EXPECT_EQ(hakmem::memory_resource(), hakmem::memory_resource());
  EXPECT_TRUE(hakmem::memory_resource()->is_equal(*hakmem::memory_resource()));
  EXPECT_FALSE(
      hakmem::memory_resource()->is_equal(*std::pmr::new_delete_resource()));
}

TEST(MemoryResourceTest, ImpossibleRequestsThrow) {
  EXPECT_THROW((void)hakmem::memory_resource()->allocate(size_t{1} << 60),
               std::bad_alloc);
}

// --- The rest ----------------------------------------------------------------

TEST(StatsTest, AreTheProcessesOwn) {
  const uint64_t before = hakmem::stats().live_bytes;
  const std::vector<char, hakmem::allocator<char>> large(50 << 20);
  EXPECT_GE(hakmem::stats().live_bytes, before + (50 << 20));
  ASSERT_FALSE(hakmem::class_stats().empty());
  EXPECT_NE(hakmem::class_stats().back().slabs, 0u);
  EXPECT_NE(hakmem::stats_prometheus().find("\nhakmem_live_bytes "),
            std::string::npos);
  const std::string json = hakmem::stats_json();
  EXPECT_THAT(json, StartsWith("{\"format\":1,"));
  EXPECT_EQ(json.back(), '}');
  EXPECT_EQ(json.find('\0'), std::string::npos);
}

TEST(OptionTest, IsFoundByName) {
  const hakmem_option_t decay = hakmem::option("decay");
  ASSERT_NE(decay.name, nullptr);
  EXPECT_STREQ(decay.type, "duration");
  EXPECT_EQ(decay.fallback, 300u);
  EXPECT_EQ(hakmem::option("decai").name, nullptr);
}

TEST(CollectAtEndTest, GivesMemoryBack) {
  uint64_t held;
  {
    const hakmem::collect_at_end collect;
    for (int i = 0; i < 20; ++i) {
      std::vector<char, hakmem::allocator<char>> block(1 << 20, 'x');
    }
    held = hakmem::stats().committed_bytes;
  }
  EXPECT_LT(hakmem::stats().committed_bytes + (1 << 20), held);
}

TEST(FailureCallbackTest, IsCalledWhileItExists) {
  int calls = 0;
  std::string text;
  {
    const auto count = [&](const hakmem_failure_t& failure) {
      ++calls;
      EXPECT_EQ(failure.size, size_t{1} << 50);
      text = hakmem::failure_text(failure);
    };
    const hakmem::failure_callback<decltype(count)> callback(count);
    EXPECT_EQ(hakmem_malloc(size_t{1} << 50), nullptr);
    EXPECT_EQ(calls, 1);
  }
  EXPECT_EQ(hakmem_malloc(size_t{1} << 50), nullptr);
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(text, HasSubstr("MapFail"));
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(RecordEventsTest, RecordsWhileItExists) {
  hakmem_event_counts_t counts = {};
  {
    const hakmem::record_events record;
    hakmem_free(hakmem_malloc(100));
  }
  hakmem_event_counts(&counts, sizeof(counts));
  const uint64_t recorded = counts.recorded;
  EXPECT_GE(recorded, 2u);
  hakmem_free(hakmem_malloc(100));
  hakmem_event_counts(&counts, sizeof(counts));
  EXPECT_EQ(counts.recorded, recorded);
}

}  // namespace
