// From samples to figures, and from figures to verdicts.
#include "benchmarks/harness/results.h"

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/random_mixed_criteria.h"
#include "benchmarks/results_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kWorkerLine[] =
    R"({"threads": 2, "operations": 400, "wall_ns": 1000, "cpu_ns": 1900,)"
    R"( "cycles": 4000, "peak_rss_kib": 10, "minor_faults": 5,)"
    R"( "cache_misses": null, "dtlb_misses": 8, "instructions": null,)"
    R"( "libc_malloc_bytes": 0, "malloc_library": "/home/x/lib.so",)"
    R"( "statistics": {"chunks": 1, "slabs": 2,)"
    R"( "slab_live_bytes": 30, "slab_committed_bytes": 40}})";

TEST(Sample, ReadsAWorkersLine) {
  const auto sample = Sample::Parse(kWorkerLine);
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->operations, 400);
  EXPECT_EQ(sample->dtlb_misses, 8);
  EXPECT_FALSE(sample->cache_misses.has_value());
  ASSERT_TRUE(sample->books.has_value());
  EXPECT_EQ(sample->books->Fragmentation(), 0.25);
  EXPECT_EQ(sample->raw.Dump().find("/home"), std::string::npos);
}

TEST(Sample, RefusesALineWithoutWhatItMustHave) {
  EXPECT_FALSE(Sample::Parse("").has_value());
  EXPECT_FALSE(Sample::Parse("{}").has_value());
  std::string line = kWorkerLine;
  line.replace(line.find("\"chunks\""), 8, "\"chanks\"");
  EXPECT_FALSE(Sample::Parse(line).has_value());
  line = kWorkerLine;
  line.replace(line.find("\"cpu_ns\""), 8, "\"cpu_ms\"");
  EXPECT_FALSE(Sample::Parse(line).has_value());
}

TEST(Summarize, OneThreadByCpuTimeSeveralByWallTime) {
  const Contender contender{"x", Contender::kGlibc, "", ""};
  Results results({contender}, {{256, 1}, {256, 2}, {256, 8}}, /*cores=*/2);
  const Sample sample = *Sample::Parse(kWorkerLine);
  for (size_t c = 0; c < 3; ++c) results.Add(0, c, sample);
  EXPECT_DOUBLE_EQ(results.Summarize(0, 0)->mops.median, 400 / 1.9);
  EXPECT_DOUBLE_EQ(results.Summarize(0, 0)->ns.median, 1900.0 / 400);
  EXPECT_DOUBLE_EQ(results.Summarize(0, 1)->mops.median, 400);
  EXPECT_DOUBLE_EQ(results.Summarize(0, 1)->ns.median, 2 * 1000.0 / 400);
  // Eight threads on two cores take the time of two cores.
  EXPECT_DOUBLE_EQ(results.Summarize(0, 2)->ns.median, 2 * 1000.0 / 400);
  EXPECT_DOUBLE_EQ(*results.Summarize(0, 1)->cycles, 10);
  EXPECT_DOUBLE_EQ(*results.Summarize(0, 1)->dtlb_misses, 0.02);
  EXPECT_FALSE(results.Summarize(0, 1)->cache_misses.has_value());
}

TEST(Summarize, OneFaultInOneRunShows) {
  Results results = MakeResults();
  for (int i = 0; i < 9; ++i) {
    results.Add(kSegment, 0, MakeVariantSample(10));
  }
  Sample bad = MakeVariantSample(10);
  bad.books->free_list_faults = 1;
  results.Add(kSegment, 0, bad);
  EXPECT_EQ(results.Summarize(kSegment, 0)->books->free_list_faults, 1);
  EXPECT_FALSE(results.Summarize(kGlibc, 0).has_value());
}

TEST(Comparison, SetsAgainstFloorGlibcAndTheBestPeer) {
  Results results = MakeResults();
  for (const double ns : {7.0, 8.0, 30.0}) {
    results.Add(kFloor, 0, MakeSample(ns));
  }
  results.Add(kSegment, 0, MakeVariantSample(10));
  results.Add(kGlibc, 0, MakeSample(20));
  results.Add(kMimalloc, 0, MakeSample(12));
  const Comparison comparison(results, 0);
  EXPECT_DOUBLE_EQ(*comparison.AboveFloor(kSegment), 2);
  EXPECT_DOUBLE_EQ(*comparison.AgainstGlibc(kSegment), 2);
  EXPECT_DOUBLE_EQ(*comparison.AgainstBestPeer(kSegment), 1.2);
  EXPECT_DOUBLE_EQ(*comparison.AgainstBestPeer(kGlibc), 0.6);
  EXPECT_FALSE(comparison.AboveFloor(kFloor).has_value());
  EXPECT_FALSE(comparison.AgainstGlibc(kFloor).has_value());
  EXPECT_FALSE(comparison.AboveFloor(kSuperslab).has_value());
  EXPECT_EQ(comparison.Ranking(),
            std::vector<size_t>({kFloor, kSegment, kMimalloc, kGlibc}));
  EXPECT_EQ(comparison.repeats(), 3u);
}

std::vector<Criterion> Judge(const Results& results) {
  return JudgeRandomMixed(results).criteria();
}

// The verdict on the one criterion whose text contains `words`.
const Verdict& Find(const std::vector<Criterion>& criteria,
                    const std::string& words, size_t variant) {
  for (const Criterion& criterion : criteria) {
    if (criterion.asked.find(words) != std::string::npos) {
      return criterion.verdicts.at(variant);
    }
  }
  ADD_FAILURE() << "no criterion says: " << words;
  static const Verdict none;
  return none;
}

// The segment variant reaches everything, the other nothing.
Results MakeGoodAndBad() {
  Results results = MakeResults();
  for (size_t c = 0; c < 2; ++c) {
    results.Add(kFloor, c, MakeSample(8));
    results.Add(kGlibc, c, MakeSample(c == 0 ? 13 : 20));
    results.Add(kMimalloc, c, MakeSample(11));
    results.Add(kSegment, c, MakeVariantSample(10));
    Sample bad = MakeVariantSample(c == 0 ? 12 : 16);
    bad.books->chunks = 10;
    bad.books->lookup_cycles = 20;
    bad.books->slab_live = 790;
    bad.books->fallbacks = 1;
    bad.books->free_list_faults = 2;
    bad.libc_malloc_bytes = 4096;
    results.Add(kSuperslab, c, bad);
  }
  return results;
}

TEST(Judge, TellsReachedFromNotReached) {
  const Results results = MakeGoodAndBad();
  const std::vector<Criterion> criteria = Judge(results);
  EXPECT_EQ(criteria.size(), 11u);
  for (const Criterion& criterion : criteria) {
    ASSERT_EQ(criterion.verdicts.size(), 2u);
    EXPECT_TRUE(criterion.verdicts[0].reached) << criterion.asked;
    EXPECT_FALSE(criterion.verdicts[1].reached) << criterion.asked;
    EXPECT_TRUE(criterion.verdicts[1].measured.has_value()) << criterion.asked;
  }
  EXPECT_DOUBLE_EQ(*Find(criteria, "floor at 256", 1).measured, 4);
  EXPECT_DOUBLE_EQ(*Find(criteria, "floor at 256", 1).limit, 3);
  EXPECT_DOUBLE_EQ(*Find(criteria, "from 256 to 8192", 1).measured, 16.0 / 12);
  EXPECT_DOUBLE_EQ(*Find(criteria, "8192 slots: at least", 0).measured, 2);
  EXPECT_NEAR(*Find(criteria, "fragmentation", 1).measured, 21, 1e-9);
  EXPECT_EQ(VerdictText(Find(criteria, "lookup", 1), 1), "20.0 no");
  EXPECT_EQ(VerdictText(Find(criteria, "lookup", 0), 1), "5.0 yes");
}

TEST(Judge, NothingIsReachedThatWasNotMeasured) {
  for (const Criterion& criterion : Judge(MakeResults())) {
    for (const Verdict& verdict : criterion.verdicts) {
      EXPECT_FALSE(verdict.reached) << criterion.asked;
      EXPECT_EQ(VerdictText(verdict, 1), "-") << criterion.asked;
    }
  }
  // Without mimalloc there is a figure, but no limit to hold it against.
  Results results = MakeResults();
  results.Add(kFloor, 0, MakeSample(8));
  results.Add(kSegment, 0, MakeVariantSample(10));
  const std::vector<Criterion> criteria = Judge(results);
  EXPECT_EQ(VerdictText(Find(criteria, "floor at 256", 0), 2), "2.00 ?");
}

TEST(Judge, BooksWithoutSlabsProveNothing) {
  Results results = MakeResults();
  Sample empty = MakeVariantSample(10);
  empty.books->lookup_cycles = 0;
  empty.books->slab_live = 0;
  empty.books->slab_committed = 0;
  results.Add(kSegment, 1, empty);
  const std::vector<Criterion> criteria = Judge(results);
  EXPECT_EQ(VerdictText(Find(criteria, "lookup", 0), 1), "-");
  EXPECT_EQ(VerdictText(Find(criteria, "fragmentation", 0), 1), "-");
}

}  // namespace
}  // namespace hakmem::bench
