// Who takes part in a comparison: the floor where there is one, variants of
// HAKMEM, glibc, the allocators that the system has installed, and those the
// user names.
#ifndef HAKMEM_BENCHMARKS_HARNESS_ALLOCATORS_H_
#define HAKMEM_BENCHMARKS_HARNESS_ALLOCATORS_H_

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/harness/case.h"
#include "benchmarks/harness/options.h"
#include "benchmarks/harness/process.h"

namespace hakmem::bench {

struct Allocator {
  enum Role {
    kFloor,  // the workload's loop with an inlined list in place of malloc
    kOurs,
    kPeer,
  };
  std::string key;
  std::string title;
  Role role = kPeer;
  bool is_system = false;    // glibc: what programs have now
  std::string library = {};  // what to preload; empty for the floor and glibc
  std::string version = {};  // what people should know it by
  std::vector<std::string> environment = {};  // "NAME=value"
  // Of ours.
  std::string back_end = {};
  std::string ace = "adaptive";   // or fixed, off
  std::string hardening = "off";  // or checks, full

  // Ours as users get it: what the verdicts are on.
  bool is_default_variant() const {
    return role == kOurs && ace == "adaptive" && hardening == "off";
  }
};

// An allocator that could not take part, and the reason (one line).
struct Absent {
  Allocator allocator;
  std::string why;
};

struct Roster {
  std::vector<Allocator> allocators;  // the floor is the first
  std::vector<Absent> absent;
};

// The folder under which Bazel laid out this program's data files, as the
// source tree has them; empty when there is none.
std::string RunfilesRoot();

// Finds everyone that `options` admit to any of `cases`, and makes sure, by
// running each for a moment, that preloading works. Nothing when one of HAKMEM,
// a --peer or a name in --only cannot take part: then `error` (one line) says
// which and why. Nothing and no error: interrupted.
std::optional<Roster> FindAllocators(const Options& options,
                                     const std::vector<Case>& cases,
                                     const std::string& root,
                                     Interrupt& interrupt, std::string& error);

// Whether the allocator runs in the case.
bool TakesPart(const Allocator& allocator, const Case& a_case);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_ALLOCATORS_H_
