// The part "Why an allocation failed" of hakmem/hakmem.h: failure records
// (tracing/failures/failure.h) in their public form. With --//tracing=off it
// answers "none", and nothing of tracing is linked.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/text/log.h"
#include "base/text/options.h"
#include "hakmem/hakmem.h"
#include "tracing/counters/unclassified_sizes.h"
#include "tracing/failures/failure.h"
#include "tracing/failures/failure_names.h"
#include "tracing/failures/failure_record.h"
#include "tracing/failures/failure_text.h"

namespace {

namespace options = hakmem::options;

using hakmem::FailureRecord;
using hakmem::kTracing;

hakmem_failure_t PublicForm(const FailureRecord& record) {
  hakmem_failure_t failure = {};
  failure.sequence = record.sequence;
  failure.time_ns = record.time_ns;
  failure.thread = record.thread;
  failure.size = record.bytes;
  failure.alignment = record.alignment;
  failure.entry = NameOf(record.entry);
  failure.layer = NameOf(record.layer);
  failure.cause = NameOf(record.cause);
  failure.subcause = NameOf(record.subcause);
  failure.os_request = NameOf(record.os_request);
  failure.error = record.error;
  failure.class_bytes = record.class_bytes;
  failure.live_bytes = record.live;
  failure.cached_bytes = record.cached;
  failure.limit_bytes = record.limit;
  failure.os_bytes = record.os_bytes;
  failure.evidence_used = record.evidence_used;
  failure.evidence_limit = record.evidence_limit;
  return failure;
}

[[maybe_unused]] FailureRecord RecordOf(const hakmem_failure_t& failure) {
  FailureRecord record = {};
  record.sequence = failure.sequence;
  record.time_ns = failure.time_ns;
  record.thread = static_cast<uint32_t>(failure.thread);
  record.bytes = failure.size;
  record.alignment = failure.alignment;
  record.error = failure.error;
  record.class_bytes = failure.class_bytes;
  record.live = failure.live_bytes;
  record.cached = failure.cached_bytes;
  record.limit = failure.limit_bytes;
  record.os_bytes = failure.os_bytes;
  record.evidence_used = failure.evidence_used;
  record.evidence_limit = failure.evidence_limit;
  hakmem::SetByNames(failure.entry, failure.layer, failure.cause,
                     failure.subcause, failure.os_request, &record);
  return record;
}

// The program's callback with its argument, which must be read as a pair: a
// sequence lock, odd while it is being changed.
using Callback = void (*)(const hakmem_failure_t*, void*);
constinit std::atomic<uint32_t> callback_version{0};
constinit std::atomic<Callback> callback_function{nullptr};
constinit std::atomic<void*> callback_argument{nullptr};

[[maybe_unused]] void SetCallback(Callback function, void* argument) {
  uint32_t version = callback_version.load(std::memory_order_relaxed);
  // acquire: pairs with the release below of whoever changed it last.
  while (version % 2 != 0 ||
         !callback_version.compare_exchange_weak(version, version + 1,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
    version = callback_version.load(std::memory_order_relaxed);
  }
  // release: pair with the acquires in CallBack; who sees one of these sees the
  // odd version.
  callback_function.store(function, std::memory_order_release);
  callback_argument.store(argument, std::memory_order_release);
  // release: pairs with the acquire of the version in CallBack and above.
  callback_version.store(version + 2, std::memory_order_release);
}

// Does not wait for a change to end: a handler may have interrupted it.
[[maybe_unused]] void CallBack(const FailureRecord& record) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    // acquire: pair with the releases in SetCallback.
    const uint32_t before = callback_version.load(std::memory_order_acquire);
    const Callback function = callback_function.load(std::memory_order_acquire);
    void* argument = callback_argument.load(std::memory_order_acquire);
    const uint32_t after = callback_version.load(std::memory_order_relaxed);
    if (before != after || before % 2 != 0) continue;
    if (function == nullptr) return;
    const hakmem_failure_t failure = PublicForm(record);
    return function(&failure, argument);
  }
}

struct Visit {
  void (*function)(const hakmem_failure_t*, void*);
  void* argument;
};

[[maybe_unused]] void VisitOne(const FailureRecord& record, void* visit) {
  const hakmem_failure_t failure = PublicForm(record);
  const auto* v = static_cast<const Visit*>(visit);
  v->function(&failure, v->argument);
}

// Who asks for a trace that cannot come should not wait for it.
__attribute__((constructor)) void TellThatThereIsNoTrace() {
  if constexpr (kTracing) return;
  options::Read();
  if (options::Get(options::k_ace_trace) == 0) return;
  hakmem::LogLine()
      .Text("HAKMEM_ACE_TRACE is ignored: built with --//tracing=off")
      .Send();
}

__attribute__((destructor)) void TellWhatWasLeftOut() {
  if constexpr (kTracing) hakmem::PrintFailuresLeftOut();
}

}  // namespace

int hakmem_last_failure(hakmem_failure_t* failure, size_t size) noexcept {
  if constexpr (kTracing) {
    FailureRecord record;
    if (!hakmem::LastFailure(&record)) return 0;
    const hakmem_failure_t last = PublicForm(record);
    memcpy(failure, &last, std::min(size, sizeof(last)));
    return 1;
  }
  return 0;
}

size_t hakmem_failures(void (*visit)(const hakmem_failure_t*, void*),
                       void* argument) noexcept {
  if constexpr (kTracing) {
    Visit each = {visit, argument};
    return hakmem::ForEachFailure(VisitOne, &each);
  }
  return 0;
}

void hakmem_set_failure_callback(void (*callback)(const hakmem_failure_t*,
                                                  void*),
                                 void* argument) noexcept {
  if constexpr (kTracing) {
    SetCallback(callback, argument);
    hakmem::SetFailureHook(CallBack);
  }
}

size_t hakmem_failure_text(const hakmem_failure_t* failure, char* buffer,
                           size_t capacity) noexcept {
  hakmem::TextBuffer out(buffer, capacity == 0 ? 0 : capacity - 1);
  if constexpr (kTracing) hakmem::WriteFailure(RecordOf(*failure), out);
  if (capacity != 0) buffer[std::min(out.length(), capacity - 1)] = '\0';
  return out.length();
}

size_t hakmem_routings(void (*visit)(size_t, size_t, uint64_t, uint64_t, void*),
                       void* argument) noexcept {
  size_t count = 0;
  if constexpr (kTracing) {
    for (size_t i = 0; i < hakmem::RoutingRange::kCount; ++i) {
      const hakmem::Routing routing = hakmem::RoutingOf(i);
      if (routing.requests == 0) continue;
      visit(routing.least, routing.most, routing.requests, routing.bytes,
            argument);
      ++count;
    }
  }
  return count;
}
