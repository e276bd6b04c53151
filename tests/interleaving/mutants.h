// Mutants: the same program with one memory order weakened. Each must fail;
// otherwise the order is stronger than needed, or the program does not exercise
// it.
//
//   EXPECT_THAT(WeakenEach("x.h", explore).texts, ElementsAre());
#ifndef HAKMEM_TESTS_INTERLEAVING_MUTANTS_H_
#define HAKMEM_TESTS_INTERLEAVING_MUTANTS_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/interleaving/interleaver.h"

namespace interleaver {

struct Survivors {
  std::vector<std::string> texts;  // "file operation order -> weaker", sorted
  int tried = 0;
};

// Calls explore(options), which must pass unmodified, with each memory order of
// `file` (a name without folders) weakened by one degree; returns those for
// which it still passes.
Survivors WeakenEach(const std::string& file,
                     const std::function<Result(const Options&)>& explore,
                     const Options& options = {});

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_MUTANTS_H_
