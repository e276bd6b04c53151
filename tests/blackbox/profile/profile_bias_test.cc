// What the heap profile estimates from its samples is right on average: for all
// sizes, in several threads, and along chains of reallocs; and the sites that
// hold the memory are the ones that allocated it.
#include <malloc.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/blackbox/profile/profile_test_helper.h"

namespace hakmem_test {
namespace {

// --- Sites -------------------------------------------------------------------

struct KnownSite {
  const void* return_address = nullptr;  // to the caller of Allocate
  double bytes = 0;
};

template <size_t kBytes>
[[gnu::noinline]] void Allocate(int blocks, std::vector<void*>& to,
                                KnownSite& site) {
  site.return_address = __builtin_return_address(0);
  for (int i = 0; i < blocks; ++i) {
    to.push_back(Opaque(malloc(kBytes)));
    site.bytes += static_cast<double>(malloc_usable_size(to.back()));
  }
}

double LiveAt(const ProfileText& profile, const KnownSite& known) {
  double bytes = 0;
  for (const ProfiledSite& site : profile.sites) {
    if (site.frames.size() > 1 &&
        site.frames[1] + 1 ==
            reinterpret_cast<uintptr_t>(known.return_address)) {
      bytes += site.live.bytes;
    }
  }
  return bytes;
}

void ExpectLiveBytesBySite() {
  std::vector<void*> blocks;
  blocks.reserve(1000000);
  KnownSite sites[5];
  EXPECT_EQ(Hakmem().profile_start(2048), 0);
  Allocate<48>(600000, blocks, sites[0]);
  Allocate<1000>(30000, blocks, sites[1]);
  Allocate<6000>(6000, blocks, sites[2]);
  Allocate<50000>(1000, blocks, sites[3]);
  Allocate<2000000>(100, blocks, sites[4]);
  Hakmem().profile_stop();
  const ProfileText full = ProfileNow();
  for (const KnownSite& site : sites) {
    EXPECT_NEAR(LiveAt(full, site) / site.bytes, 1, 0.05) << site.bytes;
  }
  EXPECT_GT(full.maps_with_build_id, 0);
  // Every second block goes.
  for (size_t i = 0; i < blocks.size(); i += 2) free(blocks[i]);
  const ProfileText half = ProfileNow();
  for (const KnownSite& site : sites) {
    EXPECT_NEAR(LiveAt(half, site) / site.bytes, 0.5, 0.05) << site.bytes;
  }
  EXPECT_NEAR(half.peak.bytes / full.live.bytes, 1, 0.011);
  for (size_t i = 1; i < blocks.size(); i += 2) free(blocks[i]);
  for (const KnownSite& site : sites) EXPECT_EQ(LiveAt(ProfileNow(), site), 0);
}

// The first test: what others do would be in the peak.
TEST(ProfileSitesTest, LiveBytesBySiteAreWithin5Percent) {
  EXPECT_EQ(RunForked(ExpectLiveBytesBySite).exit_code, 0);
}

// --- Sums --------------------------------------------------------------------

// Standard deviations that an estimate may be off. One in 3.5 million is.
constexpr double kSigmas = 5;

// The relative deviation of an estimate from `blocks` blocks of `bytes` each.
double Deviation(double blocks, double bytes, double rate) {
  const double p = -std::expm1(-bytes / rate);
  return std::sqrt((1 - p) / p / blocks);
}

// Begins a profile; what there is in it.
ProfileText Begin() {
  EXPECT_EQ(Hakmem().profile_start(1 << 30), 0);
  Hakmem().profile_stop();
  return ProfileNow();
}

// Runs `body` with the profile on; what it added. (The profile is read while it
// is off: one small block sampled of the test's own stands for many.)
template <typename Body>
Weight Allocated(size_t rate, Body&& body) {
  const Weight before = Begin().allocated;
  EXPECT_EQ(Hakmem().profile_start(rate), 0);
  body();
  Hakmem().profile_stop();
  const ProfileText after = ProfileNow();
  EXPECT_EQ(after.dropped.count, 0);
  return {after.allocated.count - before.count,
          after.allocated.bytes - before.bytes};
}

void ExpectNear(double estimate, double truth, double deviation) {
  // The test itself allocates a little.
  EXPECT_NEAR(estimate / truth, 1, kSigmas * deviation + 0.005) << truth;
}

TEST(ProfileBiasTest, SizesFrom8BytesTo64MiB) {
  struct Case {
    size_t bytes;
    size_t rate;
    int blocks;
  };
  for (const Case c :
       {Case{8, 1024, 1000000}, Case{24, 4096, 1000000},
        Case{100, 8192, 500000}, Case{1000, 1000, 20000},
        Case{1000, 50000, 500000}, Case{2048, 100, 20000},
        Case{3000, 30000, 50000}, Case{32768, 524288, 50000},
        Case{40960, 524288, 50000}, Case{1 << 20, 1 << 22, 5000},
        Case{3 << 20, 1 << 22, 2000}, Case{64 << 20, 64 << 20, 2000}}) {
    size_t usable = 0;
    const Weight estimate = Allocated(c.rate, [&] {
      for (int i = 0; i < c.blocks; ++i) {
        void* const block = Opaque(malloc(c.bytes));
        if (i == 0) usable = malloc_usable_size(block);
        free(block);
      }
    });
    SCOPED_TRACE(c.bytes);
    const double deviation = Deviation(c.blocks, static_cast<double>(usable),
                                       static_cast<double>(c.rate));
    ExpectNear(estimate.count, c.blocks, deviation);
    ExpectNear(estimate.bytes, static_cast<double>(usable) * c.blocks,
               deviation);
  }
}

TEST(ProfileBiasTest, ManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kBlocks = 100000;
  constexpr size_t kBytes = 112;
  constexpr size_t kRate = 8192;
  const Weight estimate = Allocated(kRate, [] {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([] {
        std::vector<void*> held(50);
        for (int n = 0; n < kBlocks; ++n) {
          void*& slot = held[n % held.size()];
          free(slot);
          slot = malloc(kBytes);
        }
        for (void* block : held) free(block);
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  ExpectNear(estimate.count, kThreads * kBlocks,
             Deviation(kThreads * kBlocks, kBytes, kRate));
}

// Blocks that each went through a chain of reallocs: what is live is what the
// last one of each made.
void ExpectLiveAfterChains(size_t first, size_t last, int chains, size_t rate) {
  std::vector<void*> blocks(chains);
  double truth = 0;
  const double before = Begin().live.bytes;
  EXPECT_EQ(Hakmem().profile_start(rate), 0);
  for (void*& block : blocks) {
    block = malloc(first);
    for (size_t bytes = first; bytes < last; bytes += bytes / 4 + 1) {
      block = realloc(block, bytes);
    }
    block = realloc(block, last);
    truth += static_cast<double>(malloc_usable_size(block));
  }
  Hakmem().profile_stop();
  ExpectNear(ProfileNow().live.bytes - before, truth,
             Deviation(chains, truth / chains, static_cast<double>(rate)));
  EXPECT_EQ(Hakmem().profile_start(rate), 0);
  for (void*& block : blocks) block = realloc(block, first);
  for (void* block : blocks) free(block);
  Hakmem().profile_stop();
  EXPECT_EQ(ProfileNow().live.bytes, before);
}

TEST(ProfileBiasTest, ChainsOfReallocs) {
  ExpectLiveAfterChains(16, 5000, 4000, 1024);
  ExpectLiveAfterChains(5000, 200000, 500, 50000);
  ExpectLiveAfterChains(1 << 20, 8 << 20, 300, 4 << 20);
}

}  // namespace
}  // namespace hakmem_test
