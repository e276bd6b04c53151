#include "tools/soak/plan.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tools/soak/random.h"

namespace hakmem::soak {
namespace {

using std::chrono::milliseconds;

// Values of an option that rounds choose from, beside leaving it as it is.
struct Choice {
  const char* variable;
  // A round in this many sets it.
  size_t one_in;
  std::vector<const char*> values;
};

const std::vector<Choice>& Choices() {
  static const std::vector<Choice> choices = {
      {"HAKMEM_DECAY", 2, {"0", "1", "30", "3600000"}},
      {"HAKMEM_HUGE_PAGES", 2, {"0", "2"}},
      {"HAKMEM_SUPERSLAB_BYTES", 3, {"512K", "700K", "1M", "1984K"}},
      {"HAKMEM_BIN_BYTES", 3, {"0", "64", "1K", "8K"}},
      {"HAKMEM_ACE_WASTE_PERCENT", 4, {"0", "1", "50", "100"}},
      {"HAKMEM_ACE_LIMIT_MB", 4, {"1", "8", "40", "100"}},
      {"HAKMEM_EVENTS", 5, {"1"}},
      {"HAKMEM_ACE_TRACE", 4, {"/dev/null"}},
      {"HAKMEM_ACE_TRACE_STACK", 4, {"1"}},
      {"HAKMEM_GUARD_SAMPLE", 4, {"1", "100", "10000"}},
      {"HAKMEM_ZERO_ON_FREE", 6, {"1"}},
      {"HAKMEM_QUARANTINE", 6, {"0", "16M"}},
  };
  return choices;
}

// The variants that have the adaptive ACE, by the ends of their names; of four
// rounds two run the default one.
constexpr const char* kAdaptiveKinds[] = {
    "", "", "", "", "-notrace", "-notrace", "-checks", "-full"};

// The file of our variant for this round: back-ends take turns, and of each the
// variants of ACE. Of the adaptive ones some are without tracing or hardened.
std::string Library(const SoakFlags& flags, uint64_t number, Random& random) {
  const char* const kind =
      kAdaptiveKinds[random.Below(std::size(kAdaptiveKinds))];
  if (!flags.library.empty()) return flags.library;
  const size_t backends = flags.backends.size();
  const std::string& ace = flags.aces[number / backends % flags.aces.size()];
  const std::string suffix =
      ace == "adaptive" ? kind : absl::StrCat("-ace_", ace);
  return absl::StrCat("libhakmem-", flags.backends[number % backends], suffix,
                      "-verify.so");
}

// From 10 to 60 s; less where each variant is to have its turn in less.
milliseconds Length(const SoakFlags& flags, Random& random) {
  const size_t turns =
      flags.library.empty() ? 2 * flags.backends.size() * flags.aces.size() : 2;
  const double share = flags.minutes * 60'000 / static_cast<double>(turns);
  const size_t most =
      std::clamp(static_cast<size_t>(share), size_t{1000}, size_t{60'000});
  return milliseconds(random.Between(std::min(most, size_t{10'000}), most));
}

}  // namespace

Round PlanRound(const SoakFlags& flags, uint64_t seed, uint64_t number) {
  Random random(seed ^ Mix(number));
  Round round;
  round.number = number;
  round.seed = random.Next();
  round.library = Library(flags, number, random);
  round.threads = random.Between(1, flags.threads);
  round.length = Length(flags, random);
  for (const Choice& choice : Choices()) {
    if (!random.OneIn(choice.one_in)) continue;
    round.options.push_back(
        absl::StrCat(choice.variable, "=",
                     choice.values[random.Below(choice.values.size())]));
  }
  return round;
}

}  // namespace hakmem::soak
