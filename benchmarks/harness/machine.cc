#include "benchmarks/harness/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hakmem::bench {
namespace {

// What follows `separator` in the first line of the file that begins with
// `key`; "unknown" when there is none.
std::string Lookup(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, key)) continue;
    const size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    std::string_view value =
        absl::StripAsciiWhitespace(std::string_view(line).substr(at + 1));
    absl::ConsumePrefix(&value, "\"");
    absl::ConsumeSuffix(&value, "\"");
    return std::string(value);
  }
  return "unknown";
}

// "always", "madvise" or "never": the one in brackets.
std::string HugePageMode() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(file, line);
  const size_t open = line.find('[');
  const size_t close = line.find(']');
  if (open == std::string::npos || close == std::string::npos) {
    return "unknown";
  }
  return line.substr(open + 1, close - open - 1);
}

std::string Caches() {
  std::string text;
  const auto add = [&](const char* name, int key) {
    const long bytes = sysconf(key);
    if (bytes <= 0) return;
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ", bytes / 1024,
                    " KiB");
  };
#ifdef _SC_LEVEL1_DCACHE_SIZE
  add("L1d", _SC_LEVEL1_DCACHE_SIZE);
  add("L2", _SC_LEVEL2_CACHE_SIZE);
  add("L3", _SC_LEVEL3_CACHE_SIZE);
#endif
  return text.empty() ? "unknown" : text;
}

}  // namespace

uint64_t UsableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<uint64_t>(CPU_COUNT(&set));
  }
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : static_cast<uint64_t>(cores);
}

double LoadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

Machine DescribeMachine() {
  utsname system;
  uname(&system);
  Machine machine;
  machine.cpu = Lookup("/proc/cpuinfo", "model name", ':');
  machine.cores = UsableCores();
  machine.caches = Caches();
  machine.memory_bytes = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                         static_cast<double>(sysconf(_SC_PAGESIZE));
  machine.system = Lookup("/etc/os-release", "PRETTY_NAME", '=');
  machine.kernel =
      absl::StrCat(system.sysname, " ", system.release, " ", system.machine);
  machine.huge_pages = HugePageMode();
  machine.load_at_start = LoadAverage();
  return machine;
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace hakmem::bench
