// `compare` with --suite=ace for a default: what HAKMEM's adaptive pool earns.
//
//   ./bazelw run //benchmarks:ace -- [options]      (--help lists them)
#include "benchmarks/driver.h"

int main(int argc, char** argv) {
  return hakmem::bench::DriverMain("ace", argc, argv);
}
