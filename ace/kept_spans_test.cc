// What span bins and shards say they keep, against the page heap's books.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ace/span_bins.h"
#include "ace/span_shards.h"
#include "backend/spans/page_heap.h"
#include "backend/spans/span.h"
#include "backend/verify/books_test_helper.h"

namespace hakmem {
namespace {

constexpr size_t kPages = 12;

uintptr_t Allocate() { return PageHeap::Allocate(kPages, kPageBytes).address; }

TEST(SpanBinsBooks, NameASpanThatIsNotCached) {
  auto bins = std::make_unique<SpanBins>();
  bins->Begin();
  const auto faults = [&] {
    return FaultsOf([&](BookCheck& check) { bins->CheckBooks(check); });
  };
  EXPECT_EQ(faults(), "");
  for (int i = 0; i < 16; ++i) bins->Pop(kPages, kPages);  // asked for: room
  const uintptr_t span = Allocate();
  ASSERT_TRUE(bins->Push(kPages, span));
  EXPECT_NE(faults().find("a kept span is not cached"), std::string::npos);
  PageHeap::MarkCached(span, kPages);
  EXPECT_EQ(faults(), "");
  ASSERT_EQ(PageHeap::FreeCached(span, 0), kPages);
  EXPECT_NE(faults().find("a kept span is not cached"), std::string::npos);
  EXPECT_EQ(bins->Pop(kPages, kPages).address, span);
  EXPECT_EQ(faults(), "");
}

TEST(SpanShardsBooks, NameASpanThatIsNotCached) {
  const auto faults = [] {
    return FaultsOf([](BookCheck& check) {
      SpanShards::LockForFork();
      SpanShards::CheckBooks(check);
      SpanShards::UnlockAfterFork();
    });
  };
  uintptr_t taken;
  for (int i = 0; i < 16; ++i) SpanShards::Take(kPages, 1, &taken);
  const uintptr_t span = Allocate();
  SpanShards::GiveUsed(kPages, span);
  ASSERT_EQ(SpanShards::HeldBytes(), kPages * kPageBytes);
  EXPECT_EQ(faults(), "");
  PageHeap::MarkUsed(span, kPages);
  EXPECT_NE(faults().find("a kept span is not cached"), std::string::npos);
  PageHeap::MarkCached(span, kPages);
  EXPECT_EQ(faults(), "");
  SpanShards::EndEpoch(/*force=*/true);
  EXPECT_EQ(faults(), "");
}

}  // namespace
}  // namespace hakmem
