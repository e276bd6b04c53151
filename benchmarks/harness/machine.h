// What a reader must know of the machine to make sense of figures from it.
// Nothing that names the machine or its user.
#ifndef HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_
#define HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hakmem::bench {

// Cores this process may use.
uint64_t UsableCores();

// How many runnable processes the machine had over the last minute, on
// average; 0 when it does not say.
double LoadAverage();

// Label and value, e.g. {"cpu", "..."}, {"cores", "2"}; in the order in which
// they should be shown. Labels are lower case and never change.
std::vector<std::pair<std::string, std::string>> DescribeMachine();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_MACHINE_H_
