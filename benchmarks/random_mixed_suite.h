// `compare --suite=random-mixed`: working sets and numbers of threads of the
// user's choice.
#ifndef HAKMEM_BENCHMARKS_RANDOM_MIXED_SUITE_H_
#define HAKMEM_BENCHMARKS_RANDOM_MIXED_SUITE_H_

#include "benchmarks/driver.h"
#include "benchmarks/harness/contenders.h"
#include "benchmarks/harness/options.h"

namespace hakmem::bench {

// The back-ends, all others, and the floor.
Field RandomMixedField();

// Without its program's name.
Suite RandomMixedSuite(const Options& options);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_RANDOM_MIXED_SUITE_H_
