#include "benchmarks/testing/program_test_helper.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hakmem::bench {

ProcessResult RunProgram(const std::string& program,
                         std::vector<std::string> arguments,
                         const std::string& preload) {
  Interrupt interrupt;
  arguments.insert(arguments.begin(), program);
  return RunProcess(arguments, preload, std::chrono::seconds(120), interrupt);
}

testing::AssertionResult IsOneLineAndStatusTwo(const ProcessResult& result) {
  const bool is_one_line = !result.errors.empty() &&
                           result.errors.find('\n') == result.errors.size() - 1;
  if (result.ending == ProcessResult::kExited && result.code == 2 &&
      result.output.empty() && is_one_line) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << result.Describe() << "\nstdout: " << result.output
         << "\nstderr: " << result.errors;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Here(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

std::string BrokenMalloc() {
  return Here("benchmarks/testing/libbroken_malloc_test_helper.so");
}

}  // namespace hakmem::bench
