#include <string>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/cxx_source.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

// The headers take as long as some two of them.
constexpr uint64_t kFunctions = 4;

void Compile(Run& run, const char* workload, const char* compiler,
             uint64_t functions) {
  const std::string path = NeedProgram(workload, compiler);
  const Folder folder;
  const std::string expected = WriteCxxSource("large.cc", functions);
  run.FinishWith(RunCommand(
      {.program = path,
       .arguments = {"-std=c++17", "-O1", "-c", "large.cc", "-o", "large.o"}}));
  run.Count(functions);

  // Only a sound object file makes a program that comes to the right result.
  RunCommand({.program = path,
              .arguments = {"large.o", "-o", "large"},
              .preload = Preload::kNothing});
  std::string result;
  RunCommand(
      {.program = "./large", .arguments = {}, .preload = Preload::kNothing},
      &result);
  ExpectResult(std::string(compiler) + "'s program", result, expected);
}

}  // namespace

void Gxx(Run& run) { Compile(run, "gxx", "g++", run.Scaled(kFunctions)); }

void Clang(Run& run) {
  Compile(run, "clang", "clang++", run.Scaled(kFunctions));
}

}  // namespace hakmem::bench
