#include "tools/heap_profile/raw_profile.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hakmem::tools {
namespace {

struct RawSite {
  SiteValues values;
  std::vector<uint64_t> addresses;
};

struct RawProfile {
  uint64_t rate = 0;
  Amount dropped;
  std::vector<RawSite> sites;
  std::vector<Module> modules;
};

// Takes words from the front of a line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view Next() {
    const size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return word;
  }
  std::string_view Rest() const { return rest_; }

  bool Number(uint64_t* value) { return absl::SimpleAtoi(Next(), value); }
  bool Address(uint64_t* value) {
    std::string_view word = Next();
    return absl::ConsumePrefix(&word, "0x") && absl::SimpleHexAtoi(word, value);
  }
  bool BlocksAndBytes(Amount* amount) {
    return absl::SimpleAtoi(Next(), &amount->count) &&
           absl::SimpleAtoi(Next(), &amount->bytes);
  }

 private:
  std::string_view rest_;
};

bool ParseSite(Words& words, RawProfile& profile) {
  RawSite site;
  if (!words.BlocksAndBytes(&site.values.live) ||
      !words.BlocksAndBytes(&site.values.peak) ||
      !words.BlocksAndBytes(&site.values.allocated)) {
    return false;
  }
  while (!words.AtEnd()) {
    uint64_t address = 0;
    if (!words.Address(&address)) return false;
    site.addresses.push_back(address);
  }
  profile.sites.push_back(std::move(site));
  return true;
}

bool ParseMap(Words& words, RawProfile& profile) {
  Module module;
  if (!words.Address(&module.begin) || !words.Address(&module.end) ||
      !words.Address(&module.offset)) {
    return false;
  }
  module.build_id = words.Next();
  if (module.build_id == "-") module.build_id.clear();
  module.path = words.Rest();
  if (module.path.empty() || module.begin >= module.end) return false;
  profile.modules.push_back(std::move(module));
  return true;
}

// Lines of other kinds tell what is known otherwise.
bool ParseLine(std::string_view line, RawProfile& profile) {
  Words words(line);
  const std::string_view kind = words.Next();
  if (kind == "site") return ParseSite(words, profile);
  if (kind == "map") return ParseMap(words, profile);
  if (kind == "rate") return words.Number(&profile.rate);
  if (kind == "dropped") return words.BlocksAndBytes(&profile.dropped);
  return true;
}

absl::Status ParseRaw(std::string_view text, RawProfile& profile) {
  if (!absl::ConsumePrefix(&text, "hakmem heap profile 1\n")) {
    return absl::InvalidArgumentError(
        "not a heap profile of this version of HAKMEM");
  }
  int number = 1;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line == "end") return absl::OkStatus();
    if (!line.empty() && !ParseLine(line, profile)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " of the heap profile is damaged"));
    }
  }
  return absl::InvalidArgumentError("the heap profile is cut short");
}

}  // namespace

size_t ProfileMerger::ModuleOf(const Module& module) {
  const auto [at, is_new] = modules_.try_emplace({module.path, module.build_id},
                                                 profile_.modules.size());
  if (is_new) {
    profile_.modules.push_back(module);
  } else {
    // Code in several pieces, or of several processes.
    Module& known = profile_.modules[at->second];
    if (module.begin - module.offset == known.begin - known.offset) {
      if (module.begin < known.begin) {
        known.begin = module.begin;
        known.offset = module.offset;
      }
      known.end = std::max(known.end, module.end);
    }
  }
  return at->second;
}

size_t ProfileMerger::LocationOf(size_t module, uint64_t offset) {
  const auto [at, is_new] =
      locations_.try_emplace({module, offset}, profile_.locations.size());
  if (is_new) profile_.locations.push_back({module, offset, {}});
  return at->second;
}

absl::Status ProfileMerger::Add(std::string_view text) {
  RawProfile raw;
  if (absl::Status status = ParseRaw(text, raw); !status.ok()) return status;
  profile_.rate = std::max(profile_.rate, raw.rate);
  profile_.dropped.Add(raw.dropped);
  for (const RawSite& site : raw.sites) {
    std::vector<size_t> locations;
    for (const uint64_t address : site.addresses) {
      const auto in = std::find_if(
          raw.modules.begin(), raw.modules.end(), [&](const Module& module) {
            return address >= module.begin && address < module.end;
          });
      locations.push_back(
          in == raw.modules.end()
              ? LocationOf(kNoModule, address)
              : LocationOf(ModuleOf(*in), address - in->begin + in->offset));
    }
    const auto [at, is_new] =
        sites_.try_emplace(locations, profile_.sites.size());
    if (is_new) profile_.sites.push_back({std::move(locations), {}});
    profile_.sites[at->second].values.Add(site.values);
  }
  return absl::OkStatus();
}

}  // namespace hakmem::tools
