#include "benchmarks/workloads/programs/resident.h"

#include <stdlib.h>
#include <string.h>

#include <string>

#include "benchmarks/workloads/programs/folder.h"

namespace hakmem::bench {
namespace {

// The number after `label` in a file of /proc about the process; 0 when there
// is none.
uint64_t Number(pid_t process, const char* file, const char* label) {
  const std::string text =
      ReadFile("/proc/" + std::to_string(process) + "/" + file);
  const size_t at = text.find(label);
  if (at == std::string::npos) return 0;
  return strtoull(text.c_str() + at + strlen(label), nullptr, 10);
}

}  // namespace

uint64_t ResidentKibOf(pid_t process) {
  const uint64_t exact = Number(process, "smaps_rollup", "\nRss:");
  // A kernel older than 4.14 has its late figure only.
  return exact != 0 ? exact : Number(process, "status", "\nVmRSS:");
}

}  // namespace hakmem::bench
