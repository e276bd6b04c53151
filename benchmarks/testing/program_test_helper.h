// For tests that run one of the programs here and look at what it says.
#ifndef HAKMEM_BENCHMARKS_TESTING_PROGRAM_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_TESTING_PROGRAM_TEST_HELPER_H_

#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "gtest/gtest.h"

namespace hakmem::bench {

// Runs the program, a file as the source tree has it, for two minutes at most.
ProcessResult RunProgram(const std::string& program,
                         std::vector<std::string> arguments,
                         const std::string& preload = "");

// How programs take bad input: exit status 2 and one line on stderr.
testing::AssertionResult IsOneLineAndStatusTwo(const ProcessResult& result);

bool Contains(const std::string& text, const std::string& part);

// Empty when there is no such file.
std::string ReadFile(const std::string& path);

// The absolute path of a file as the source tree has it.
std::string Here(const std::string& path);

// The allocator whose blocks overlap, if the test has it among its data.
std::string BrokenMalloc();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_TESTING_PROGRAM_TEST_HELPER_H_
