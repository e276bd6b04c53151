#include "benchmarks/harness/allocators.h"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/installed_library.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Allocators that distributions package, and the files they come as: an entry
// that ends in '*' is a prefix. The first file found is the one.
struct Packaged {
  const char* name;
  std::vector<const char*> files;
};
const std::vector<Packaged>& PackagedAllocators() {
  static const auto* const list = new std::vector<Packaged>{
      {"mimalloc", {"libmimalloc.so.2*", "libmimalloc.so*"}},
      {"jemalloc", {"libjemalloc.so.2"}},
      {"tcmalloc", {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4"}},
  };
  return *list;
}

// Another kind of a back-end.
struct Variant {
  const char* suffix;  // of the library //:libhakmem-BACKEND-SUFFIX.so
  const char* ace;
  const char* hardening;
};
constexpr Variant kVariants[] = {
    {"", "adaptive", "off"},       {"-ace_fixed", "fixed", "off"},
    {"-ace_off", "off", "off"},    {"-checks", "adaptive", "checks"},
    {"-full", "adaptive", "full"},
};

std::vector<Allocator> OurAllocators(const std::string& root) {
  std::vector<Allocator> all;
  for (const char* const back_end : {"segment", "superslab"}) {
    for (const Variant& variant : kVariants) {
      const std::string key = absl::StrCat(back_end, variant.suffix);
      Allocator ours{.key = key,
                     .title = absl::StrCat("HAKMEM ", key),
                     .role = Allocator::kOurs};
      ours.library = absl::StrCat(root, "/libhakmem-", key, ".so");
      ours.back_end = back_end;
      ours.ace = variant.ace;
      ours.hardening = variant.hardening;
      all.push_back(std::move(ours));
    }
  }
  return all;
}

bool IsAmong(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The name of the file that links lead to: it mostly ends in the version.
std::string RealName(const std::string& path) {
  std::error_code ignored;
  return fs::canonical(path, ignored).filename().string();
}

std::string Text(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

// Makes sure that preloading the library puts its malloc in place, and fills
// in the version. Empty, or what is wrong.
std::string Probe(const std::string& root, Interrupt& interrupt,
                  Allocator& allocator) {
  const std::string& library = allocator.library;
  std::error_code error;
  if (!fs::exists(library, error)) return "no such file";
  if (!IsSharedObjectForThisMachine(library)) {
    return "not a shared library for this machine";
  }
  if (library.find_first_of(" :") != std::string::npos) {
    return "a path with a space or colon cannot be preloaded";
  }
  const ProcessResult result = RunProcess(
      {absl::StrCat(root, "/", kRandomMixedWorker), "--slots=64",
       "--operations=64"},
      library, std::chrono::seconds(30), interrupt, allocator.environment);
  if (!result.ok()) return result.Describe();
  const json answer = json::parse(result.output, nullptr, false);
  if (!fs::equivalent(Text(answer, "malloc_library"), library, error)) {
    // The loader's own words, when it had any.
    return result.errors.empty()
               ? "preloaded, but it does not provide malloc"
               : absl::StrCat(
                     "cannot be preloaded: ",
                     result.errors.substr(0, result.errors.find('\n')));
  }
  allocator.version = Text(answer, "version");
  if (allocator.version.empty()) allocator.version = RealName(library);
  if (!allocator.environment.empty()) {
    absl::StrAppend(&allocator.version, " with ",
                    absl::StrJoin(allocator.environment, " "));
  }
  return "";
}

// Somebody who may take part, and what it means when that cannot be.
struct Candidate {
  Allocator allocator;
  bool may_be_absent = false;  // a broken package is not the user's mistake
};

Candidate* Find(std::vector<Candidate>& all, const std::string& key) {
  for (Candidate& each : all) {
    if (each.allocator.key == key) return &each;
  }
  return nullptr;
}

// Adds the allocators that the system has installed, and notes those it has
// not.
void AddPackaged(std::vector<Candidate>& all, std::vector<Absent>& absent) {
  for (const Packaged& packaged : PackagedAllocators()) {
    Allocator peer{.key = packaged.name, .title = packaged.name};
    for (const char* const file : packaged.files) {
      if (peer.library.empty()) peer.library = FindInstalledLibrary(file);
    }
    if (peer.library.empty()) {
      absent.push_back(
          {peer, absl::StrCat("not installed (no ",
                              absl::StrJoin(packaged.files, " or "),
                              " in the library folders)")});
    } else {
      all.push_back({peer, true});
    }
  }
}

// Whether the suite or the user wants the variant of HAKMEM.
bool IsWanted(const Allocator& ours, const Options& options) {
  if (ours.is_default_variant()) return true;
  const bool of_suite = ours.hardening == "off" && options.suite->pool_variants;
  return of_suite || IsAmong(options.only, ours.key);
}

// Adds HAKMEM's variants. Those that Bazel has not built (the default target
// has the two that users get) are absent, unless there is no point without
// them: then the result is what to do.
std::string AddOurs(const Options& options, const std::string& root,
                    std::vector<Candidate>& all, std::vector<Absent>& absent) {
  const char* const target =
      options.suite->needs_pool_variants ? "ace" : "compare_all";
  std::vector<std::string> missing;
  for (Allocator& ours : OurAllocators(root)) {
    const bool is_named = IsAmong(options.only, ours.key);
    if (!IsWanted(ours, options) || (!options.only.empty() && !is_named)) {
      continue;
    }
    std::error_code error;
    if (fs::exists(ours.library, error) || ours.is_default_variant()) {
      all.push_back({std::move(ours)});
    } else if (is_named || options.suite->needs_pool_variants) {
      missing.push_back(ours.key);
    } else {
      absent.push_back({std::move(ours),
                        "not built (./bazelw run //benchmarks:compare_all "
                        "builds it)"});
    }
  }
  if (missing.empty()) return "";
  return absl::StrCat("--suite=", options.suite->key, " wants ",
                      absl::StrJoin(missing, ", "),
                      ", not built here: ./bazelw run //benchmarks:", target,
                      " -- ... builds them");
}

// Adds --peer and --peer-env; the result is empty, or what is wrong.
std::string AddNamed(const Options& options, std::vector<Candidate>& all) {
  for (const Peer& peer : options.peers) {
    if (Find(all, peer.name) != nullptr) {
      return absl::StrCat("--peer=", peer.name, "=", peer.library,
                          ": the name is taken");
    }
    Allocator named{.key = peer.name, .title = peer.name};
    named.library = UserPath(peer.library);
    all.push_back({std::move(named)});
  }
  for (const PeerVariable& variable : options.peer_variables) {
    Candidate* const peer = Find(all, variable.peer);
    if (peer == nullptr || peer->allocator.role != Allocator::kPeer ||
        peer->allocator.is_system) {
      return absl::StrCat("--peer-env=", variable.peer, ":", variable.variable,
                          ": no such peer here");
    }
    peer->allocator.environment.push_back(variable.variable);
  }
  for (const std::string& name : options.only) {
    if (Find(all, name) != nullptr) continue;
    return absl::StrCat(
        "--only=", name, ": no such allocator here; there are ",
        absl::StrJoin(all, ", ", [](std::string* out, const Candidate& each) {
          absl::StrAppend(out, each.allocator.key);
        }));
  }
  return "";
}

}  // namespace

std::string RunfilesRoot() {
  std::error_code error;
  std::vector<fs::path> candidates;
  // Around the program, as `bazel run` and `bazel test` start it...
  candidates.push_back(fs::current_path(error));
  // ...or beside it, as Bazel leaves it in its output tree. Last: while other
  // targets are built, that folder may be there in part.
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  for (const auto& entry :
       fs::directory_iterator(self.string() + ".runfiles", error)) {
    candidates.push_back(entry.path());
  }
  for (const fs::path& candidate : candidates) {
    if (access((candidate / kRandomMixedWorker).c_str(), X_OK) == 0) {
      return candidate.string();
    }
  }
  return "";
}

bool TakesPart(const Allocator& allocator, const Case& a_case) {
  if (allocator.role == Allocator::kFloor) return a_case.floor;
  return allocator.role != Allocator::kOurs || allocator.ace == "adaptive" ||
         a_case.pool_variants;
}

std::optional<Roster> FindAllocators(const Options& options,
                                     const std::vector<Case>& cases,
                                     const std::string& root,
                                     Interrupt& interrupt, std::string& error) {
  Roster roster;
  std::vector<Candidate> all;
  Allocator floor{
      .key = "floor", .title = "harness floor", .role = Allocator::kFloor};
  floor.version = "the loop alone";
  all.push_back({std::move(floor)});
  error = AddOurs(options, root, all, roster.absent);
  if (!error.empty()) return std::nullopt;
  Allocator glibc{.key = "glibc",
                  .title = absl::StrCat("glibc ", gnu_get_libc_version()),
                  .is_system = true};
  glibc.version = glibc.title;
  all.push_back({std::move(glibc)});
  AddPackaged(all, roster.absent);
  error = AddNamed(options, all);
  if (!error.empty()) return std::nullopt;

  for (Candidate& candidate : all) {
    Allocator& allocator = candidate.allocator;
    // The floor is what the others are measured from, wanted or not.
    if ((allocator.role != Allocator::kFloor && !options.only.empty() &&
         !IsAmong(options.only, allocator.key)) ||
        std::none_of(cases.begin(), cases.end(), [&](const Case& a_case) {
          return TakesPart(allocator, a_case);
        })) {
      continue;
    }
    if (!allocator.library.empty()) {
      const std::string problem = Probe(root, interrupt, allocator);
      if (interrupt.Requested()) return std::nullopt;
      if (!problem.empty()) {
        const std::string why = absl::StrCat(allocator.library, ": ", problem);
        if (!candidate.may_be_absent) {
          error = absl::StrCat(allocator.key, ": ", why);
          return std::nullopt;
        }
        roster.absent.push_back({std::move(allocator), why});
        continue;
      }
    }
    roster.allocators.push_back(std::move(allocator));
  }
  return roster;
}

}  // namespace hakmem::bench
