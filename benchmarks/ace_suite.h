// The suite that shows what ACE, HAKMEM's adaptive pool for sizes above tiny,
// earns: both back-ends with it adaptive, fixed and off, beside glibc and the
// peers, on the workloads of workloads/ace.h.
#ifndef HAKMEM_BENCHMARKS_ACE_SUITE_H_
#define HAKMEM_BENCHMARKS_ACE_SUITE_H_

#include "benchmarks/criteria.h"
#include "benchmarks/harness/results.h"
#include "benchmarks/workload_suite.h"

namespace hakmem::bench {

WorkloadSuite AceSuite();

// What was asked of the adaptive variant of each back-end, which is the one
// that bears the name of the back-end alone. A time or peak is *worse* than
// another when its quartile range lies above the other's, without overlap.
Judgement JudgeAce(const Results& results);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ACE_SUITE_H_
