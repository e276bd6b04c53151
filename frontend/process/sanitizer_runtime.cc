#include "frontend/process/sanitizer_runtime.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/codegen.h"
#include "base/text/log.h"

// The loader resolved these when it loaded us: no dlsym, which may allocate.
// hakmem_malloc is missing in a test that links the allocator without its entry
// points.
extern "C" {
__attribute__((weak)) void __asan_init();
__attribute__((weak)) void __hwasan_init();
__attribute__((weak)) void __msan_init();
__attribute__((weak)) void __tsan_init();
__attribute__((weak)) void* hakmem_malloc(size_t) noexcept;
}

namespace hakmem {
namespace {

template <typename Function>
uintptr_t AddressOf(Function* function) {
  auto address = reinterpret_cast<uintptr_t>(function);
  // The compiler assumes that two functions have two addresses; these may share
  // one.
  HideFromOptimizer(address);
  return address;
}

// The name of the sanitizer that is present; null when there is none.
const char* Name() {
  if (AddressOf(&__tsan_init) != 0) return "ThreadSanitizer";
  if (AddressOf(&__asan_init) != 0) return "AddressSanitizer";
  if (AddressOf(&__msan_init) != 0) return "MemorySanitizer";
  if (AddressOf(&__hwasan_init) != 0) return "HWAddressSanitizer";
  return nullptr;
}

// Whether calls of malloc from the whole process reach this allocator.
bool MallocIsOurs() { return AddressOf(&malloc) == AddressOf(&hakmem_malloc); }

}  // namespace

void ExitIfReplacingSanitizerMalloc() {
  const char* name = Name();
  if (name == nullptr || !MallocIsOurs()) return;
  static constexpr char kBefore[] = "hakmem: this program is built with ";
  static constexpr char kBehind[] =
      ", which needs a malloc of its own: run it without hakmem\n";
  size_t length = 0;
  while (name[length] != '\0') {
    ++length;
    HideFromOptimizer(length);  // else becomes strlen, which may be intercepted
  }
  const iovec parts[] = {{const_cast<char*>(kBefore), sizeof(kBefore) - 1},
                         {const_cast<char*>(name), length},
                         {const_cast<char*>(kBehind), sizeof(kBehind) - 1}};
  (void)syscall(SYS_writev, STDERR_FILENO, parts, 3);
  for (;;) syscall(SYS_exit_group, 1);
}

void WarnIfSanitizerMallocServes() {
  const char* name = Name();
  if (name == nullptr || MallocIsOurs()) return;
  const char* preloaded = getenv("LD_PRELOAD");
  if (preloaded == nullptr || strstr(preloaded, "hakmem") == nullptr) return;
  LogLine()
      .Text("this program is built with ")
      .Text(name)
      .Text(", which has a malloc of its own: preloading hakmem does nothing")
      .Send();
}

}  // namespace hakmem
