#include "backend/spans/page_heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "base/text/options.h"

namespace hakmem {
namespace {

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

uintptr_t Allocate(size_t pages) {
  return PageHeap::Allocate(pages, kPageBytes).address;
}

TEST(PageHeap, SpansHaveTheirLengthAndAlignment) {
  for (size_t alignment = kPageBytes; alignment <= kMaxSpanBytes;
       alignment *= 4) {
    for (const size_t pages : {1, 2, 3, 100, 256}) {
      const uintptr_t a = PageHeap::Allocate(pages, alignment).address;
      ASSERT_NE(a, 0u);
      ASSERT_EQ(a % alignment, 0u);
      ASSERT_EQ(PageHeap::PagesAt(PagemapEntry::At(a)), pages);
      ASSERT_EQ(PageHeap::PagesAt(PagemapEntry::At(a + 16)), 0u);
      if (pages > 1) {
        ASSERT_EQ(PageHeap::PagesAt(PagemapEntry::At(a + kPageBytes)), 0u);
        ASSERT_EQ(PageHeap::SpanAround(a + kPageBytes + 5), a);
      }
      ASSERT_TRUE(PageHeap::Free(PagemapEntry::At(a), 0));
      ASSERT_FALSE(PageHeap::Free(PagemapEntry::At(a), 0));
    }
  }
}

TEST(PageHeap, FreedNeighboursMergeWhateverTheOrder) {
  int order[] = {0, 1, 2};
  do {
    uintptr_t keep = Allocate(1);
    uintptr_t spans[3];
    for (uintptr_t& span : spans) span = Allocate(20);
    ASSERT_EQ(spans[1], spans[0] + 20 * kPageBytes);
    ASSERT_EQ(spans[2], spans[1] + 20 * kPageBytes);
    for (const int i : order)
      ASSERT_TRUE(PageHeap::Free(PagemapEntry::At(spans[i]), 0));
    const uintptr_t merged = Allocate(60);
    EXPECT_EQ(merged, spans[0]);
    PageHeap::Free(PagemapEntry::At(merged), 0);
    PageHeap::Free(PagemapEntry::At(keep), 0);
  } while (std::next_permutation(order, order + 3));
}

TEST(PageHeap, KnowsWhatIsZero) {
  const uintptr_t keep = Allocate(1);
  PageHeap::Purge(0, /*force=*/true);
  SpanAllocation span = PageHeap::Allocate(7, kPageBytes);
  EXPECT_TRUE(span.is_zero);
  memset(At(span.address), 1, 7 * kPageBytes);
  PageHeap::Free(PagemapEntry::At(span.address), 0);
  span = PageHeap::Allocate(7, kPageBytes);
  EXPECT_FALSE(span.is_zero);
  PageHeap::Free(PagemapEntry::At(span.address), 0);
  PageHeap::Purge(0, /*force=*/true);
  span = PageHeap::Allocate(7, kPageBytes);
  EXPECT_TRUE(span.is_zero);
  EXPECT_EQ(At(span.address)[5000], 0);
  PageHeap::Free(PagemapEntry::At(span.address), 0);
  PageHeap::Free(PagemapEntry::At(keep), 0);
}

TEST(PageHeap, PurgesSpansWhenTheyAreDue) {
  const uintptr_t keep = Allocate(1);
  PageHeap::Purge(0, /*force=*/true);
  const uintptr_t span = Allocate(10);
  const uint64_t decay = options::Get(options::k_decay);
  PageHeap::Free(PagemapEntry::At(span), 5000);
  const uint64_t committed = PageHeap::Totals().committed_bytes;
  EXPECT_EQ(PageHeap::Purge(4999 + decay, /*force=*/false), 0u);
  EXPECT_EQ(PageHeap::Purge(5000 + decay, /*force=*/false), 10 * kPageBytes);
  EXPECT_EQ(PageHeap::Totals().committed_bytes, committed - 10 * kPageBytes);
  PageHeap::Free(PagemapEntry::At(keep), 0);
}

TEST(PageHeap, PurgesWhatWasFreedLongAgo) {
  const uintptr_t keep = Allocate(1);
  constexpr uint64_t kDay = 24 * 3600 * 1000;
  uint64_t now = 100 * kDay;
  // 32-bit ages wrap at 24 and 49 days.
  for (const uint64_t idle : {1, 12, 13, 24, 25, 26, 48, 49, 50, 51, 75, 400}) {
    PageHeap::Purge(now, /*force=*/true);
    PageHeap::Free(PagemapEntry::At(Allocate(10)), now);
    now += idle * kDay;
    EXPECT_EQ(PageHeap::Purge(now, /*force=*/false), 10 * kPageBytes) << idle;
  }
  PageHeap::Free(PagemapEntry::At(keep), now);
}

TEST(PageHeap, ResizesInPlaceWhereThereIsRoom) {
  const uintptr_t a = Allocate(10);
  const uintptr_t b = Allocate(10);
  const uintptr_t c = Allocate(10);
  ASSERT_EQ(b, a + 10 * kPageBytes);
  EXPECT_FALSE(PageHeap::Resize(PagemapEntry::At(a), 11, 0));
  PageHeap::Free(PagemapEntry::At(b), 0);
  EXPECT_TRUE(PageHeap::Resize(PagemapEntry::At(a), 15, 0));
  EXPECT_EQ(PageHeap::PagesAt(PagemapEntry::At(a)), 15u);
  EXPECT_FALSE(PageHeap::Resize(PagemapEntry::At(a), 21, 0));
  EXPECT_TRUE(PageHeap::Resize(PagemapEntry::At(a), 20, 0));
  EXPECT_TRUE(PageHeap::Resize(PagemapEntry::At(a), 2, 0));
  EXPECT_EQ(PageHeap::PagesAt(PagemapEntry::At(a)), 2u);
  EXPECT_TRUE(PageHeap::Free(PagemapEntry::At(a), 0));
  EXPECT_TRUE(PageHeap::Free(PagemapEntry::At(c), 0));
}

// Model: the spans held, by address, with the byte each is filled with.
TEST(PageHeap, AgreesWithAModelOverRandomOperations) {
  std::mt19937 random(7);
  struct Held {
    size_t pages;
    char fill;
  };
  std::map<uintptr_t, Held> held;
  size_t held_pages = 0;
  const uint64_t used_before = PageHeap::Totals().used_bytes;
  for (int step = 0; step < 30'000; ++step) {
    const size_t pages =
        1 + (random() % 8 == 0 ? random() % 256 : random() % 12);
    const auto pick = [&] {
      return std::next(held.begin(), random() % held.size());
    };
    const unsigned action = random() % 16;
    if (held_pages < 20'000 && (held.empty() || action < 7)) {
      const size_t alignment = kPageBytes
                               << (random() % 4 == 0 ? random() % 9 : 0);
      const SpanAllocation span = PageHeap::Allocate(pages, alignment);
      ASSERT_NE(span.address, 0u);
      ASSERT_EQ(span.address % alignment, 0u);
      const auto next = held.lower_bound(span.address);
      if (next != held.end()) {
        ASSERT_LE(span.address + pages * kPageBytes, next->first);
      }
      if (next != held.begin()) {
        const auto previous = std::prev(next);
        ASSERT_GE(span.address,
                  previous->first + previous->second.pages * kPageBytes);
      }
      for (size_t p = 0; p < pages; ++p) {
        char* page = At(span.address) + p * kPageBytes;
        if (span.is_zero) {
          ASSERT_EQ(page[random() % kPageBytes], 0);
        }
        page[0] = page[kPageBytes - 1] = static_cast<char>(step);
      }
      held[span.address] = {pages, static_cast<char>(step)};
      held_pages += pages;
    } else if (action < 13) {
      const auto it = pick();
      for (size_t p = 0; p < it->second.pages; ++p) {
        ASSERT_EQ(At(it->first)[p * kPageBytes], it->second.fill);
        ASSERT_EQ(At(it->first)[(p + 1) * kPageBytes - 1], it->second.fill);
      }
      ASSERT_TRUE(PageHeap::Free(PagemapEntry::At(it->first), step));
      held_pages -= it->second.pages;
      held.erase(it);
    } else if (action < 15) {
      const auto it = pick();
      if (PageHeap::Resize(PagemapEntry::At(it->first), pages, step)) {
        for (size_t p = it->second.pages; p < pages; ++p) {
          At(it->first)[p * kPageBytes] = it->second.fill;
          At(it->first)[(p + 1) * kPageBytes - 1] = it->second.fill;
        }
        held_pages += pages - it->second.pages;
        it->second.pages = pages;
      }
    } else {
      PageHeap::Purge(step, random() % 4 == 0);
    }
    ASSERT_EQ(PageHeap::Totals().used_bytes - used_before,
              held_pages * kPageBytes);
  }
  for (const auto& [address, span] : held) {
    ASSERT_TRUE(PageHeap::Free(PagemapEntry::At(address), 0));
  }
  PageHeap::Purge(0, /*force=*/true);
  EXPECT_EQ(PageHeap::Totals().chunks, 0u);
}

TEST(PageHeap, ThreadsNeverShareAPage) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      std::mt19937 random(t);
      for (int round = 0; round < 400; ++round) {
        std::vector<std::pair<uintptr_t, size_t>> mine;
        for (int i = 0; i < 8; ++i) {
          const size_t pages = 1 + random() % 40;
          mine.push_back({Allocate(pages), pages});
          memset(At(mine.back().first), t + 1, pages * kPageBytes);
        }
        for (const auto& [address, pages] : mine) {
          ASSERT_EQ(At(address)[0], t + 1);
          ASSERT_EQ(At(address)[pages * kPageBytes - 1], t + 1);
          ASSERT_TRUE(PageHeap::Free(PagemapEntry::At(address), round));
        }
        if (round % 20 == 0) PageHeap::Purge(round, /*force=*/true);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hakmem
