// Compares allocators:
//
//   ./bazelw run //benchmarks:compare -- [options]      (--help lists them)
//
// HAKMEM's back-ends, glibc and every other allocator that is installed run in
// processes of their own, interleaved; the report says what each costs, in time
// and in memory, against the others, and whether the project's goals are met.
// What runs is a suite (harness/suites.h). Exit status: driver.h.
#include "benchmarks/driver.h"

int main(int argc, char** argv) {
  return hakmem::bench::DriverMain("default", argc, argv);
}
