// HeapProfile: what one or more processes had allocated, by call stack.
//
// Made from the text that the library writes (raw_profile.h) or from a file for
// pprof (pprof_format.h). A place in the code is known by its module and its
// address there, so that processes with other load addresses can be merged.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_HEAP_PROFILE_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_HEAP_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hakmem::tools {

// Blocks and bytes, estimated from samples; negative in a difference.
struct Amount {
  int64_t count = 0;
  int64_t bytes = 0;

  void Add(const Amount& other) {
    count += other.count;
    bytes += other.bytes;
  }
};

struct SiteValues {
  Amount live;       // at the end
  Amount peak;       // when the process's total was highest
  Amount allocated;  // ever

  void Add(const SiteValues& other) {
    live.Add(other.live);
    peak.Add(other.peak);
    allocated.Add(other.allocated);
  }
};

struct SourceLine {
  std::string function;  // demangled
  std::string file;      // may be empty
  int64_t line = 0;      // 0: unknown
};

struct Module {
  std::string path;
  std::string build_id;  // hexadecimal; may be empty
  // Where one of the processes had its code.
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t offset = 0;  // of `begin` in the file
};

inline constexpr size_t kNoModule = SIZE_MAX;

struct Location {
  size_t module = kNoModule;  // index of a Module
  // In the file of the module; without one, in the process.
  uint64_t offset = 0;
  // The functions there, the innermost of those that are inlined first.
  std::vector<SourceLine> lines;
};

struct Site {
  std::vector<size_t> locations;  // innermost first
  SiteValues values;
};

struct HeapProfile {
  uint64_t rate = 0;  // bytes a sample
  Amount dropped;     // sampled but not in any site
  std::vector<Module> modules;
  std::vector<Location> locations;
  std::vector<Site> sites;

  SiteValues Total() const {
    SiteValues total;
    for (const Site& site : sites) total.Add(site.values);
    return total;
  }
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_HEAP_PROFILE_H_
