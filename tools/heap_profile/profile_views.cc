#include "tools/heap_profile/profile_views.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tools/text/human_bytes.h"
#include "tools/text/table.h"

namespace hakmem::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string Signed(int64_t bytes) {
  return absl::StrCat(bytes < 0 ? "-" : "",
                      HumanBytes(static_cast<uint64_t>(std::abs(bytes))));
}

// A name that fits a line; those of templates do not.
std::string Short(const std::string& function) {
  constexpr size_t kMost = 60;
  return function.size() <= kMost ? function
                                  : function.substr(0, kMost - 3) + "...";
}

// "make (shop.cc:12) < serve < main", the innermost functions.
std::string Where(const HeapProfile& profile, const Site& site) {
  constexpr int kMostFunctions = 4;
  std::string text;
  int shown = 0;
  for (const size_t location : site.locations) {
    for (const SourceLine& line : profile.locations[location].lines) {
      if (shown == kMostFunctions) return text;
      absl::StrAppend(&text, shown == 0 ? "" : " < ", Short(line.function));
      if (shown++ == 0 && !line.file.empty()) {
        absl::StrAppend(&text, " (",
                        std::filesystem::path(line.file).filename().string(),
                        ":", line.line, ")");
      }
    }
  }
  return text.empty() ? "(unknown: more stacks than are kept)" : text;
}

Json ToJson(const Amount& amount) {
  return {{"count", amount.count}, {"bytes", amount.bytes}};
}

Json ToJson(const SiteValues& values) {
  return {{"live", ToJson(values.live)},
          {"peak", ToJson(values.peak)},
          {"allocated", ToJson(values.allocated)}};
}

Json StackJson(const HeapProfile& profile, const Site& site) {
  Json stack = Json::array();
  for (const size_t index : site.locations) {
    const Location& location = profile.locations[index];
    for (const SourceLine& line : location.lines) {
      Json frame = {{"function", line.function}};
      if (!line.file.empty()) {
        frame["file"] = line.file;
        frame["line"] = line.line;
      }
      if (location.module != kNoModule) {
        frame["module"] = profile.modules[location.module].path;
      }
      frame["offset"] = absl::StrCat("0x", absl::Hex(location.offset));
      stack.push_back(std::move(frame));
    }
  }
  return stack;
}

bool HasNegative(const HeapProfile& profile) {
  return std::any_of(
      profile.sites.begin(), profile.sites.end(), [](const Site& site) {
        const SiteValues& v = site.values;
        return v.live.bytes < 0 || v.peak.bytes < 0 || v.allocated.bytes < 0;
      });
}

// The sites' numbers, the largest first.
std::vector<size_t> Order(const HeapProfile& profile) {
  const bool by_change = HasNegative(profile);
  const auto key = [&](size_t i) {
    const SiteValues& v = profile.sites[i].values;
    return by_change
               ? std::tuple(std::abs(v.live.bytes), std::abs(v.peak.bytes),
                            std::abs(v.allocated.bytes))
               : std::tuple(v.peak.bytes, v.live.bytes, v.allocated.bytes);
  };
  std::vector<size_t> order(profile.sites.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return key(a) > key(b); });
  return order;
}

// The names of a site's stack, by which the same site of two profiles is known.
std::vector<std::string> Names(const HeapProfile& profile, const Site& site) {
  std::vector<std::string> names;
  for (const size_t location : site.locations) {
    for (const SourceLine& line : profile.locations[location].lines) {
      names.push_back(line.function);
    }
  }
  return names;
}

void Subtract(const Amount& other, Amount& amount) {
  amount.count -= other.count;
  amount.bytes -= other.bytes;
}

}  // namespace

std::string ProfileTable(const HeapProfile& profile, size_t top) {
  Table table({"live", "peak", "allocated", "where"},
              {Table::Align::kRight, Table::Align::kRight, Table::Align::kRight,
               Table::Align::kLeft});
  const SiteValues total = profile.Total();
  table.AddRow({Signed(total.live.bytes), Signed(total.peak.bytes),
                Signed(total.allocated.bytes),
                absl::StrCat("in total, ", profile.sites.size(), " sites")});
  const std::vector<size_t> order = Order(profile);
  for (size_t i = 0; i < std::min(top, order.size()); ++i) {
    const Site& site = profile.sites[order[i]];
    table.AddRow({Signed(site.values.live.bytes),
                  Signed(site.values.peak.bytes),
                  Signed(site.values.allocated.bytes), Where(profile, site)});
  }
  std::string text = table.Render();
  if (profile.dropped.count != 0) {
    absl::StrAppend(&text, "Not in it: ", profile.dropped.count, " blocks of ",
                    Signed(profile.dropped.bytes),
                    ", sampled while the table was full; a larger --rate "
                    "samples fewer.\n");
  }
  return text;
}

std::string ProfileJson(const HeapProfile& profile) {
  Json sites = Json::array();
  for (const size_t i : Order(profile)) {
    const Site& site = profile.sites[i];
    Json json = ToJson(site.values);
    json["stack"] = StackJson(profile, site);
    sites.push_back(std::move(json));
  }
  const Json all = {{"rate", profile.rate},
                    {"total", ToJson(profile.Total())},
                    {"dropped", ToJson(profile.dropped)},
                    {"sites", std::move(sites)}};
  // What is not UTF-8 in a name is replaced.
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

HeapProfile ProfileDifference(const HeapProfile& before,
                              const HeapProfile& after) {
  HeapProfile difference = after;
  difference.sites.clear();
  std::map<std::vector<std::string>, size_t> known;
  const auto site_of = [&](const HeapProfile& of, const Site& site,
                           size_t first_location) -> SiteValues& {
    const auto [at, is_new] =
        known.try_emplace(Names(of, site), difference.sites.size());
    if (is_new) {
      Site& fresh = difference.sites.emplace_back();
      for (const size_t location : site.locations) {
        fresh.locations.push_back(first_location + location);
      }
    }
    return difference.sites[at->second].values;
  };
  for (const Site& site : after.sites) site_of(after, site, 0).Add(site.values);
  const size_t first_module = difference.modules.size();
  const size_t first_location = difference.locations.size();
  difference.modules.insert(difference.modules.end(), before.modules.begin(),
                            before.modules.end());
  for (Location location : before.locations) {
    if (location.module != kNoModule) location.module += first_module;
    difference.locations.push_back(std::move(location));
  }
  for (const Site& site : before.sites) {
    SiteValues& values = site_of(before, site, first_location);
    Subtract(site.values.live, values.live);
    Subtract(site.values.peak, values.peak);
    Subtract(site.values.allocated, values.allocated);
  }
  std::erase_if(difference.sites, [](const Site& site) {
    const SiteValues& v = site.values;
    return v.live.bytes == 0 && v.peak.bytes == 0 && v.allocated.bytes == 0;
  });
  return difference;
}

}  // namespace hakmem::tools
