// The plug-in that plugin_test opens and closes. It allocates on load, in
// threads, and frees on unload.
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

constexpr size_t kSizes[] = {1, 100, 2000, 20000, 300000, 3000000};

// Blocks of every kind with the lifetime of the plug-in or of a thread.
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
  // In a shared object: runs when it is unloaded.
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

// Runs threads of the plug-in's own, which end before it returns.
extern "C" void PluginRunThreads() {
  std::thread threads[3];
  for (std::thread& thread : threads)
    thread = std::thread([] { Blocks blocks; });
  for (std::thread& thread : threads) thread.join();
}

// Creates a thread-local object with a destructor in the calling thread: libc
// keeps a closed plug-in loaded until then.
extern "C" void PluginUseThreadLocal() {
  static thread_local Blocks blocks;
  blocks.all[0][0] = 'p';
}
