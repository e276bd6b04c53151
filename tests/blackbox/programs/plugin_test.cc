// Shared objects that allocate are opened and closed while the program and its
// threads keep running. Their static destructors free at dlclose.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kRounds = 30;

class Plugin {
 public:
  Plugin() {
    handle_ = dlopen(Path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
      ADD_FAILURE() << dlerror();
      abort();
    }
    allocate = Find<void*(size_t)>("PluginAllocate");
    free = Find<void(void*)>("PluginFree");
    run_threads = Find<void()>("PluginRunThreads");
    use_thread_local = Find<void()>("PluginUseThreadLocal");
  }
  ~Plugin() { EXPECT_EQ(dlclose(handle_), 0); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  static std::string Path() {
    char path[4096];
    const char* given = getenv("HAKMEM_TEST_PLUGIN");
    return given != nullptr && realpath(given, path) != nullptr ? path : "";
  }
  static bool IsLoaded() {
    void* handle = dlopen(Path().c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
  }

  void* (*allocate)(size_t);
  void (*free)(void*);
  void (*run_threads)();
  void (*use_thread_local)();

 private:
  template <typename Function>
  Function* Find(const char* name) {
    return reinterpret_cast<Function*>(dlsym(handle_, name));
  }

  void* handle_;
};

// Runs `round` often and expects that it leaks nothing. The loader's own caches
// grow in the first rounds.
template <typename Round>
void ExpectNothingLeft(const Round& round) {
  WarmUpThreads(3);
  for (int i = 0; i < 3; ++i) round(i);
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < kRounds; ++i) round(i);
  ExpectHeapVerifies(before);
}

TEST(PluginTest, TheProgramFreesWhatAPluginAllocatedAndTheOtherWayRound) {
  ExpectNothingLeft([](int round) {
    std::vector<void*> blocks;
    {
      Plugin plugin;
      std::mt19937_64 random(round);
      for (int i = 0; i < 100; ++i) {
        blocks.push_back(plugin.allocate(AnySize(random) / 4 + 1));
        plugin.free(malloc(AnySize(random) / 4));
      }
      plugin.run_threads();
    }
    EXPECT_FALSE(Plugin::IsLoaded());
    for (void* block : blocks) {
      EXPECT_EQ(*static_cast<char*>(block), 'q');
      free(block);
    }
  });
}

TEST(PluginTest, ThreadsLiveOnWhenTheirPluginIsClosed) {
  constexpr int kThreads = 3;
  ExpectNothingLeft([](int) {
    std::atomic<int> began = 0;
    std::atomic<bool> is_closed = false;
    std::vector<std::thread> threads;
    {
      Plugin plugin;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i, allocate = plugin.allocate,
                              use_thread_local = plugin.use_thread_local] {
          // The plug-in's call may be the thread's first.
          void* block = allocate(1000 + i);
          if (i == 0) use_thread_local();
          ++began;
          while (!is_closed) std::this_thread::yield();
          if (*static_cast<char*>(block) != 'q') abort();
          free(block);
          if (!AllocateAndFree(i, 100)) abort();
          // Its thread-local object, if any, frees after this.
        });
      }
      while (began < kThreads) std::this_thread::yield();
    }
    is_closed = true;
    for (std::thread& thread : threads) thread.join();
    // The thread-local object is gone, so now the plug-in can be unloaded.
    { Plugin(); }
    EXPECT_FALSE(Plugin::IsLoaded());
  });
}

// A plug-in still open when the program ends: its destructors run among the
// program's.
int EndWithAnOpenPlugin() {
  auto* plugin = new Plugin;
  plugin->use_thread_local();
  plugin->run_threads();
  return Plugin::IsLoaded() ? 0 : 1;
}
const ChildProgram end_with_an_open_plugin("end_with_an_open_plugin",
                                           EndWithAnOpenPlugin);

TEST(PluginTest, OneMayBeOpenAtTheEnd) {
  for (int i = 0; i < 5; ++i) {
    const ChildResult child = RunChildProgram("end_with_an_open_plugin");
    ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
    ASSERT_EQ(child.err, "");
  }
}

TEST(PluginTest, OpenedAndClosedWhileThreadsAllocateAndFork) {
  WarmUpThreads(4);
  { Plugin().run_threads(); }
  const hakmem_stats_t before = CollectedStats();
  {
    BusyThreads busy(3);
    for (int round = 0; round < kRounds; ++round) {
      Plugin plugin;
      const ChildResult child = RunForked([&plugin] {
        plugin.run_threads();
        plugin.free(plugin.allocate(5000));
      });
      ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
    }
  }
  ExpectHeapVerifies(before);
}

}  // namespace
}  // namespace hakmem_test
