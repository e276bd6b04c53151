// The workloads of small blocks, each on one thread: the cost of malloc and
// free themselves, and of where blocks come to lie. The first half calls
// malloc, the second half is ordinary C++ that uses operator new as the library
// has it. All take about half a second.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// The steps of random-mixed (random_mixed.h) with log-normal sizes: mostly
// tens of bytes, now and then thousands. The number is that of slots. An
// operation is a step: a malloc or a free.
void Lognormal256(Run& run);
void Lognormal8192(Run& run);
void Lognormal65536(Run& run);
void Lognormal1048576(Run& run);

// A million blocks of 16 to 256 bytes are allocated and then freed, in the same
// order, in the reverse one, in a random one; several times. An operation is
// an allocation and its free.
void BatchInOrder(Run& run);
void BatchReversed(Run& run);
void BatchShuffled(Run& run);

// A std::map or std::unordered_map is filled in random order of keys, walked,
// searched, half emptied, filled up again, walked and destroyed; in rounds.
// An operation is a node's whole life: inserted, found or not, erased.
void OrderedMap(Run& run);
void UnorderedMap(Run& run);

// Many std::strings grow side by side by short pieces, most to a few hundred
// bytes and some to 100 KiB, and finished ones move into vectors, which grow
// and are destroyed in turn. An operation is an append.
void StringAppend(Run& run);

// A forest of syntax trees: each is built of nodes of many kinds, evaluated,
// twice simplified and at last deleted for the next. An operation is a node
// made and deleted.
void ExpressionTrees(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_SMALL_SMALL_H_
