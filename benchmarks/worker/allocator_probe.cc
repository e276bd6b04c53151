#include "benchmarks/worker/allocator_probe.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <malloc.h>
#include <string.h>

#include "hakmem/hakmem.h"

namespace hakmem::bench {
namespace {

// The function of that name in whatever is linked or preloaded, or null.
template <class Function>
Function* Find(void* where, const char* name) {
  return reinterpret_cast<Function*>(dlsym(where, name));
}

// The file that the function of that name comes from, or "".
const char* LibraryOf(const char* name) {
  void* const address = dlsym(RTLD_DEFAULT, name);
  Dl_info info;
  if (address == nullptr || dladdr(address, &info) == 0) return "";
  return info.dli_fname;
}

}  // namespace

const char* MallocLibrary() { return LibraryOf("malloc"); }

bool KnowsUsableSize() {
  return strcmp(LibraryOf("malloc"), LibraryOf("malloc_usable_size")) == 0;
}

size_t UsableSize(void* block) { return malloc_usable_size(block); }

const char* AllocatorVersion() {
  const auto version =
      Find<decltype(hakmem_version)>(RTLD_DEFAULT, "hakmem_version");
  return version == nullptr ? nullptr : version();
}

const char* AllocatorStatistics() {
  static char text[1 << 16];
  const auto statistics =
      Find<decltype(hakmem_stats_json)>(RTLD_DEFAULT, "hakmem_stats_json");
  if (statistics == nullptr || statistics(text, sizeof(text)) >= sizeof(text)) {
    return nullptr;
  }
  return text;
}

int64_t LibcMallocBytes() {
  // By libc's own handle: the plain name finds the interposer's.
  void* const libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
  if (libc == nullptr) return -1;
  const auto info = Find<struct mallinfo2(void)>(libc, "mallinfo2");
  dlclose(libc);
  if (info == nullptr) return -1;
  const struct mallinfo2 held = info();
  return static_cast<int64_t>(held.arena + held.hblkhd);
}

}  // namespace hakmem::bench
