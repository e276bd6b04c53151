#include "benchmarks/harness/contenders.h"

#include <gnu/libc-version.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/harness/installed_library.h"
#include "benchmarks/harness/json.h"

namespace hakmem::bench {
namespace {

namespace fs = std::filesystem;

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

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// The name of the file that links lead to: it mostly ends in the version.
std::string RealName(const std::string& path) {
  std::error_code ignored;
  return fs::canonical(path, ignored).filename().string();
}

// Makes sure that preloading the library puts its malloc in place, and fills
// in the version. The error has no name in front.
absl::Status Probe(const std::vector<std::string>& command,
                   Interrupt& interrupt, Contender& contender) {
  const std::string& library = contender.library;
  std::error_code error;
  if (!fs::exists(library, error)) return Bad("no such file");
  if (!IsSharedObjectForThisMachine(library)) {
    return Bad("not a shared library for this machine");
  }
  if (library.find_first_of(" :") != std::string::npos) {
    return Bad("a path with a space or colon cannot be preloaded");
  }
  const ProcessResult result =
      RunProcess(command, library, std::chrono::seconds(30), interrupt,
                 contender.environment);
  if (result.ending == ProcessResult::kInterrupted) {
    return absl::CancelledError("interrupted");
  }
  if (!result.ok()) return Bad(result.Describe());
  const auto answer = Json::Parse(result.output);
  const std::string used =
      answer.has_value() ? (*answer)["malloc_library"].text() : "";
  if (!fs::equivalent(used, library, error)) {
    // The loader's own words, when it had any.
    return Bad(
        result.errors.empty()
            ? "preloaded, but it does not provide malloc"
            : absl::StrCat("cannot be preloaded: ",
                           result.errors.substr(0, result.errors.find('\n'))));
  }
  contender.version = (*answer)["version"].text();
  if (contender.version.empty()) contender.version = RealName(library);
  if (!contender.environment.empty()) {
    absl::StrAppend(&contender.version, " with ",
                    absl::StrJoin(contender.environment, " "));
  }
  return absl::OkStatus();
}

// A contender that may take part, and what it means when it cannot.
struct Candidate {
  Contender contender;
  bool may_be_absent;  // a broken package is not the user's mistake
};

// Adds the allocators that the system has installed, and notes those it has
// not.
void AddPackaged(std::vector<Candidate>& all,
                 std::vector<std::string>& absent) {
  for (const Packaged& packaged : PackagedAllocators()) {
    std::string library;
    for (const char* const file : packaged.files) {
      if (library.empty()) library = FindInstalledLibrary(file);
    }
    if (library.empty()) {
      absent.push_back(absl::StrCat(packaged.name, ": not installed (no ",
                                    absl::StrJoin(packaged.files, " or "),
                                    " in the library folders)"));
    } else {
      all.push_back({{packaged.name, Contender::kPeer, library, ""}, true});
    }
  }
}

bool IsAmong(const std::vector<Candidate>& all, const std::string& name) {
  return std::any_of(all.begin(), all.end(), [&](const Candidate& each) {
    return each.contender.name == name;
  });
}

}  // namespace

std::string RunfilesRoot(const Field& field) {
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
    if (access(WorkerPath(field, candidate.string()).c_str(), X_OK) == 0) {
      return candidate.string();
    }
  }
  return "";
}

std::string WorkerPath(const Field& field, const std::string& root) {
  return absl::StrCat(root, "/", field.worker);
}

absl::StatusOr<Roster> FindContenders(const Field& field,
                                      const RunOptions& options,
                                      const std::string& root,
                                      Interrupt& interrupt) {
  Roster roster;
  std::vector<Candidate> all;
  if (field.floor) {
    all.push_back({{"floor", Contender::kFloor, "", "the loop alone"}, false});
  }
  const auto add_variant = [&](const std::string& variant) {
    all.push_back({{variant, Contender::kVariant,
                    absl::StrCat(root, "/libhakmem-", variant, ".so"), ""},
                   false});
  };
  for (const std::string& variant : field.variants) add_variant(variant);
  for (const std::string& variant : field.variants_on_request) {
    if (std::find(options.only.begin(), options.only.end(), variant) !=
        options.only.end()) {
      add_variant(variant);
    }
  }
  all.push_back({{"glibc", Contender::kGlibc, "",
                  absl::StrCat("glibc ", gnu_get_libc_version())},
                 false});
  AddPackaged(all, roster.absent);
  for (const Peer& peer : options.peers) {
    if (IsAmong(all, peer.name)) {
      return Bad(absl::StrCat("--peer=", peer.name, "=", peer.library,
                              ": the name is taken"));
    }
    all.push_back(
        {{peer.name, Contender::kPeer, UserPath(peer.library), ""}, false});
  }
  for (const PeerVariable& variable : options.peer_variables) {
    const auto peer =
        std::find_if(all.begin(), all.end(), [&](const Candidate& each) {
          return each.contender.name == variable.peer &&
                 each.contender.kind == Contender::kPeer;
        });
    if (peer == all.end()) {
      return Bad(absl::StrCat("--peer-env=", variable.peer, ":",
                              variable.variable, ": no such peer here"));
    }
    peer->contender.environment.push_back(variable.variable);
  }
  for (const std::string& name : options.only) {
    if (IsAmong(all, name)) continue;
    return Bad(absl::StrCat(
        "--only=", name, ": no such allocator here; there are ",
        absl::StrJoin(all, ", ", [](std::string* out, const Candidate& each) {
          absl::StrAppend(out, each.contender.name);
        })));
  }

  std::vector<std::string> probe = {WorkerPath(field, root)};
  probe.insert(probe.end(), field.probe.begin(), field.probe.end());
  for (Candidate& candidate : all) {
    Contender& contender = candidate.contender;
    // The floor is what the others are measured from, wanted or not.
    if (contender.kind != Contender::kFloor && !options.only.empty() &&
        std::find(options.only.begin(), options.only.end(), contender.name) ==
            options.only.end()) {
      continue;
    }
    if (!contender.library.empty()) {
      const absl::Status status = Probe(probe, interrupt, contender);
      if (absl::IsCancelled(status)) return status;
      if (!status.ok()) {
        const std::string line = absl::StrCat(
            contender.name, ": ", contender.library, ": ", status.message());
        if (!candidate.may_be_absent) return Bad(line);
        roster.absent.push_back(line);
        continue;
      }
    }
    roster.contenders.push_back(std::move(contender));
  }
  return roster;
}

}  // namespace hakmem::bench
