#include "os_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/calls/injected/fault_control.h"

namespace hakmem::os {
namespace {

// Calls by number, the first is 1: those in [fail_begin, fail_end) fail, or
// every fail_step-th of them. relaxed: nothing else depends on them. A call
// under way while a test sets them may see the old ones, or some of each.
constinit std::atomic<uint64_t> calls{0};
constinit std::atomic<uint64_t> failed_calls{0};
constinit std::atomic<uint64_t> fail_begin{0};
constinit std::atomic<uint64_t> fail_end{0};
constinit std::atomic<uint64_t> fail_step{1};
constinit std::atomic<const char*> failed_call{""};
constinit std::atomic<bool> environment_was_read{false};

const char* NameOf(Call call) {
  switch (call) {
    case Call::kMmap:
      return "mmap";
    case Call::kMprotect:
      return "mprotect";
    case Call::kMadvise:
      return "madvise";
    case Call::kMunmap:
      return "munmap";
    case Call::kMremap:
      return "mremap";
    case Call::kMincore:
      return "mincore";
    case Call::kGetrlimit:
      return "getrlimit";
    case Call::kOpen:
      return "open";
    case Call::kThreadKey:
      return "pthread_key_create";
    case Call::kAtFork:
      return "pthread_atfork";
  }
  return "";
}

void FailFrom(uint64_t first, uint64_t count, uint64_t step) {
  fail_step.store(step == 0 ? 1 : step, std::memory_order_relaxed);
  fail_begin.store(first, std::memory_order_relaxed);
  fail_end.store(first + count < first ? UINT64_MAX : first + count,
                 std::memory_order_relaxed);
}

// Reads "n", "n,count" or "n,count,step"; anything else makes nothing fail.
void FailAsTold(const char* text) {
  uint64_t numbers[3] = {0, 0, 0};
  for (uint64_t& number : numbers) {
    for (; *text >= '0' && *text <= '9'; ++text) {
      number = number * 10 + static_cast<uint64_t>(*text - '0');
    }
    if (*text != ',') break;
    ++text;
  }
  if (*text != '\0' || numbers[0] == 0) return;
  FailFrom(numbers[0], numbers[1] == 0 ? 1 : numbers[1], numbers[2]);
}

// The variable as the process was started with it. Not by getenv: the loader
// calls malloc before the C library has an environment.
void ReadEnvironment() {
  static constexpr char kPrefix[] = "HAKMEM_TEST_FAIL_OS_CALL=";
  constexpr size_t kPrefixLength = sizeof(kPrefix) - 1;
  const int file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  // One variable at a time, cut to what the one that counts may need.
  char variable[kPrefixLength + 72] = {};
  size_t length = 0;
  char buffer[1024];
  for (;;) {
    const ssize_t n = read(file, buffer, sizeof(buffer));
    if (n <= 0) break;
    for (ssize_t i = 0; i < n; ++i) {
      if (length < sizeof(variable) - 1) variable[length++] = buffer[i];
      if (buffer[i] != '\0') continue;
      variable[length] = '\0';
      if (strncmp(variable, kPrefix, kPrefixLength) == 0) {
        FailAsTold(variable + kPrefixLength);
      }
      length = 0;
    }
  }
  close(file);
}

}  // namespace

bool FailsOnPurpose(Call call) {
  if (!environment_was_read.exchange(true, std::memory_order_relaxed)) {
    const int saved = errno;
    ReadEnvironment();
    errno = saved;
  }
  const uint64_t number = calls.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint64_t begin = fail_begin.load(std::memory_order_relaxed);
  if (number < begin || number >= fail_end.load(std::memory_order_relaxed) ||
      (number - begin) % fail_step.load(std::memory_order_relaxed) != 0) {
    return false;
  }
  failed_calls.fetch_add(1, std::memory_order_relaxed);
  failed_call.store(NameOf(call), std::memory_order_relaxed);
  errno = ENOMEM;
  return true;
}

}  // namespace hakmem::os

// The compiler's flags hide everything by default.
#define HAKMEM_EXPORTED __attribute__((visibility("default")))

HAKMEM_EXPORTED void hakmem_test_fail_os_calls(uint64_t first,
                                               uint64_t count) noexcept {
  hakmem_test_fail_some_os_calls(first, count, 1);
}

HAKMEM_EXPORTED void hakmem_test_fail_some_os_calls(uint64_t first,
                                                    uint64_t count,
                                                    uint64_t step) noexcept {
  const bool off = first == 0 || count == 0;
  hakmem::os::FailFrom(off ? 0 : hakmem_test_os_calls() + first,
                       off ? 0 : count, step);
}

HAKMEM_EXPORTED uint64_t hakmem_test_os_calls() noexcept {
  return hakmem::os::calls.load(std::memory_order_relaxed);
}

HAKMEM_EXPORTED uint64_t hakmem_test_failed_os_calls() noexcept {
  return hakmem::os::failed_calls.load(std::memory_order_relaxed);
}

HAKMEM_EXPORTED const char* hakmem_test_failed_call() noexcept {
  return hakmem::os::failed_call.load(std::memory_order_relaxed);
}
