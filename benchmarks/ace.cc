// Shows what HAKMEM's adaptive pool earns (ace_suite.h):
//
//   ./bazelw run //benchmarks:ace -- [flags]      (--help lists them)
//
// Exit status: 0; 1 when an allocator failed or a file could not be written;
// 2 on bad flags or a library that cannot be preloaded; 130 when interrupted
// (the report then holds what there is).
#include "benchmarks/ace_suite.h"

int main(int argc, char** argv) {
  return hakmem::bench::RunWorkloadSuite(hakmem::bench::AceSuite(), argc, argv);
}
