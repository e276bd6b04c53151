// How a test makes calls to the operating system fail: functions that only the
// libraries built with --//base/os:os_calls=injected export (find them by
// dlsym), and environment variables that only those read.
//
// Calls are numbered over all threads in the order they are made, so what fails
// is the same in every run of a program that does the same in the same order.
//
//   HAKMEM_TEST_FAIL_OS_CALL=n        the n-th call of the process fails, from
//   HAKMEM_TEST_FAIL_OS_CALL=n,count  the loader's first malloc on; or `count`
//                                     in a row from the n-th on; or every
//   HAKMEM_TEST_FAIL_OS_CALL=n,count,step   step-th of these
//   HAKMEM_TEST_PAGE_BYTES=n          the system's pages are n bytes, a power
//                                     of two and at least what they are: a call
//                                     for parts of one ends the process
//   HAKMEM_TEST_MOST_MAP_BYTES=n      no mmap of more than n bytes
//   HAKMEM_TEST_COMMIT_BYTES=n        the process is charged for at most n
//                                     bytes, counted by the kernel as where
//                                     vm.overcommit_memory is 2
//
// A forked child goes on counting, and failing, where its parent was.
#ifndef HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_
#define HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_

#include <stdint.h>

extern "C" {

// Makes `count` calls in a row fail with ENOMEM, beginning with the `first`-th
// from now (1: the next one). 0 as either turns it off.
void hakmem_test_fail_os_calls(uint64_t first, uint64_t count) noexcept;

// The same for every `step`-th of those `count`, the first of them included.
void hakmem_test_fail_some_os_calls(uint64_t first, uint64_t count,
                                    uint64_t step) noexcept;

// Calls asked for since the process started, also those that were made to fail.
uint64_t hakmem_test_os_calls() noexcept;

// Of those, how many were made to fail.
uint64_t hakmem_test_failed_os_calls() noexcept;

// The kind of the call that was made to fail last, by the name of the function
// ("mmap", "open"); "" when none was.
const char* hakmem_test_failed_call() noexcept;

// Refuses each mmap of more than `bytes`; 0 none.
void hakmem_test_refuse_maps_above(uint64_t bytes) noexcept;

// What the process is charged for: private memory that it may, or may once have
// been allowed to, write to. Only where HAKMEM_TEST_COMMIT_BYTES was given does
// the kernel count what is mapped here.
uint64_t hakmem_test_committed_bytes() noexcept;

// Refuses what would raise that above `bytes`; UINT64_MAX nothing.
void hakmem_test_limit_commit(uint64_t bytes) noexcept;

}  // extern "C"

#endif  // HAKMEM_BASE_OS_CALLS_INJECTED_FAULT_CONTROL_H_
