// The ACE suite: its command line, what it makes of measurements, its reports.
#include "benchmarks/ace_suite.h"

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/results_test_helper.h"
#include "benchmarks/suite_html.h"
#include "benchmarks/suite_text.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

// Contenders, by index.
enum : size_t { kAdaptive, kFrozen, kNoPool, kLibc, kFast, kThird, kSlow };

Results MakeAceResults() {
  return Results({{"segment", Contender::kVariant, "/x/a.so", "1 (segment)"},
                  {"segment-ace_fixed", Contender::kVariant, "/x/b.so", "1"},
                  {"segment-ace_off", Contender::kVariant, "/x/c.so", "1"},
                  {"glibc", Contender::kGlibc, "", "glibc 2.36"},
                  {"fast", Contender::kPeer, "/x/d.so", "<b>&</b>"},
                  {"third", Contender::kPeer, "/x/e.so", "3"},
                  {"slow", Contender::kPeer, "/x/f.so", "4"}},
                 AceSuite().workloads, 2);
}

Sample MakeRun(double ns, double peak_mib) {
  Sample sample = MakeSample(ns);
  sample.wall_ns = sample.cpu_ns;
  sample.peak_rss_kib = peak_mib * 1024;
  return sample;
}

// All figures of a workload that any has, `scale` times what is allowed.
Sample MakeAdaptiveSample(double scale, double ns, double peak_mib) {
  Sample sample = MakeRun(ns, peak_mib);
  sample.internal_waste = 0.0799 * scale;
  sample.resident_before_kib = 2000;
  sample.live_after_kib = 1000;
  sample.resident_after_kib = (2000 + 1050 + 2048) * scale;
  return sample;
}

// What the three fastest others have, in every workload.
void AddOthers(Results& results) {
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (const double noise : {0.0, 0.5, 1.0}) {
      results.Add(kLibc, c, MakeRun(900 + noise, 5));  // slow and lean
      results.Add(kFast, c, MakeRun(100 + noise, 20));
      results.Add(kThird, c, MakeRun(120 + noise, 10));
      results.Add(kSlow, c, MakeRun(800 + noise, 12));
      results.Add(kFrozen, c, MakeRun(100 + noise, 11));
    }
  }
}

const Criterion& Find(const Judgement& judgement, const std::string& words) {
  for (const Criterion& criterion : judgement.criteria()) {
    if (Contains(criterion.asked, words)) return criterion;
  }
  ADD_FAILURE() << "no criterion says: " << words;
  static const Criterion none{"", 0, 0, {Verdict()}};
  return none;
}

TEST(JudgeAce, SeesWhatIsReached) {
  Results results = MakeAceResults();
  AddOthers(results);
  for (size_t c = 0; c < results.cases().size(); ++c) {
    results.Add(kAdaptive, c, MakeAdaptiveSample(1, 99, 10.4));
  }
  const Judgement judgement = JudgeAce(results);
  // Two per workload, and five of some.
  EXPECT_EQ(judgement.criteria().size(), 6u * 2 + 5);
  ASSERT_EQ(judgement.judged(), std::vector<size_t>({kAdaptive}));
  for (const Criterion& criterion : judgement.criteria()) {
    EXPECT_TRUE(criterion.verdicts.at(0).reached)
        << criterion.asked << ": "
        << VerdictText(criterion.verdicts[0], criterion.digits);
  }
  // The peak is held against that of the third fastest, not against libc's,
  // which is slow.
  EXPECT_NEAR(*Find(judgement, "lowest").verdicts[0].measured, 1.04, 1e-9);
}

TEST(JudgeAce, SeesWhatIsNot) {
  Results results = MakeAceResults();
  AddOthers(results);
  for (size_t c = 0; c < results.cases().size(); ++c) {
    results.Add(kAdaptive, c, MakeAdaptiveSample(1.01, 103, 11.2));
  }
  for (const Criterion& criterion : JudgeAce(results).criteria()) {
    EXPECT_TRUE(criterion.verdicts.at(0).measured.has_value())
        << criterion.asked;
    EXPECT_FALSE(criterion.verdicts[0].reached) << criterion.asked;
  }
}

TEST(JudgeAce, OneGainDoesNotPayForALoss) {
  Results results = MakeAceResults();
  AddOthers(results);
  const size_t shift = *results.FindCase("phase-shift");
  results.Add(kAdaptive, shift, MakeRun(50, 12));
  const Judgement judgement = JudgeAce(results);
  EXPECT_TRUE(Find(judgement, "0.95 of fixed's").verdicts[0].reached);
  const Verdict& worse = Find(judgement, "none worse").verdicts[0];
  EXPECT_EQ(worse.measured, 1);
  EXPECT_FALSE(worse.reached);
}

TEST(JudgeAce, QuartilesThatOverlapAreNotWorse) {
  Results results = MakeAceResults();
  AddOthers(results);  // fixed takes 100 to 101 ns
  const size_t shift = *results.FindCase("phase-shift");
  for (const double ns : {100.0, 101.0, 108.0, 109.0}) {
    results.Add(kAdaptive, shift, MakeRun(ns, 10));
  }
  EXPECT_EQ(Find(JudgeAce(results), "none worse").verdicts[0].measured, 0);
}

TEST(JudgeAce, NothingIsReachedThatWasNotMeasured) {
  Results results = MakeAceResults();
  for (size_t c = 0; c < results.cases().size(); ++c) {
    results.Add(kFast, c, MakeRun(100, 20));
  }
  for (const Criterion& criterion : JudgeAce(results).criteria()) {
    EXPECT_EQ(VerdictText(criterion.verdicts.at(0), 2), "-") << criterion.asked;
    EXPECT_FALSE(criterion.verdicts[0].reached) << criterion.asked;
  }
}

TEST(PeakAgainstLeanest, CountsAContenderAmongItsThreeFastest) {
  Results results = MakeAceResults();
  AddOthers(results);
  results.Add(kAdaptive, 0, MakeRun(90, 8));
  const Comparison comparison(results, 0);
  EXPECT_EQ(comparison.PeakAgainstLeanest(kAdaptive), 1);
  EXPECT_EQ(comparison.PeakAgainstLeanest(kFast), 2);
  // HAKMEM's other variants are nobody's measure.
  EXPECT_EQ(comparison.PeakAgainstLeanest(kFrozen), 1.1);
  EXPECT_FALSE(comparison.PeakAgainstLeanest(kNoPool).has_value());
}

TEST(Summarize, ANamedWorkloadOnTwoThreadsTakesTheWallTimeItTakes) {
  Results results = MakeAceResults();
  const size_t messages = *results.FindCase("messages");
  Sample sample = MakeRun(500, 20);
  sample.cpu_ns = 2 * sample.wall_ns;
  results.Add(kLibc, messages, sample);
  EXPECT_DOUBLE_EQ(results.Summarize(kLibc, messages)->ns.median, 500);
}

Results MakeMeasured() {
  Results results = MakeAceResults();
  AddOthers(results);
  for (size_t c = 0; c < results.cases().size(); ++c) {
    results.Add(kAdaptive, c, MakeAdaptiveSample(1, 2e6, 10));
  }
  results.SetFailure(kNoPool, *results.FindCase("bursts"), "<crash>");
  return results;
}

TEST(SuiteTextReport, ShowsFiguresFailuresAndVerdicts) {
  const Results results = MakeMeasured();
  const std::string text = SuiteTextReport(results, JudgeAce(results));
  EXPECT_TRUE(Contains(text, "messages: wall time per operation"));
  EXPECT_TRUE(Contains(text, "phase-shift: CPU time per operation"));
  EXPECT_TRUE(Contains(text, "2000000.00"));  // in the unit of the fastest
  EXPECT_TRUE(Contains(text, "8.0 %"));
  EXPECT_TRUE(Contains(text, "10.0 MiB"));
  EXPECT_TRUE(Contains(text, "asked and reached"));
  EXPECT_FALSE(Contains(text, "threads  "));  // no such column
  EXPECT_TRUE(Contains(text, "FAILED: segment-ace_off: bursts: <crash>"));
  for (const char c : text) {
    ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
  EXPECT_EQ(SuiteTextReport(MakeAceResults(), JudgeAce(MakeAceResults())),
            "Nothing was measured.\n");
}

TEST(SuiteTextReport, TimesHaveAUnitInWhichTheyAreReadable) {
  Results results = MakeAceResults();
  results.Add(kFast, 0, MakeRun(999, 1));
  results.Add(kFast, 1, MakeRun(2500, 1));
  results.Add(kFast, 2, MakeRun(3.25e6, 1));
  const std::string text = SuiteTextReport(results, JudgeAce(results));
  for (const char* const part :
       {"ns/op", "999.00", "us/op", "2.50", "ms/op", "3.25"}) {
    EXPECT_TRUE(Contains(text, part)) << part;
  }
}

TEST(SuiteHtmlReport, IsSelfContainedAndEscaped) {
  const Results results = MakeMeasured();
  const std::string html =
      SuiteHtmlReport(AceSuite().page, results, JudgeAce(results),
                      {"ACE", "ace --peer='<x>'", {}, {"x: <absent>"}});
  for (const char* const part :
       {"<svg", "&lt;crash&gt;", "&lt;b&gt;&amp;&lt;/b&gt;", "&lt;absent&gt;",
        "ace --peer=&#39;&lt;x&gt;&#39;", "class=\"no\"", "class=\"yes\"",
        "<title>HAKMEM: ACE</title>"}) {
    EXPECT_TRUE(Contains(html, part)) << part;
  }
  for (const char* const foreign :
       {"<script", "http:", "https:", "src=", "<link", "@import", "url("}) {
    EXPECT_FALSE(Contains(html, foreign)) << foreign;
  }
}

TEST(ParseWorkloadOptions, DefaultsAndQuick) {
  const WorkloadSuite suite = AceSuite();
  const auto usual = ParseWorkloadOptions(suite, {});
  ASSERT_TRUE(usual.ok());
  EXPECT_EQ(usual->workloads.size(), suite.workloads.size());
  EXPECT_EQ(usual->effort, 100u);
  EXPECT_GT(usual->seconds, 0u);
  const auto quick = ParseWorkloadOptions(suite, {"--quick"});
  ASSERT_TRUE(quick.ok());
  EXPECT_LT(quick->effort * quick->repeats, usual->effort * usual->repeats / 5);
  const auto mixed =
      ParseWorkloadOptions(suite, {"--quick", "--effort=70", "--repeats=4"});
  ASSERT_TRUE(mixed.ok());
  EXPECT_EQ(mixed->effort, 70u);
  EXPECT_EQ(mixed->repeats, 4u);
  EXPECT_EQ(mixed->seconds, 0u);
}

TEST(ParseWorkloadOptions, KnowsItsWorkloads) {
  const auto options =
      ParseWorkloadOptions(AceSuite(), {"--workloads=realloc,bursts"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->workloads,
            std::vector<std::string>({"realloc", "bursts"}));
  for (const std::string_view bad :
       {"--workloads=none", "--workloads=", "--workloads=bursts,", "--effort=0",
        "--effort=10001", "--sets=256"}) {
    EXPECT_FALSE(ParseWorkloadOptions(AceSuite(), {bad}).ok()) << bad;
  }
}

}  // namespace
}  // namespace hakmem::bench
