// Span bins and the central span cache checked against the page heap's
// metadata.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ace/central_span_cache.h"
#include "ace/thread_span_cache.h"
#include "backend/spans/page_heap.h"
#include "backend/spans/span.h"
#include "backend/verify/heap_verifier_test_helper.h"

namespace hakmem {
namespace {

constexpr size_t kPages = 12;

uintptr_t Allocate() { return PageHeap::Allocate(kPages, kPageBytes).address; }

TEST(ThreadSpanCacheVerify, NameASpanThatIsNotCached) {
  auto bins = std::make_unique<ThreadSpanCache>();
  bins->Begin();
  const auto faults = [&] {
    return FaultsOf(
        [&](HeapVerifier& check) { bins->VerifyInvariants(check); });
  };
  EXPECT_EQ(faults(), "");
  for (int i = 0; i < 16; ++i) bins->Pop(kPages, kPages);  // requests make room
  const uintptr_t span = Allocate();
  ASSERT_TRUE(bins->Push(kPages, span));
  EXPECT_NE(faults().find("a span in a cache is not tagged as cached"),
            std::string::npos);
  PageHeap::MarkCached(PagemapEntry::At(span), kPages);
  EXPECT_EQ(faults(), "");
  ASSERT_EQ(PageHeap::FreeCached(PagemapEntry::At(span), 0), kPages);
  EXPECT_NE(faults().find("a span in a cache is not tagged as cached"),
            std::string::npos);
  EXPECT_EQ(bins->Pop(kPages, kPages).address, span);
  EXPECT_EQ(faults(), "");
}

TEST(CentralSpanCacheVerify, NameASpanThatIsNotCached) {
  const auto faults = [] {
    return FaultsOf([](HeapVerifier& check) {
      CentralSpanCache::LockForFork();
      CentralSpanCache::VerifyInvariants(check);
      CentralSpanCache::UnlockAfterFork();
    });
  };
  uintptr_t taken;
  for (int i = 0; i < 16; ++i) CentralSpanCache::Take(kPages, 1, &taken);
  const uintptr_t span = Allocate();
  CentralSpanCache::GiveUsed(kPages, PagemapEntry::At(span));
  ASSERT_EQ(CentralSpanCache::HeldBytes(), kPages * kPageBytes);
  EXPECT_EQ(faults(), "");
  PageHeap::MarkUsed(span, kPages);
  EXPECT_NE(faults().find("a span in a cache is not tagged as cached"),
            std::string::npos);
  PageHeap::MarkCached(PagemapEntry::At(span), kPages);
  EXPECT_EQ(faults(), "");
  CentralSpanCache::EndEpoch(/*force=*/true);
  EXPECT_EQ(faults(), "");
}

}  // namespace
}  // namespace hakmem
