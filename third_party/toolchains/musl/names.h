// names.h: what musl's headers lack and a C++ file of ours, or a header of a
// libstdc++ that was made for glibc, names. The build includes it first in
// every C++ file with --config=musl (BUILD.bazel here).
#ifndef HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_NAMES_H_
#define HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_NAMES_H_

// libstdc++, in whatever is included from here on: no version of glibc is this.
#define __GLIBC_PREREQ(major, minor) 0
#define __locale_t locale_t

#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

// libstdc++: only declared, for a std::condition_variable that nobody here
// uses.
extern "C" int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*,
                                      clockid_t, const struct timespec*);

// glibc's since 2.35, as its manual lays it out for x86-64: find_object.cc.
struct dl_find_object {
  uint64_t dlfo_flags;
  void* dlfo_map_start;
  void* dlfo_map_end;
  struct link_map* dlfo_link_map;
  void* dlfo_eh_frame;
  uint64_t reserved[7];
};

extern "C" int _dl_find_object(void* address, struct dl_find_object* result);

#endif  // HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_NAMES_H_
