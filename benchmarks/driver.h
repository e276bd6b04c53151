// The course of a program that compares allocators: reads the command line,
// finds who takes part, runs them, prints the report and writes the files.
#ifndef HAKMEM_BENCHMARKS_DRIVER_H_
#define HAKMEM_BENCHMARKS_DRIVER_H_

namespace hakmem::bench {

// Returns the exit status: 0; 1 when an allocator failed, a file could not be
// written, or something became worse since the result in --against; 2 on bad
// input, which is one line on stderr; 130 when interrupted (the report then
// holds what there is). `default_suite`: what runs without --suite.
int DriverMain(const char* default_suite, int argc, char** argv);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_DRIVER_H_
