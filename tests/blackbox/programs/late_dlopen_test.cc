// A program that keeps its own malloc opens the library at run time and uses
// the hakmem_ names. Nothing is preloaded here.
#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Allocates and frees through the library; false if contents were lost.
bool Use(const Library& library, uint64_t seed) {
  struct Held {
    void* block = nullptr;
    size_t size = 0;
  };
  std::mt19937_64 random(seed);
  std::vector<Held> all(100);
  bool right = true;
  for (int i = 0; i < 20000; ++i) {
    Held& held = all[random() % all.size()];
    right = right &&
            (held.block == nullptr || Holds(held.block, held.size, held.size));
    library.free(held.block);
    held.size = AnySize(random) / 4;
    held.block = library.malloc(held.size);
    if (held.block == nullptr) return false;
    Fill(held.block, held.size, held.size);
  }
  for (const Held& held : all) library.free(held.block);
  return right;
}

TEST(LateDlopenTest, ThreadsFromBeforeAndAfterUseTheLibrary) {
  constexpr uint64_t kThreads = 4;
  ASSERT_EQ(dlsym(RTLD_DEFAULT, "hakmem_malloc"), nullptr)
      << "this test must run without a preload";

  // Threads whose TLS was laid out before the library was loaded.
  std::mutex mutex;
  std::condition_variable opened;
  bool is_open = false;
  Library library = {};
  std::atomic<uint64_t> right = 0;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      void* own = malloc(1000);
      {
        std::unique_lock<std::mutex> lock(mutex);
        opened.wait(lock, [&] { return is_open; });
      }
      if (Use(library, i)) ++right;
      free(own);
    });
  }

  void* handle = dlopen(LibraryPath().c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(handle, nullptr) << dlerror();
  library = FindLibrary(handle);
  EXPECT_NE(std::string(library.version()).find(ExpectedBackend()),
            std::string::npos);
  const void* libc_malloc = dlsym(RTLD_DEFAULT, "malloc");
  EXPECT_NE(libc_malloc, dlsym(handle, "malloc"));

  {
    std::lock_guard<std::mutex> lock(mutex);
    is_open = true;
  }
  opened.notify_all();
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      if (Use(library, kThreads + i)) ++right;
    });
  }
  EXPECT_TRUE(Use(library, 2 * kThreads));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 2 * kThreads);

  // All that the threads held has been freed; the program's own malloc never
  // calls the library.
  library.collect();
  hakmem_stats_t stats;
  ASSERT_EQ(library.stats(&stats, sizeof(stats)), sizeof(stats));
  EXPECT_EQ(stats.live_bytes, 0u);
  EXPECT_LE(stats.threads, 1u);

  // The program may close the library; its blocks stay valid.
  void* kept = library.malloc(1000);
  Fill(kept, 1000, 1);
  dlclose(handle);
  EXPECT_TRUE(Holds(kept, 1000, 1));
  std::thread([] { free(Opaque(malloc(100))); }).join();
}

TEST(LateDlopenTest, OpeningAndClosingAgainWorks) {
  for (int i = 0; i < 10; ++i) {
    void* handle = dlopen(LibraryPath().c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    const Library library = FindLibrary(handle);
    EXPECT_TRUE(Use(library, i));
    std::thread([&] { EXPECT_TRUE(Use(library, i)); }).join();
    EXPECT_EQ(dlclose(handle), 0);
  }
}

TEST(LateDlopenTest, BlocksOutliveEveryClosing) {
  struct Held {
    void* block;
    size_t size;
  };
  std::vector<Held> held;
  for (int i = 0; i < 10; ++i) {
    void* handle = dlopen(LibraryPath().c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    const Library library = FindLibrary(handle);
    for (const size_t size : {10u, 1000u, 20000u, 300000u, 3000000u}) {
      held.push_back({library.malloc(size), size});
      Fill(held.back().block, size, i);
    }
    // Blocks of a thread that ends after the dlclose.
    std::atomic<bool> began = false;
    std::atomic<bool> is_closed = false;
    std::thread thread([&] {
      void* block = library.malloc(100);
      Fill(block, 100, 7);
      began = true;
      while (!is_closed) std::this_thread::yield();
      EXPECT_TRUE(Holds(block, 100, 7));
    });
    while (!began) std::this_thread::yield();
    EXPECT_EQ(dlclose(handle), 0);
    is_closed = true;
    thread.join();
  }
  void* handle = dlopen(LibraryPath().c_str(), RTLD_NOW | RTLD_LOCAL);
  const Library library = FindLibrary(handle);
  for (size_t i = 0; i < held.size(); ++i) {
    EXPECT_TRUE(Holds(held[i].block, held[i].size, i / 5));
    library.free(held[i].block);
  }
  EXPECT_EQ(dlclose(handle), 0);
}

}  // namespace
}  // namespace hakmem_test
