#include "tests/fast_path/fast_path.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/fast_path/measured_functions.h"

namespace hakmem::bench {
namespace {

// So many calls must take the same path for it to count.
constexpr int kLeastAgreeing = 3;

// "mov", "mov(load)", "lock xadd(load+store)"
std::string Word(const Instruction& instruction) {
  std::string touches;
  if (instruction.loads > 0) touches = "load";
  if (instruction.stores > 0) {
    absl::StrAppend(&touches, touches.empty() ? "" : "+", "store");
  }
  return touches.empty()
             ? instruction.mnemonic
             : absl::StrCat(instruction.mnemonic, "(", touches, ")");
}

void Add(const Instruction& instruction, PathCounts& counts) {
  ++counts.instructions;
  counts.branches += instruction.is_branch ? 1 : 0;
  counts.loads += instruction.loads;
  counts.stores += instruction.stores;
  counts.atomics += instruction.is_atomic ? 1 : 0;
  counts.pushes_and_pops += instruction.is_push_or_pop ? 1 : 0;
  counts.calls += instruction.is_call ? 1 : 0;
}

// The hop into `function`, added when it is the first.
Hop& HopInto(const std::string& function, std::vector<Hop>& hops) {
  for (Hop& hop : hops) {
    if (hop.function == function) return hop;
  }
  return hops.emplace_back(Hop{function});
}

// Lines of words, with lines in brackets between them.
class Listing {
 public:
  void Append(const std::string& word) {
    absl::StrAppend(&line_, line_.empty() ? "" : " ", word);
  }
  void EndLine() {
    if (!line_.empty()) lines_.push_back(line_);
    line_.clear();
  }
  void Bracket(const std::string& text) {
    EndLine();
    lines_.push_back(absl::StrCat("[", text, "]"));
  }
  std::vector<std::string> Take() {
    EndLine();
    return std::move(lines_);
  }

 private:
  std::string line_;
  std::vector<std::string> lines_;
};

}  // namespace

FastPath Describe(const Disassembly& library,
                  const std::vector<uint64_t>& steps) {
  FastPath path;
  Listing listing;
  const std::string* function = nullptr;
  bool is_outside = false;
  uint64_t last = UINT64_MAX;
  for (const uint64_t step : steps) {
    // Each iteration of a `rep stos` is a step, but counts as one instruction.
    if (step == last) continue;
    last = step;
    const Instruction* const instruction = library.At(step);
    if (instruction == nullptr) {
      if (!is_outside) {
        ++path.counts.outside;
        listing.Bracket("outside");
      }
      is_outside = true;
      continue;
    }
    is_outside = false;
    const std::string* const now = &library.FunctionAt(step);
    if (function != nullptr && now != function) listing.Bracket(*now);
    Hop& hop = HopInto(*now, path.hops);
    if (now != function) ++hop.entries;
    ++hop.instructions;
    function = now;
    Add(*instruction, path.counts);
    listing.Append(Word(*instruction));
    if (instruction->EndsBlock()) listing.EndLine();
  }
  path.lines = listing.Take();
  return path;
}

absl::StatusOr<std::vector<uint64_t>> Settle(
    const std::vector<TracedCall>& calls, size_t function) {
  std::map<std::vector<uint64_t>, int> times;
  std::string lengths;
  for (const TracedCall& call : calls) {
    if (call.function != function) continue;
    ++times[call.steps];
    absl::StrAppend(&lengths, " ", call.steps.size());
  }
  const std::vector<uint64_t>* shortest = nullptr;
  for (const auto& [steps, count] : times) {
    if (count < kLeastAgreeing) continue;
    if (shortest == nullptr || steps.size() < shortest->size()) {
      shortest = &steps;
    }
  }
  if (shortest == nullptr) {
    return absl::InternalError(absl::StrCat(
        "no ", kLeastAgreeing, " calls of ", kMeasuredFunctions[function].name,
        " took the same path; steps of each:", lengths));
  }
  return *shortest;
}

absl::StatusOr<std::vector<FastPath>> CountFastPaths(
    const std::string& caller, const std::string& library) {
  const absl::StatusOr<Disassembly> code = Disassembly::Of(library);
  if (!code.ok()) return code.status();
  const auto calls = TraceCalls(caller, library);
  if (!calls.ok()) return calls.status();
  std::vector<FastPath> paths;
  for (size_t function = 0; function < kMeasuredFunctionCount; ++function) {
    const auto steps = Settle(*calls, function);
    if (!steps.ok()) return steps.status();
    if (code->At(steps->front()) == nullptr) {
      return absl::InternalError(
          absl::StrCat(library, " is not what was traced"));
    }
    paths.push_back(Describe(*code, *steps));
  }
  return paths;
}

}  // namespace hakmem::bench
