// Fault injection for tests: functions that only libraries built with
// --//base/os:os_calls=injected export (find them by dlsym), and environment
// variables that only those read.
//
// Calls are numbered across all threads in the order they are made, so a
// deterministic program fails at the same call in every run.
//
//   HAKMEM_TEST_FAIL_OS_CALL=n        the n-th call of the process fails,
//                                     counted from the loader's first malloc
//   HAKMEM_TEST_FAIL_OS_CALL=n,count  `count` calls in a row fail, from the
//                                     n-th on
//   HAKMEM_TEST_FAIL_OS_CALL=n,count,step   every step-th of these fails
//   HAKMEM_TEST_PAGE_BYTES=n          the system's pages are n bytes, a power
//                                     of two and at least the real size: a
//                                     call for part of one ends the process
//   HAKMEM_TEST_MOST_MAP_BYTES=n      mmap of more than n bytes fails
//   HAKMEM_TEST_COMMIT_BYTES=n        the commit charge is limited to n bytes,
//                                     counted by the kernel as with
//                                     vm.overcommit_memory=2
//
// A forked child continues the parent's counts and failures.
#ifndef HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_
#define HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_

#include <stdint.h>

extern "C" {

// Makes `count` calls in a row fail with ENOMEM, beginning with the `first`-th
// from now (1: the next one). 0 for either turns it off.
void hakmem_test_fail_os_calls(uint64_t first, uint64_t count) noexcept;

// The same for every `step`-th of those `count`, beginning with the first.
void hakmem_test_fail_some_os_calls(uint64_t first, uint64_t count,
                                    uint64_t step) noexcept;

// Calls since the process started, including those made to fail.
uint64_t hakmem_test_os_calls() noexcept;

// Of those, the number made to fail.
uint64_t hakmem_test_failed_os_calls() noexcept;

// The kind of the last call made to fail, by function name ("mmap", "open"); ""
// if none was.
const char* hakmem_test_failed_call() noexcept;

// Makes each mmap of more than `bytes` fail; 0 turns it off.
void hakmem_test_refuse_maps_above(uint64_t bytes) noexcept;

// The process's commit charge: private memory that is, or once was, writable.
// The kernel counts our mappings only if HAKMEM_TEST_COMMIT_BYTES was given.
uint64_t hakmem_test_committed_bytes() noexcept;

// Refuses calls that would raise the charge above `bytes`; UINT64_MAX: none.
void hakmem_test_limit_commit(uint64_t bytes) noexcept;

}  // extern "C"

#endif  // HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_
