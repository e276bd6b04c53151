// What the library says about itself when it is loaded: with the option verbose
// one line, so that a user sees that it is there and how it was set; and a line
// for each option that this build ignores.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "base/text/output.h"
#include "hakmem/hakmem.h"
#include "hardening/levels.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {
namespace {

// An option that only some builds heed: the others do as if it were 0.
// (HAKMEM_EVENTS can fail otherwise, too: events_api.cc.)
struct Conditional {
  options::Option option;
  bool is_heeded;
  const char* built;
};

constexpr Conditional kConditional[] = {
    {options::k_quarantine, kQuarantinesFreed, "without --//hardening=full"},
    {options::k_zero_on_free, kQuarantinesFreed, "without --//hardening=full"},
    {options::k_ace_trace, kTracing, "with --//tracing=off"},
    {options::k_profile, kTracing, "with --//tracing=off"},
};

bool IsDefault(options::Option option) {
  return options::Get(option) == options::Describe(option).fallback;
}

void SayWhatIsIgnored() {
  for (const Conditional& setting : kConditional) {
    if (setting.is_heeded || IsDefault(setting.option) ||
        options::Get(setting.option) == 0) {
      continue;
    }
    LogLine()
        .Text(options::Describe(setting.option).environment)
        .Text(" is ignored: built ")
        .Text(setting.built)
        .Send();
  }
}

// "HAKMEM_DECAY=0, HAKMEM_EVENTS=1"
void WriteSettings(TextBuffer& out) {
  const char* before = "; ";
  for (size_t i = 0; i < options::kCount; ++i) {
    const auto option = static_cast<options::Option>(i);
    if (option == options::k_verbose || IsDefault(option)) continue;
    const options::Description& d = options::Describe(option);
    out.Text(before).Text(d.environment).Text("=");
    const char* const path =
        d.type == options::Type::kOutput ? options::OutputPath(option) : "";
    *path != '\0' ? out.Text(path) : out.Decimal(options::Get(option));
    before = ", ";
  }
}

void SayThatItIsThere() {
  char text[1024];
  TextBuffer out(text, sizeof(text) - 1);
  out.Text(hakmem_version()).Text(" in ");
  WriteModuleOf(reinterpret_cast<uintptr_t>(&hakmem_version), out);
  WriteSettings(out);
  SendLineToStderr(text, std::min(out.length(), sizeof(text) - 1));
}

// After options::Read (begin.cc).
__attribute__((constructor(102))) void SayAtLoad() {
  if (options::Get(options::k_verbose) != 0) SayThatItIsThere();
  SayWhatIsIgnored();
}

}  // namespace
}  // namespace hakmem
