#include "tools/failure_scenarios/scenarios.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "base/os/calls/injected/fault_control.h"
#include "hakmem/hakmem.h"

namespace hakmem::tools {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// Hidden from the compiler, which warns of impossible requests and may drop
// those whose block nobody uses.
template <typename T>
T Opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

// Asks for blocks of `size` until one is refused; not for ever, if a limit is
// not kept.
void AllocateUntilRefused(size_t size) {
  for (size_t bytes = 0; bytes < 1024 * kMiB; bytes += size) {
    if (Opaque(malloc(size)) == nullptr) return;
  }
}

void SetSoftLimit(__rlimit_resource resource, uint64_t bytes) {
  rlimit limit;
  getrlimit(resource, &limit);
  limit.rlim_cur = bytes;
  setrlimit(resource, &limit);
}

// A field of /proc/self/statm, in bytes.
uint64_t Statm(int field) {
  std::ifstream file("/proc/self/statm");
  uint64_t pages = 0;
  for (int i = 0; i <= field; ++i) file >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t ReachAddressSpaceLimit() {
  const uint64_t limit = Statm(0) + 64 * kMiB;
  SetSoftLimit(RLIMIT_AS, limit);
  AllocateUntilRefused(5 * kMiB);
  return limit;
}

uint64_t ReachDataLimit() {
  const uint64_t limit = Statm(5) + 64 * kMiB;
  SetSoftLimit(RLIMIT_DATA, limit);
  AllocateUntilRefused(5 * kMiB);
  return limit;
}

uint64_t ReachAceLimit() {
  AllocateUntilRefused(20'000);
  return 4 * kMiB;  // as the environment says
}

// Cuts one mapping into pieces that cannot be one, until there are no more.
uint64_t ReachMapCount() {
  uint64_t limit = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> limit;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = (limit + 2) * page;
  void* const all = mmap(nullptr, bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) return 0;
  // Each second page splits what is left in three: two mappings more. The last
  // split may be refused for the second; a page at the end asks for only one.
  auto* const pages = static_cast<char*>(all);
  for (size_t at = page; at + page < bytes; at += 2 * page) {
    if (mprotect(pages + at, page, PROT_READ) != 0) break;
  }
  mprotect(pages + bytes - page, page, PROT_READ);
  AllocateUntilRefused(5 * kMiB);
  return limit;
}

uint64_t FailMmap() {
  auto* const fail = reinterpret_cast<decltype(&hakmem_test_fail_os_calls)>(
      dlsym(RTLD_DEFAULT, "hakmem_test_fail_os_calls"));
  if (fail == nullptr) return 0;
  fail(1, UINT64_MAX);
  AllocateUntilRefused(5 * kMiB);
  fail(0, 0);
  return 0;
}

uint64_t AskForMoreThanPtrdiffMax() {
  Opaque(malloc(Opaque(size_t{PTRDIFF_MAX} + 1)));
  return 0;
}

uint64_t OverflowCalloc() {
  Opaque(calloc(Opaque(SIZE_MAX / 2), 3));
  return 0;
}

uint64_t OverflowReallocarray() {
  Opaque(reallocarray(nullptr, Opaque(SIZE_MAX / 2), 3));
  return 0;
}

uint64_t AlignToNoPowerOfTwo() {
  void* block = nullptr;
  // Its result must be looked at.
  if (posix_memalign(&block, Opaque(size_t{48}), 100) == 0) free(block);
  return 0;
}

uint64_t AlignBeyondAnyAddress() {
  Opaque(aligned_alloc(Opaque(size_t{1} << 62), 100));
  return 0;
}

uint64_t AlignAndAskForMuch() {
  Opaque(memalign(Opaque(size_t{1} << 46), size_t{1} << 46));
  return 0;
}

}  // namespace

const std::vector<FailureScenario>& FailureScenarios() {
  static const auto* const all = new std::vector<FailureScenario>{
      {"rlimit_as", "RLIMIT_AS 64 MiB above use", "", false,
       ReachAddressSpaceLimit},
      {"rlimit_data", "RLIMIT_DATA 64 MiB above use", "", false,
       ReachDataLimit},
      {"ace_limit", "HAKMEM_ACE_LIMIT_MB=4", "HAKMEM_ACE_LIMIT_MB=4", false,
       ReachAceLimit},
      {"map_count", "vm.max_map_count mappings", "", false, ReachMapCount},
      {"injected_mmap", "mmap made to fail", "", true, FailMmap},
      {"impossible_size", "PTRDIFF_MAX + 1 bytes", "", false,
       AskForMoreThanPtrdiffMax},
      {"calloc_overflow", "count * size overflows", "", false, OverflowCalloc},
      {"reallocarray_overflow", "count * size overflows", "", false,
       OverflowReallocarray},
      {"odd_alignment", "alignment 48", "", false, AlignToNoPowerOfTwo},
      {"huge_alignment", "alignment 2^62", "", false, AlignBeyondAnyAddress},
      {"huge_aligned_size", "2^46 bytes aligned to 2^46", "", false,
       AlignAndAskForMuch},
  };
  return *all;
}

int RunScenarioHere(const std::string& name) {
  // Before memory is out.
  auto* const last_failure = reinterpret_cast<decltype(&hakmem_last_failure)>(
      dlsym(RTLD_DEFAULT, "hakmem_last_failure"));
  auto* const failure_json = reinterpret_cast<decltype(&hakmem_failure_json)>(
      dlsym(RTLD_DEFAULT, "hakmem_failure_json"));
  if (last_failure == nullptr || failure_json == nullptr) return 3;
  for (const FailureScenario& scenario : FailureScenarios()) {
    if (name != scenario.name) continue;
    const uint64_t set_limit = scenario.run();
    static hakmem_failure_t failure;
    if (last_failure(&failure, sizeof(failure)) != 1) return 4;
    static char json[4096];
    failure_json(&failure, json, sizeof(json));
    // dprintf needs no memory.
    dprintf(STDOUT_FILENO, "{\"set_limit\":%llu,\"failure\":%s}\n",
            static_cast<unsigned long long>(set_limit), json);
    // Without what exit would still allocate.
    _exit(0);
  }
  return 2;
}

}  // namespace hakmem::tools
