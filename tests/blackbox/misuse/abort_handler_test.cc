// A SIGABRT handler allocates, as handlers that write a report do, when the
// library aborts the process: during a drain, with a lock held and bins half
// moved, or at the call itself. The process ends, and the handler's blocks
// overlap no others.
#include <execinfo.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kHandled = 42;
constexpr int kWrong = 43;
// SIGALRM ends a deadlock.
constexpr unsigned kPatienceSeconds = 60;

struct Held {
  void* block;
  size_t size;
};

// The program's blocks while the handler runs, filled.
std::vector<Held>* in_use = nullptr;

void Check(bool condition, const char* what) {
  if (condition) return;
  (void)!write(STDERR_FILENO, what, strlen(what));
  _exit(kWrong);
}

void CheckAll(const std::vector<Held>& all, const char* what) {
  for (size_t i = 0; i < all.size(); ++i) {
    Check(Holds(all[i].block, all[i].size, i), what);
  }
}

// Makes every call that a handler may, with blocks of all kinds.
void AllocateInEveryWay() {
  std::vector<Held> mine;
  const auto keep = [&](void* block, size_t size) {
    Check(block != nullptr, "refused\n");
    Check(Hakmem().malloc_usable_size(block) >= size, "too small\n");
    Fill(block, size, mine.size());
    mine.push_back({block, size});
  };
  for (size_t size = 1; size < 3 * kMiB; size = size * 5 / 4 + 1) {
    keep(malloc(size), size);
    void* zeros = calloc(1, size);
    Check(zeros != nullptr && IsZero(zeros, size), "calloc is not zero\n");
    keep(realloc(zeros, size + size / 2), size + size / 2);
    free(Opaque(malloc(size)));
  }
  for (int i = 0; i < 300; ++i) keep(malloc(100), 100);
  for (size_t alignment = 8; alignment <= 128 * kKiB; alignment *= 2) {
    for (const size_t size : {size_t{1}, size_t{200}, size_t{3000}}) {
      void* block = nullptr;
      Check(posix_memalign(&block, alignment, size) == 0, "refused\n");
      Check(IsAligned(block, alignment), "not aligned\n");
      keep(block, size);
    }
  }
  CheckAll(*in_use, "a block of the program's changed\n");
  CheckAll(mine, "a block of the handler's changed\n");
  // Also the program's blocks, which are enlarged.
  for (size_t i = 0; i < in_use->size(); ++i) {
    Held& held = (*in_use)[i];
    held.block = realloc(held.block, held.size * 2);
    Check(held.block != nullptr && Holds(held.block, held.size / 8 * 8, i),
          "realloc lost something\n");
    free(held.block);
  }
  for (const Held& held : mine) free(held.block);
  // More than available: must fail, not block.
  Check(Opaque(malloc(size_t{1} << 30)) == nullptr, "a gigabyte was given\n");
}

void WriteReport() {
  void* frames[64];
  const int count = backtrace(frames, 64);
  char** names = backtrace_symbols(frames, count);
  Check(count > 3 && names != nullptr, "no backtrace\n");
  std::ostringstream report;
  for (int i = 0; i < count; ++i) report << names[i] << '\n';
  free(names);
  FILE* file = fopen("/dev/null", "w");
  Check(file != nullptr, "no file\n");
  fprintf(file, "%s", report.str().c_str());
  fclose(file);
}

void Handle(int) {
  AllocateInEveryWay();
  WriteReport();
  _exit(kHandled);
}

// Runs `misuse`, which must be reported, with a handler that allocates. Blocks
// of its size are among those in `in_use`.
ChildResult RunWithHandler(void (*handler)(int), size_t size,
                           const std::function<void(void* block)>& misuse) {
  return RunForked([&] {
    alarm(kPatienceSeconds);
    std::vector<Held> all;
    for (const size_t each : {size, size, size, size, size_t{40} * kKiB,
                              size_t{500} * kKiB, size_t{3} * kMiB}) {
      all.push_back({malloc(each), each});
      Fill(all.back().block, each, all.size() - 1);
    }
    in_use = &all;
    signal(SIGABRT, handler);
    misuse(malloc(size));
    _exit(0);
  });
}

// Frees other blocks after `block`, so that it is not the last one freed.
void FreeOthers(size_t size) {
  void* blocks[8];
  for (void*& block : blocks) block = malloc(size);
  for (void* block : blocks) free(block);
}

struct Misuse {
  const char* name;
  std::function<void(void* block, size_t size)> run;
};

const std::vector<Misuse>& Misuses() {
  static const std::vector<Misuse> all = {
      {"double free found in a drain",
       [](void* block, size_t size) {
         free(Opaque(block));
         FreeOthers(size);
         free(Opaque(block));
         Hakmem().collect();
       }},
      {"double free found where a bin runs full",
       [](void* block, size_t size) {
         free(Opaque(block));
         FreeOthers(size);
         free(Opaque(block));
         std::vector<void*> many(5000);
         for (void*& each : many) each = malloc(size);
         for (void* each : many) free(each);
       }},
      {"double free by another thread, and collected",
       [](void* block, size_t size) {
         void* neighbour = malloc(size);
         std::thread([=] { free(Opaque(block)); }).join();
         std::thread([=] { free(Opaque(block)); }).join();
         free(neighbour);
         Hakmem().collect();
       }},
      {"double free by a thread that ended, and collected",
       [](void* block, size_t size) {
         std::thread([=] {
           free(Opaque(block));
           FreeOthers(size);
           free(Opaque(block));
         }).join();
         Hakmem().collect();
       }},
      {"free of the middle",
       [](void* block, size_t) {
         free(Opaque(static_cast<char*>(block) + 8));
         Hakmem().collect();
       }},
      {"free of what is not ours",
       [](void*, size_t) { free(Opaque(static_cast<void*>(&in_use))); }},
  };
  return all;
}

TEST(AbortHandlerTest, AHandlerThatAllocatesEnds) {
  for (const Misuse& misuse : Misuses()) {
    for (const size_t size : {64u, 1000u, 5000u, 20'000u}) {
      SCOPED_TRACE(testing::Message() << misuse.name << ", " << size);
      const ChildResult child = RunWithHandler(
          &Handle, size, [&](void* block) { misuse.run(block, size); });
      EXPECT_EQ(child.exit_code, kHandled)
          << "signal " << child.signal << ": " << child.err;
      EXPECT_EQ(child.err.rfind("hakmem: ", 0), 0u) << child.err;
      EXPECT_EQ(child.err.find('\n'), child.err.size() - 1) << child.err;
    }
  }
}

TEST(AbortHandlerTest, TheProcessAbortsWhenTheHandlerReturns) {
  for (const Misuse& misuse : Misuses()) {
    SCOPED_TRACE(misuse.name);
    const ChildResult child =
        RunWithHandler([](int) { AllocateInEveryWay(); }, 64,
                       [&](void* block) { misuse.run(block, 64); });
    EXPECT_EQ(child.signal, SIGABRT) << child.exit_code << ": " << child.err;
  }
}

TEST(AbortHandlerTest, AHandlerMayExit) {
  // exit with destructors, including the library's last line.
  for (const Misuse& misuse : Misuses()) {
    SCOPED_TRACE(misuse.name);
    const ChildResult child =
        RunWithHandler([](int) { exit(kHandled); }, 64,
                       [&](void* block) { misuse.run(block, 64); });
    EXPECT_EQ(child.exit_code, kHandled)
        << "signal " << child.signal << ": " << child.err;
  }
}

// Another thread may be given what the handler allocated.
TEST(AbortHandlerTest, AnotherThreadMayFreeTheHandlersBlocks) {
  static int ends[2];
  static int done[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(pipe(done), 0);
  const auto hand_over = [](int) {
    void* blocks[] = {malloc(10), malloc(100 * kKiB), malloc(2 * kMiB)};
    (void)!write(ends[1], blocks, sizeof(blocks));
    char answer = 0;
    (void)!read(done[0], &answer, 1);
    _exit(answer);
  };
  const ChildResult child = RunWithHandler(hand_over, 64, [](void* block) {
    std::thread other([] {
      void* blocks[3];
      (void)!read(ends[0], blocks, sizeof(blocks));
      blocks[0] = realloc(blocks[0], 5000);
      for (void* each : blocks) free(each);
      const char answer = kHandled;
      (void)!write(done[1], &answer, 1);
      pause();
    });
    free(Opaque(block));
    FreeOthers(64);
    free(Opaque(block));
    Hakmem().collect();
  });
  EXPECT_EQ(child.exit_code, kHandled)
      << "signal " << child.signal << ": " << child.err;
}

}  // namespace
}  // namespace hakmem_test
