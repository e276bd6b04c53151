#include "os_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/os/calls/injected/commit_charge.h"
#include "base/os/calls/injected/fault_control.h"
#include "base/os/memory_calls.h"
#include "base/os/system_call.h"

namespace hakmem::os {
namespace {

// Calls are numbered from 1: those in [fail_begin, fail_end) fail, or every
// fail_step-th of them. relaxed: nothing else depends on them. A call in
// progress while a test sets them may see old values or a mix.
constinit std::atomic<uint64_t> calls{0};
constinit std::atomic<uint64_t> failed_calls{0};
constinit std::atomic<uint64_t> fail_begin{0};
constinit std::atomic<uint64_t> fail_end{0};
constinit std::atomic<uint64_t> fail_step{1};
constinit std::atomic<const char*> failed_call{""};
constinit std::atomic<bool> environment_was_read{false};
constinit std::atomic<size_t> page_bytes{0};        // 0: the real size
constinit std::atomic<uint64_t> most_map_bytes{0};  // 0: no limit
constinit std::atomic<uint64_t> commit_limit{UINT64_MAX};
constinit std::atomic<bool> is_charged{false};

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

// Parses "n", "n,count" or "n,count,step"; anything else makes nothing fail.
void SetFail(const char* text) {
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

uint64_t NumberIn(const char* text) {
  uint64_t number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + static_cast<uint64_t>(*text - '0');
  }
  return number;
}

void SetPages(const char* text) {
  page_bytes.store(NumberIn(text), std::memory_order_relaxed);
}

void SetMaps(const char* text) {
  most_map_bytes.store(NumberIn(text), std::memory_order_relaxed);
}

void SetCommit(const char* text) {
  commit_limit.store(NumberIn(text), std::memory_order_relaxed);
  is_charged.store(true, std::memory_order_relaxed);
}

struct Variable {
  const char* prefix;
  void (*set)(const char* text);
};
constexpr Variable kVariables[] = {
    {"HAKMEM_TEST_FAIL_OS_CALL=", SetFail},
    {"HAKMEM_TEST_PAGE_BYTES=", SetPages},
    {"HAKMEM_TEST_MOST_MAP_BYTES=", SetMaps},
    {"HAKMEM_TEST_COMMIT_BYTES=", SetCommit},
};

// Reads the variables from the process's initial environment. Not by getenv:
// the loader calls malloc before the C library has an environment.
void ReadEnvironment() {
  const int file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  // One variable at a time; large enough for ours, others are truncated.
  char text[112] = {};
  size_t length = 0;
  char buffer[1024];
  for (;;) {
    const ssize_t n = read(file, buffer, sizeof(buffer));
    if (n <= 0) break;
    for (ssize_t i = 0; i < n; ++i) {
      if (length < sizeof(text) - 1) text[length++] = buffer[i];
      if (buffer[i] != '\0') continue;
      text[length] = '\0';
      for (const Variable& variable : kVariables) {
        const size_t prefix = strlen(variable.prefix);
        if (strncmp(text, variable.prefix, prefix) == 0) {
          variable.set(text + prefix);
        }
      }
      length = 0;
    }
  }
  close(file);
}

void ReadEnvironmentOnce() {
  if (environment_was_read.exchange(true, std::memory_order_relaxed)) return;
  const int saved = errno;
  ReadEnvironment();
  errno = saved;
}

// Records a failing call. Returns true.
bool Refuse(Call call) {
  failed_calls.fetch_add(1, std::memory_order_relaxed);
  failed_call.store(NameOf(call), std::memory_order_relaxed);
  errno = ENOMEM;
  return true;
}

// With MAP_NORESERVE the kernel does not charge, unless the mode really is 2.
int MapFlags() {
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  return is_charged.load(std::memory_order_relaxed) ? kFlags
                                                    : kFlags | MAP_NORESERVE;
}

}  // namespace

bool ShouldInjectFault(Call call) {
  ReadEnvironmentOnce();
  const uint64_t number = calls.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint64_t begin = fail_begin.load(std::memory_order_relaxed);
  if (number < begin || number >= fail_end.load(std::memory_order_relaxed) ||
      (number - begin) % fail_step.load(std::memory_order_relaxed) != 0) {
    return false;
  }
  return Refuse(call);
}

size_t SystemPageBytes() {
  ReadEnvironmentOnce();
  const size_t told = page_bytes.load(std::memory_order_relaxed);
  return told != 0 ? told : static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void CheckRange(uintptr_t address, size_t bytes) {
  if (((address | bytes) & (SystemPageBytes() - 1)) == 0) return;
  static constexpr char kLine[] = "hakmem: a call for a part of a page\n";
  (void)!write(STDERR_FILENO, kLine, sizeof(kLine) - 1);
  abort();
}

bool ExceedsCommitLimit(uintptr_t address, size_t bytes) {
  const uint64_t limit = commit_limit.load(std::memory_order_relaxed);
  if (limit == UINT64_MAX) return false;
  const CommitCharge charge = CommitChargeOf(address, bytes);
  const uint64_t more = bytes - charge.in_range;
  if (charge.all + more <= limit) return false;
  return Refuse(address == 0 ? Call::kMmap : Call::kMprotect);
}

bool CommitIsCounted() {
  ReadEnvironmentOnce();
  return is_charged.load(std::memory_order_relaxed);
}

long MapPages(uintptr_t hint, size_t bytes, int protection) {
  const int flags = MapFlags();
  const uint64_t most = most_map_bytes.load(std::memory_order_relaxed);
  if ((most != 0 && bytes > most && Refuse(Call::kMmap)) ||
      ((protection & PROT_WRITE) != 0 && ExceedsCommitLimit(0, bytes))) {
    return -ENOMEM;
  }
  const size_t page = SystemPageBytes();
  const size_t more = page - static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (more == 0) return MapPrivate(hint, bytes, protection, flags);
  if (bytes + more < bytes) return -ENOMEM;
  const long map = MapPrivate(hint, bytes + more, protection, flags);
  if (IsRefusal(map)) return map;
  const auto begin = static_cast<uintptr_t>(map);
  const uintptr_t start = (begin + page - 1) & ~(page - 1);
  const size_t head = start - begin;
  if (head != 0) UnmapPages(begin, head);
  if (head != more) UnmapPages(start + bytes, more - head);
  return static_cast<long>(start);
}

long ReservePages(uintptr_t address, size_t bytes) {
  return MapPrivate(address, bytes, PROT_NONE, MapFlags() | MAP_FIXED);
}

}  // namespace hakmem::os

// The compiler's flags hide symbols by default.
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

HAKMEM_EXPORTED void hakmem_test_refuse_maps_above(uint64_t bytes) noexcept {
  hakmem::os::most_map_bytes.store(bytes, std::memory_order_relaxed);
}

HAKMEM_EXPORTED uint64_t hakmem_test_committed_bytes() noexcept {
  return hakmem::os::CommitChargeOf(0, 0).all;
}

HAKMEM_EXPORTED void hakmem_test_limit_commit(uint64_t bytes) noexcept {
  hakmem::os::commit_limit.store(bytes, std::memory_order_relaxed);
}
