#include "tracing/failure.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <ctime>

#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"
#include "base/output.h"
#include "base/read_clock.h"
#include "base/signal_stack.h"
#include "base/thread_id.h"
#include "tracing/failure_record.h"
#include "tracing/failure_ring.h"
#include "tracing/failure_text.h"
#include "tracing/map_failure.h"
#include "tracing/rate_limit.h"
#include "tracing/stack_trace.h"

namespace hakmem {

constinit thread_local FailureNote internal::failure_note{};

namespace {

constexpr uint32_t kLinesPerSecond = 10;
// What looking and printing need of the stack.
constexpr size_t kStackBytes = 8192;

constinit FailureRing ring;
constinit MapFailure map_failure(kRealSystem);
constinit RateLimit rate_limit(kLinesPerSecond);
constinit std::atomic<void (*)(const FailureRecord&)> failure_hook{nullptr};
constinit std::atomic<uint64_t>
    totals[static_cast<size_t>(Cause::kMapFail) + 1] = {};

// Set while this thread makes a record: what fails meanwhile, in the hook or in
// a signal handler, is only kept.
constinit thread_local bool recording = false;

// Whether this runs on a signal stack that is nearly used up. Elsewhere the
// smallest thread's stack is enough.
bool IsStackShort() { return SignalStackBytesLeft() < kStackBytes; }

uint64_t Nanoseconds() {
  const timespec t = ReadClock(CLOCK_REALTIME);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

// A part that refused without a note: the impossible can be told all the same.
Cause CauseOf(const FailedRequest& request, const FailureNote& note) {
  if (note.cause != Cause::kNone) return note.cause;
  const bool impossible = request.bytes > size_t{PTRDIFF_MAX} ||
                          request.alignment > size_t{PTRDIFF_MAX} ||
                          request.error == EINVAL;
  return impossible ? Cause::kThreshold : Cause::kNone;
}

FailureRecord MakeRecord(const FailedRequest& request,
                         const FailureNote& note) {
  FailureRecord record = {};
  record.time_ns = Nanoseconds();
  record.thread = ThreadId();
  record.bytes = request.bytes;
  record.alignment = request.alignment;
  record.class_bytes = request.class_bytes;
  record.live = request.live;
  record.cached = request.cached;
  record.entry = request.entry;
  record.layer = request.layer;
  record.error = request.error;
  record.cause = CauseOf(request, note);
  if (record.cause == Cause::kExhaustion) {
    record.live = note.live;
    record.cached = note.cached;
    record.limit = note.limit;
  } else if (record.cause == Cause::kMapFail) {
    record.subcause = SubCause::kUnknown;
    record.os_request = note.request;
    record.os_bytes = note.os_bytes;
    if (note.error != 0) record.error = note.error;
  }
  return record;
}

// Each step of its own frame: together they would be large for a small stack.

[[gnu::noinline]] void Diagnose(FailureRecord* record) {
  // To align a mapping, as much again may be asked for.
  const Evidence evidence = map_failure.Explain(
      record->os_request, record->error, record->os_bytes + record->alignment);
  record->subcause = evidence.subcause;
  record->evidence_used = evidence.used;
  record->evidence_limit = evidence.limit;
}

[[gnu::noinline]] void PrintRecord(const FailureRecord& record) {
  char line[kFailureTextBytes];
  TextBuffer text(line, sizeof(line));
  const uint64_t left_out = rate_limit.TakeLeftOut();
  if (left_out != 0) {
    text.Text("(").Decimal(left_out).Text(" more were not printed) ");
  }
  WriteFailure(record, text);
  SendLine(options::k_ace_trace, line, std::min(text.length(), sizeof(line)));
}

void PrintIfAsked(const FailureRecord& record) {
  if (options::Get(options::k_ace_trace) == 0) return;
  if (!rate_limit.Pass(CoarseMilliseconds())) return;
  PrintRecord(record);
  if (options::Get(options::k_ace_trace_stack) != 0) {
    PrintStack(options::k_ace_trace);
  }
}

}  // namespace

void internal::RecordFailureSlow(const FailedRequest& request) {
  const int saved_errno = errno;
  const FailureNote note = failure_note;
  failure_note = {};
  FailureRecord record = MakeRecord(request, note);
  // relaxed: a total orders nothing.
  totals[static_cast<size_t>(record.cause)].fetch_add(
      1, std::memory_order_relaxed);
  if (recording || IsStackShort()) {
    ring.Add(&record);
    errno = saved_errno;
    return;
  }
  recording = true;
  // Handlers of this thread must see it set before anything below happens.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (record.cause == Cause::kMapFail) Diagnose(&record);
  ring.Add(&record);
  PrintIfAsked(record);
  // acquire: pairs with the release in SetFailureHook.
  const auto hook = failure_hook.load(std::memory_order_acquire);
  if (hook != nullptr) hook(record);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  recording = false;
  errno = saved_errno;
}

void SetFailureHook(void (*hook)(const FailureRecord&)) {
  // release: pairs with the acquire in RecordFailureSlow.
  failure_hook.store(hook, std::memory_order_release);
}

bool LastFailure(FailureRecord* record) { return ring.Last(record); }

size_t ForEachFailure(void (*visit)(const FailureRecord&, void*),
                      void* argument) {
  return ring.ForEach(
      [=](const FailureRecord& record) { visit(record, argument); });
}

uint64_t FailuresOf(Cause cause) {
  return totals[static_cast<size_t>(cause)].load(std::memory_order_relaxed);
}

uint64_t FailuresForgotten() { return ring.lost(); }

void PrintFailuresLeftOut() {
  const uint64_t left_out = rate_limit.TakeLeftOut();
  if (left_out == 0) return;
  char line[64];
  TextBuffer text(line, sizeof(line));
  text.Decimal(left_out).Text(" more failures were not printed");
  SendLine(options::k_ace_trace, line, std::min(text.length(), sizeof(line)));
}

}  // namespace hakmem
