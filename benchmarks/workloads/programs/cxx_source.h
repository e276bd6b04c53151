// A large C++ file to compile.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CXX_SOURCE_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CXX_SOURCE_H_

#include <stdint.h>

#include <string>

namespace hakmem::bench {

// Writes a C++17 program that includes much of the standard library and has so
// many functions, each of which instantiates templates of its own. Returns what
// the program prints.
std::string WriteCxxSource(const std::string& name, uint64_t functions);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CXX_SOURCE_H_
