// The section "Why an allocation failed" of hakmem/hakmem.h. With
// --//tracing=off there are no records, and nothing of tracing is linked.

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
#include "tracing/failures/failure_json.h"
#include "tracing/failures/failure_names.h"
#include "tracing/failures/failure_text.h"

namespace {

namespace options = hakmem::options;

using hakmem::kTracing;

// The program's callback and its argument, read as a pair under a sequence
// lock: the version is odd during a change.
using Callback = void (*)(const hakmem_failure_t*, void*);
constinit std::atomic<uint32_t> callback_version{0};
constinit std::atomic<Callback> callback_function{nullptr};
constinit std::atomic<void*> callback_argument{nullptr};

[[maybe_unused]] void SetCallback(Callback function, void* argument) {
  uint32_t version = callback_version.load(std::memory_order_relaxed);
  // acquire: pairs with the release below of the last change.
  while (version % 2 != 0 ||
         !callback_version.compare_exchange_weak(version, version + 1,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
    version = callback_version.load(std::memory_order_relaxed);
  }
  // release: pairs with the acquires in CallBack; a reader that sees either
  // store also sees the odd version.
  callback_function.store(function, std::memory_order_release);
  callback_argument.store(argument, std::memory_order_release);
  // release: pairs with the acquire of the version in CallBack and above.
  callback_version.store(version + 2, std::memory_order_release);
}

// Does not wait for a change to end: this may run in a handler that interrupted
// it.
[[maybe_unused]] void CallBack(const hakmem_failure_t& failure) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    // acquire: pair with the releases in SetCallback.
    const uint32_t before = callback_version.load(std::memory_order_acquire);
    const Callback function = callback_function.load(std::memory_order_acquire);
    void* argument = callback_argument.load(std::memory_order_acquire);
    const uint32_t after = callback_version.load(std::memory_order_relaxed);
    if (before != after || before % 2 != 0) continue;
    if (function == nullptr) return;
    return function(&failure, argument);
  }
}

// `*failure` as far as its writer filled it in, then zeros: a program built
// with an older version has a shorter struct.
[[maybe_unused]] hakmem_failure_t WholeOf(const hakmem_failure_t* failure) {
  hakmem_failure_t whole = {};
  memcpy(&whole, failure,
         std::min<size_t>(failure->struct_size, sizeof(whole)));
  return whole;
}

// Runs write(failure, out) on `buffer`; returns as snprintf does.
template <typename Write>
size_t WriteTo(const hakmem_failure_t* failure, char* buffer, size_t capacity,
               Write&& write) {
  hakmem::TextBuffer out(buffer, capacity == 0 ? 0 : capacity - 1);
  if constexpr (kTracing) write(WholeOf(failure), out);
  if (capacity != 0) buffer[std::min(out.length(), capacity - 1)] = '\0';
  return out.length();
}

template <typename Code>
const char* NameOrNone(Code code) {
  if constexpr (kTracing) return hakmem::NameOf(code);
  return "";
}

__attribute__((destructor)) void PrintWhatWasLeftOut() {
  if constexpr (kTracing) hakmem::PrintFailuresLeftOut();
}

}  // namespace

int hakmem_last_failure(hakmem_failure_t* failure, size_t size) noexcept {
  if constexpr (kTracing) {
    hakmem_failure_t last;
    if (!hakmem::LastFailure(&last)) return 0;
    last.struct_size = static_cast<uint32_t>(std::min(size, sizeof(last)));
    memcpy(failure, &last, last.struct_size);
    return 1;
  }
  return 0;
}

size_t hakmem_failures(void (*visit)(const hakmem_failure_t*, void*),
                       void* argument) noexcept {
  if constexpr (kTracing) return hakmem::ForEachFailure(visit, argument);
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

const char* hakmem_failure_entry_name(hakmem_failure_entry_t entry) noexcept {
  return NameOrNone(entry);
}

const char* hakmem_failure_layer_name(hakmem_failure_layer_t layer) noexcept {
  return NameOrNone(layer);
}

const char* hakmem_failure_cause_name(hakmem_failure_cause_t cause) noexcept {
  return NameOrNone(cause);
}

const char* hakmem_failure_subcause_name(
    hakmem_failure_subcause_t subcause) noexcept {
  return NameOrNone(subcause);
}

const char* hakmem_failure_os_request_name(
    hakmem_failure_os_request_t os_request) noexcept {
  return NameOrNone(os_request);
}

size_t hakmem_failure_text(const hakmem_failure_t* failure, char* buffer,
                           size_t capacity) noexcept {
  return WriteTo(failure, buffer, capacity,
                 [](const auto& whole, hakmem::TextBuffer& out) {
                   hakmem::WriteFailureText(whole, out);
                 });
}

size_t hakmem_failure_json(const hakmem_failure_t* failure, char* buffer,
                           size_t capacity) noexcept {
  return WriteTo(failure, buffer, capacity,
                 [](const auto& whole, hakmem::TextBuffer& out) {
                   out.Text("{");
                   hakmem::WriteFailureJsonFields(whole, out);
                   out.Text("}");
                 });
}

size_t hakmem_routings(void (*visit)(size_t, size_t, uint64_t, uint64_t, void*),
                       void* argument) noexcept {
  size_t count = 0;
  if constexpr (kTracing) {
    for (size_t i = 0; i < hakmem::UnclassifiedRange::kCount; ++i) {
      const hakmem::Routing routing = hakmem::RoutingOf(i);
      if (routing.requests == 0) continue;
      visit(routing.least, routing.most, routing.requests, routing.bytes,
            argument);
      ++count;
    }
  }
  return count;
}
