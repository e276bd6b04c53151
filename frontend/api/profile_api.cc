// The public interface to the heap profile (hakmem/hakmem.h), and its options.

#include <signal.h>

#include <cerrno>

#include "base/build_config.h"
#include "base/sync/lock.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/thread_cache.h"
#include "hakmem/hakmem.h"
#include "tracing/profile/profile.h"
#include "tracing/profile/profile_dump.h"

namespace hakmem {
namespace {

void UpdateSampling() {
  Sampling::Update();
  ThreadCache::DisableFastPathOnAllThreads();
}

void OnDumpSignal(int) { Profile::RequestDump(); }

void HandleSignal(int number) {
  struct sigaction action = {};
  action.sa_handler = OnDumpSignal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  if (sigaction(number, &action, nullptr) == 0) return;
  LogLine()
      .Text("HAKMEM_PROFILE_SIGNAL=")
      .Decimal(static_cast<uint64_t>(number))
      .Text(" is ignored: no handler can be had for it")
      .Send();
}

__attribute__((constructor)) void StartProfileIfAsked() {
  options::Read();
  if (!kTracing || options::Get(options::k_profile) == 0) return;
  const int error = hakmem_profile_start(options::Get(options::k_profile_rate));
  if (error != 0) {
    LogLine().Text("HAKMEM_PROFILE is ignored: out of memory").Send();
    return;
  }
  OwnProfileFile();
  if (const uint64_t number = options::Get(options::k_profile_signal)) {
    HandleSignal(static_cast<int>(number));
  }
}

__attribute__((destructor)) void WriteProfileIfAsked() {
  if (!kTracing || options::Get(options::k_profile) == 0) return;
  // exit in a SIGABRT handler may interrupt a critical section of this thread.
  if (ThreadMayHoldLocks()) return;
  WriteProfileAsAsked();
}

}  // namespace
}  // namespace hakmem

int hakmem_profile_start(size_t rate) noexcept {
  const int error = hakmem::Profile::Start(rate);
  if (error == 0) hakmem::UpdateSampling();
  return error;
}

void hakmem_profile_stop() noexcept {
  hakmem::Profile::Stop();
  hakmem::UpdateSampling();
}

int hakmem_profile_write(const char* path) noexcept {
  if constexpr (!hakmem::kTracing) return ENOSYS;
  if (path == nullptr || *path == '\0') return EINVAL;
  return hakmem::WriteProfile(path);
}
