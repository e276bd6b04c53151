#include "benchmarks/criteria.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

bool Holds(double measured, Bound bound, double limit) {
  switch (bound) {
    case Bound::kAtMost:
      return measured <= limit;
    case Bound::kAtLeast:
      return measured >= limit;
    case Bound::kBelow:
      return measured >= 0 && measured < limit;
  }
  return false;
}

}  // namespace

void Judgement::Add(std::string asked, uint64_t threads, int digits,
                    Bound bound, std::optional<double> limit,
                    const Measure& measure) {
  Criterion criterion{std::move(asked), threads, digits, {}};
  for (const size_t contender : judged_) {
    Verdict verdict{measure(contender), limit};
    verdict.reached = verdict.measured.has_value() && limit.has_value() &&
                      Holds(*verdict.measured, bound, *limit);
    criterion.verdicts.push_back(verdict);
  }
  criteria_.push_back(std::move(criterion));
}

std::vector<size_t> Variants(const Results& results) {
  std::vector<size_t> variants;
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    if (results.contenders()[i].kind == Contender::kVariant) {
      variants.push_back(i);
    }
  }
  return variants;
}

std::vector<size_t> BackEnds(const Results& results) {
  std::vector<size_t> back_ends;
  for (size_t i = 0; i < results.contenders().size(); ++i) {
    const Contender& contender = results.contenders()[i];
    if (contender.kind == Contender::kVariant &&
        !absl::StrContains(contender.name, '-')) {
      back_ends.push_back(i);
    }
  }
  return back_ends;
}

std::string VerdictText(const Verdict& verdict, int digits) {
  if (!verdict.measured.has_value()) return "-";
  return absl::StrCat(Cell(verdict.measured, digits),
                      !verdict.limit.has_value() ? " ?"
                      : verdict.reached          ? " yes"
                                                 : " no");
}

std::vector<std::vector<std::string>> VerdictRows(const Results& results,
                                                  const Judgement& judgement) {
  const std::vector<Criterion>& criteria = judgement.criteria();
  const bool with_threads =
      std::any_of(criteria.begin(), criteria.end(),
                  [](const Criterion& each) { return each.threads != 0; });
  std::vector<std::vector<std::string>> rows = {{"asked and reached"}};
  if (with_threads) rows[0].push_back("threads");
  for (const size_t who : judgement.judged()) {
    rows[0].push_back(results.contenders()[who].name);
  }
  for (const Criterion& criterion : criteria) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(criterion.asked);
    if (with_threads) row.push_back(absl::StrCat(criterion.threads));
    for (const Verdict& verdict : criterion.verdicts) {
      row.push_back(VerdictText(verdict, criterion.digits));
    }
  }
  return rows;
}

}  // namespace hakmem::bench
