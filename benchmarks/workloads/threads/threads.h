// The workloads on several threads: where one thread frees what another made,
// threads come and go, or allocators may give parts of one cache line to
// different threads. An operation is an allocation and its free. All take some
// half a second; wall time is what counts.
//
// Most report resident_before_kib (after a tenth of the work),
// resident_after_kib (at its end) and live_after_kib (what was live then, up to
// a batch per thread): as much is live both times, so an allocator that does
// not reuse what other threads freed shows.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// Producers make blocks of 16 to 1024 bytes, log-uniform, and pass them in
// batches through one bounded queue to consumers, who check and free them, in
// the order in which they were made. Reports resident memory.
void Pipe1To1(Run& run);
void Pipe4To4(Run& run);

// Four threads each replace random ones of 1000 blocks of 10 to 500 bytes,
// uniform, and then hand them on to a fresh thread and end, many times over:
// blocks are freed long after their makers have ended. Reports resident memory.
//
// The idea is the server simulation of Larson and Krishnan, "Memory Allocation
// for Long-Running Server Applications", ISMM 1998.
void Server(Run& run);

// Thousands of short-lived threads, four at a time. Each makes some hundreds
// of blocks of 16 to 1024 bytes, log-uniform, frees most of them and leaves a
// few for its successor to free: what it costs an allocator to meet a thread
// and to part from it. Reports resident memory.
void Churn(Run& run);

// Four threads each make a block of 8 to 64 bytes, write to it hundreds of
// times, and free it, over and over. Writing is slow when two threads' blocks
// share a cache line. Active: an allocator serves several threads from one line
// of its own accord. Passive: the main thread made the blocks each thread
// starts out with, one of each size, next to those of the other threads; they
// free them, and an allocator that then serves each from what it freed shares
// lines until the end.
//
// The distinction and the idea are those of cache-thrash and cache-scratch in
// Berger, McKinley, Blumofe, Wilson, "Hoard: A Scalable Memory Allocator for
// Multithreaded Applications", ASPLOS 2000.
void FalseSharingActive(Run& run);
void FalseSharingPassive(Run& run);

// One thread only makes blocks of 16 to 512 bytes, log-uniform, and another
// only frees them, each after a random while, so that no block is ever freed by
// its maker and some 4000 are live. Reports resident memory, which an allocator
// that does not bring blocks back to the maker lets grow without end.
void Asymmetric(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_THREADS_THREADS_H_
