// What a reader must know of the machine to make sense of figures from it.
// Nothing that names the machine or its user.
#ifndef HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_
#define HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_

#include <cstdint>
#include <string>

namespace hakmem::bench {

// Cores this process may use.
uint64_t UsableCores();

// How many runnable processes the machine had over the last minute, on
// average; 0 when it does not say.
double LoadAverage();

struct Machine {
  std::string cpu;
  uint64_t cores = 1;  // that this process may use
  std::string caches;  // "L1d 48 KiB, L2 1024 KiB"
  double memory_bytes = 0;
  std::string system;  // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;
  std::string huge_pages;  // "always", "madvise" or "never"
  double load_at_start = 0;
};

Machine DescribeMachine();

// "2026-11-29T17:00:00Z"
std::string Now();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_
