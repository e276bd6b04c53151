#include "base/os/vdso.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/auxv.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace hakmem {
namespace {

#if defined(__aarch64__)
constexpr char kClock[] = "__kernel_clock_gettime";
#else
constexpr char kClock[] = "__vdso_clock_gettime";
#endif

TEST(VdsoTest, FindsTheClock) {
  if (getauxval(AT_SYSINFO_EHDR) == 0) GTEST_SKIP() << "no vDSO here";
  const uintptr_t function = FindInVdso(kClock);
  ASSERT_NE(function, 0u);
  timespec time = {};
  const auto read_clock =
      reinterpret_cast<int (*)(clockid_t, timespec*)>(function);
  ASSERT_EQ(read_clock(CLOCK_MONOTONIC, &time), 0);
  EXPECT_GT(time.tv_sec * 1'000'000'000 + time.tv_nsec, 0);
}

TEST(VdsoTest, WhatItHasNotIsNull) {
  errno = 77;
  EXPECT_EQ(FindInVdso("__vdso_no_such_function"), 0u);
  EXPECT_EQ(FindInVdso(""), 0u);
  EXPECT_EQ(errno, 77);
}

TEST(VdsoTest, WhatIsNoObjectHasNothing) {
  alignas(8) static char image[4096] = "no object";
  EXPECT_EQ(FindFunctionIn(reinterpret_cast<uintptr_t>(image), kClock), 0u);
}

// Where the loader mapped libc; its first segments lie as in its file.
uintptr_t ImageOfLibc() {
  uintptr_t image = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        if (strstr(info->dlpi_name, "libc.so") == nullptr) return 0;
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &image);
  return image;
}

// An object of another linker, which has only the newer hash table, and whose
// tables the loader has relocated.
TEST(VdsoTest, FindsFunctionsOfAnyObject) {
  const uintptr_t libc = ImageOfLibc();
  if (libc == 0) GTEST_SKIP() << "no shared libc";
  // Not RTLD_DEFAULT: a sanitizer's runtime interposes some of them.
  void* const library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  for (const char* name : {"getpid", "qsort", "write"}) {
    EXPECT_EQ(FindFunctionIn(libc, name),
              reinterpret_cast<uintptr_t>(dlsym(library, name)))
        << name;
  }
  // Data, and undefined symbols.
  EXPECT_EQ(FindFunctionIn(libc, "environ"), 0u);
  EXPECT_EQ(FindFunctionIn(libc, "__tls_get_addr"), 0u);
}

}  // namespace
}  // namespace hakmem
