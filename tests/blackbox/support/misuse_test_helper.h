// Runs misuses in forked children, and checks their reports at each level of
// hardening.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_MISUSE_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_MISUSE_TEST_HELPER_H_

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {

enum Level { kOff, kChecks, kFull };

// The level that this variant of the library was built with.
inline Level LevelHere() {
  const char* const text = getenv("HAKMEM_EXPECT_HARDENING");
  const std::string level = text == nullptr ? "" : text;
  if (level == "checks") return kChecks;
  if (level == "full") return kFull;
  EXPECT_EQ(level, "off");
  return kOff;
}

inline std::string Hex(const void* address) {
  char text[32];
  snprintf(text, sizeof(text), "0x%zx", reinterpret_cast<uintptr_t>(address));
  return text;
}

inline constexpr int kWentOn = 17;

// Runs `misuse` in a child: from `level` on it is reported as `line` and
// aborts; below, the child continues. The child itself writes nothing to
// stderr.
inline void ExpectReported(Level level, const std::string& line,
                           const std::function<void()>& misuse) {
  const ChildResult child = RunForked([&] {
    misuse();
    _Exit(kWentOn);
  });
  if (LevelHere() >= level) {
    EXPECT_EQ(child.signal, SIGABRT) << "exit code " << child.exit_code;
    EXPECT_EQ(child.err, "hakmem: " + line + "\n");
  } else {
    EXPECT_EQ(child.exit_code, kWentOn) << "signal " << child.signal;
    EXPECT_EQ(child.err, "");
  }
}

// Those of `sizes` whose blocks lie in slabs. Others are detected at once.
inline std::vector<size_t> InSlabs(std::vector<size_t> sizes) {
  if (!HasAce()) std::erase_if(sizes, [](size_t size) { return size > 2048; });
  return sizes;
}

inline char* Malloc(size_t bytes) {
  char* block = static_cast<char*>(Opaque(malloc(bytes)));
  EXPECT_NE(block, nullptr);
  return block;
}

inline void Free(void* block) { free(Opaque(block)); }

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_MISUSE_TEST_HELPER_H_
