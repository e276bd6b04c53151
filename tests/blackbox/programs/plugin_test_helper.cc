// plugin_test_helper.cc: a plug-in that plugin_test opens and closes. It
// allocates when it is loaded, in threads, and frees when it is unloaded.
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

constexpr size_t kSizes[] = {1, 100, 2000, 20000, 300000, 3000000};

// Blocks of every kind, with the plug-in's life or with a thread's.
struct Blocks {
  char* all[std::size(kSizes)];
  Blocks() {
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      all[i] = static_cast<char*>(malloc(kSizes[i]));
      all[i][0] = all[i][kSizes[i] - 1] = 'p';
    }
  }
  ~Blocks() {
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      if (all[i][0] != 'p' || all[i][kSizes[i] - 1] != 'p') abort();
      free(all[i]);
    }
    free(malloc(500));
  }
};

Blocks with_the_plugin;

char* for_atexit = nullptr;

__attribute__((constructor)) void AtLoad() {
  for_atexit = static_cast<char*>(malloc(700));
  // Of a shared object: runs when it is unloaded.
  atexit([] {
    free(for_atexit);
    free(malloc(700));
  });
}

__attribute__((destructor)) void AtUnload() { free(malloc(40000)); }

}  // namespace

// A block that outlives the plug-in.
extern "C" void* PluginAllocate(size_t size) {
  void* block = malloc(size);
  memset(block, 'q', size);
  return block;
}

extern "C" void PluginFree(void* block) { free(block); }

// Threads of the plug-in's own that are gone when it returns.
extern "C" void PluginRunThreads() {
  std::thread threads[3];
  for (std::thread& thread : threads)
    thread = std::thread([] { Blocks blocks; });
  for (std::thread& thread : threads) thread.join();
}

// Gives the calling thread an object that dies with it: libc then keeps the
// plug-in loaded for as long, if it is closed before.
extern "C" void PluginUseThreadLocal() {
  static thread_local Blocks blocks;
  blocks.all[0][0] = 'p';
}
