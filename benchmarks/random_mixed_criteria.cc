#include "benchmarks/random_mixed_criteria.h"

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/analysis/comparison.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

// The working sets the criteria speak of.
constexpr uint64_t kFew = 256;
constexpr uint64_t kMany = 8192;

// The peer that sets the limit above the floor.
constexpr char kReference[] = "mimalloc";

constexpr double kMinGlibcRatioFew = 1.2;
constexpr double kMinGlibcRatioMany = 1.5;
constexpr double kMaxDegradation = 1.25;
constexpr double kMaxChunks = 10;         // exclusive
constexpr double kMaxLookupCycles = 20;   // exclusive
constexpr double kMaxFragmentation = 20;  // percent, exclusive

// Adds the criteria for one number of threads to `judgement`.
class Judge {
 public:
  Judge(const Results& results, uint64_t threads, Judgement& judgement)
      : results_(results), threads_(threads), judgement_(judgement) {
    for (const uint64_t slots : {kFew, kMany}) {
      if (const auto index = results.FindCase(slots, threads)) {
        comparisons_.emplace_back(slots, Comparison(results, *index));
      }
    }
  }

  void AddAll() {
    for (const uint64_t slots : {kFew, kMany}) AddAboveFloor(slots);
    AddGlibcRatio(kFew, kMinGlibcRatioFew);
    AddGlibcRatio(kMany, kMinGlibcRatioMany);
    Add(absl::StrFormat("throughput lost from %d to %d slots: at most %.2f x",
                        kFew, kMany, kMaxDegradation),
        2, Bound::kAtMost, kMaxDegradation, [&](size_t variant) {
          return Degradation(results_, variant, kFew, kMany, threads_);
        });
    AddCount("fallbacks: none", [](const Summary& summary) {
      return summary.books.has_value() ? std::optional(summary.books->fallbacks)
                                       : std::nullopt;
    });
    AddCount("free-list faults: none", [](const Summary& summary) {
      return summary.books.has_value()
                 ? std::optional(summary.books->free_list_faults)
                 : std::nullopt;
    });
    AddCount("bytes held by libc's own malloc: none",
             [](const Summary& summary) { return summary.libc_malloc_bytes; });
    Add(absl::StrFormat("SuperSlabs or segments at %d slots: below %.0f", kMany,
                        kMaxChunks),
        0, Bound::kBelow, kMaxChunks,
        [&](size_t variant) { return Book(kMany, variant, &Books::chunks); });
    Add(absl::StrFormat("lookup at %d slots: below %.0f cycles", kMany,
                        kMaxLookupCycles),
        1, Bound::kBelow, kMaxLookupCycles, [&](size_t variant) {
          const auto cycles = Book(kMany, variant, &Books::lookup_cycles);
          // 0 means that there was no slab to look up.
          return cycles == 0.0 ? std::nullopt : cycles;
        });
    Add(absl::StrFormat("fragmentation at %d slots: below %.0f %%", kMany,
                        kMaxFragmentation),
        1, Bound::kBelow, kMaxFragmentation,
        [&](size_t variant) -> std::optional<double> {
          const Summary* const summary = Find(kMany, variant);
          if (summary == nullptr || !summary->fragmentation.has_value()) {
            return std::nullopt;
          }
          return *summary->fragmentation * 100;
        });
  }

 private:
  void Add(std::string asked, int digits, Bound bound,
           std::optional<double> limit, const Judgement::Measure& measure) {
    judgement_.Add(std::move(asked), threads_, digits, bound, limit, measure);
  }

  void AddAboveFloor(uint64_t slots) {
    const Comparison* const comparison = Find(slots);
    const auto reference = results_.FindContender(kReference);
    std::optional<double> limit;
    if (comparison != nullptr && reference.has_value()) {
      limit = comparison->AboveFloor(*reference);
    }
    Add(absl::StrFormat("above the floor at %d slots: at most %s's (%s ns)",
                        slots, kReference, Cell(limit, 2)),
        2, Bound::kAtMost, limit, [&](size_t variant) {
          return comparison == nullptr ? std::nullopt
                                       : comparison->AboveFloor(variant);
        });
  }

  void AddGlibcRatio(uint64_t slots, double limit) {
    const Comparison* const comparison = Find(slots);
    Add(absl::StrFormat("throughput at %d slots: at least %.1f x glibc's",
                        slots, limit),
        2, Bound::kAtLeast, limit, [&](size_t variant) {
          return comparison == nullptr ? std::nullopt
                                       : comparison->AgainstGlibc(variant);
        });
  }

  // A count that must be 0 in every case; the highest is shown.
  void AddCount(
      std::string asked,
      const std::function<std::optional<double>(const Summary&)>& count) {
    Add(std::move(asked), 0, Bound::kAtMost, 0,
        [&](size_t variant) -> std::optional<double> {
          std::optional<double> highest;
          for (const auto& [slots, comparison] : comparisons_) {
            const auto& summary = comparison.summary(variant);
            if (!summary.has_value()) continue;
            const auto value = count(*summary);
            if (!value.has_value()) return std::nullopt;
            highest = std::max(highest.value_or(0), *value);
          }
          return highest;
        });
  }

  const Comparison* Find(uint64_t slots) const {
    for (const auto& [of_slots, comparison] : comparisons_) {
      if (of_slots == slots) return &comparison;
    }
    return nullptr;
  }

  const Summary* Find(uint64_t slots, size_t variant) const {
    const Comparison* const comparison = Find(slots);
    if (comparison == nullptr || !comparison->summary(variant).has_value()) {
      return nullptr;
    }
    return &*comparison->summary(variant);
  }

  std::optional<double> Book(uint64_t slots, size_t variant,
                             double Books::*member) const {
    const Summary* const summary = Find(slots, variant);
    if (summary == nullptr || !summary->books.has_value()) return std::nullopt;
    return (*summary->books).*member;
  }

  const Results& results_;
  const uint64_t threads_;
  Judgement& judgement_;
  std::vector<std::pair<uint64_t, Comparison>> comparisons_;
};

}  // namespace

Judgement JudgeRandomMixed(const Results& results) {
  std::set<uint64_t> threads;
  for (const Case& a_case : results.cases()) threads.insert(a_case.threads);
  Judgement judgement(Variants(results));
  for (const uint64_t count : threads) {
    Judge(results, count, judgement).AddAll();
  }
  return judgement;
}

}  // namespace hakmem::bench
