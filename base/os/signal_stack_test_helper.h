// Alternate signal stacks of a known size, for tests. The kernel's minimum size
// (AT_MINSIGSTKSZ) is too large: it includes room for registers that a program
// may never use, such as AMX tiles of 8 KiB. So the size of the kernel's frame
// is measured here.
#ifndef HAKMEM_BASE_OS_SIGNAL_STACK_TEST_HELPER_H_
#define HAKMEM_BASE_OS_SIGNAL_STACK_TEST_HELPER_H_

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

namespace hakmem_test {
namespace internal {

inline const char* volatile frame_of_handler = nullptr;

inline void NoteFrame(int) {
  frame_of_handler = static_cast<const char*>(__builtin_frame_address(0));
}

}  // namespace internal

// An alternate stack for this thread's signal handlers, from construction to
// destruction. Handlers have `left` bytes of it, less their own frame; a page
// without access lies below.
class SmallSignalStack {
 public:
  explicit SmallSignalStack(size_t left)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        mapped_(RoundUp(FrameBytes() + left) + page_) {
    memory_ = Map(mapped_);
    if (mprotect(memory_, page_, PROT_NONE) != 0) abort();
    Use(memory_ + page_, FrameBytes() + left);
  }
  ~SmallSignalStack() {
    const stack_t none = {nullptr, SS_DISABLE, 0};
    sigaltstack(&none, nullptr);
    munmap(memory_, mapped_);
  }
  SmallSignalStack(const SmallSignalStack&) = delete;
  SmallSignalStack& operator=(const SmallSignalStack&) = delete;

 private:
  static char* Map(size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    return static_cast<char*>(memory);
  }

  static void Use(char* memory, size_t bytes) {
    const stack_t stack = {memory, 0, bytes};
    if (sigaltstack(&stack, nullptr) != 0) abort();
  }

  size_t RoundUp(size_t bytes) const {
    return (bytes + page_ - 1) / page_ * page_;
  }

  // Bytes that the kernel puts on an alternate stack before a handler begins.
  static size_t FrameBytes() {
    static const size_t bytes = MeasureFrame();
    return bytes;
  }

  static size_t MeasureFrame() {
    constexpr size_t kPlenty = 1 << 20;
    char* memory = Map(kPlenty);
    Use(memory, kPlenty);
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_flags = SA_ONSTACK;
    action.sa_handler = internal::NoteFrame;
    if (sigaction(SIGUSR1, &action, &before) != 0) abort();
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, nullptr);
    const stack_t none = {nullptr, SS_DISABLE, 0};
    sigaltstack(&none, nullptr);
    const auto used =
        static_cast<size_t>(memory + kPlenty - internal::frame_of_handler);
    munmap(memory, kPlenty);
    return used;
  }

  size_t page_;
  size_t mapped_;
  char* memory_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_BASE_OS_SIGNAL_STACK_TEST_HELPER_H_
