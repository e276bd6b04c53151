#include "tracing/failures/failure.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <ctime>

#include "base/os/clock.h"
#include "base/os/read_clock.h"
#include "base/os/signal_stack.h"
#include "base/os/thread_id.h"
#include "base/sync/single_thread.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "base/text/output.h"
#include "tracing/failures/failure_record.h"
#include "tracing/failures/failure_ring.h"
#include "tracing/failures/failure_text.h"
#include "tracing/failures/map_failure.h"
#include "tracing/failures/rate_limit.h"
#include "tracing/stacks/stack_trace.h"

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
// By cause; of Threshold, which is to cost next to nothing, what the ring
// counts beyond the others.
constinit std::atomic<uint64_t>
    totals[static_cast<size_t>(Cause::kMapFail) + 1] = {};

// Set while this thread tells of a record: what fails meanwhile, in the hook or
// in a signal handler, is only kept.
constinit thread_local bool recording = false;

// Whether this runs on a signal stack that is nearly used up. Elsewhere the
// smallest thread's stack is enough.
bool IsStackShort() { return SignalStackBytesLeft() < kStackBytes; }

// To the kernel's tick: an exact clock costs as much as all the rest.
uint64_t Nanoseconds() {
  const timespec t = ReadClock(CLOCK_REALTIME_COARSE);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

// The impossible needs no note, and an older one may be left: of a refusal that
// was served after all.
bool IsImpossible(const FailedRequest& request) {
  return request.bytes > size_t{PTRDIFF_MAX} ||
         request.alignment > size_t{PTRDIFF_MAX} || request.error == EINVAL;
}

void TakeNote(FailureRecord* record) {
  const FailureNote& note = internal::failure_note;
  record->cause = note.cause;
  if (note.cause == Cause::kExhaustion) {
    record->live = note.live;
    record->cached = note.cached;
    record->limit = note.limit;
  } else if (note.cause == Cause::kMapFail) {
    record->subcause = SubCause::kNotLookedUp;
    record->os_request = note.request;
    record->os_bytes = note.os_bytes;
    if (note.error != 0) record->error = note.error;
  }
}

uint32_t ThreadOf(const FailedRequest& request) {
  return request.thread != 0 ? request.thread : ThreadId();
}

FailureRecord MakeRecord(const FailedRequest& request) {
  // Each field by name: filling the whole with zeros first would cost more than
  // all the rest.
  FailureRecord record{
      .sequence = 0,
      .time_ns = Nanoseconds(),
      .bytes = request.bytes,
      .alignment = request.alignment,
      .class_bytes = request.class_bytes,
      .live = request.live,
      .cached = request.cached,
      .limit = 0,
      .os_bytes = 0,
      .evidence_used = 0,
      .evidence_limit = 0,
      .error = request.error,
      .thread = ThreadOf(request),
      .entry = request.entry,
      .layer = request.layer,
      .cause = Cause::kThreshold,
      .subcause = SubCause::kNone,
      .os_request = OsRequest::kNone,
      .reserved = {},
  };
  if (!IsImpossible(request)) TakeNote(&record);
  internal::failure_note.cause = Cause::kNone;
  return record;
}

// Each step of its own frame: together they would be large for a small stack.

[[gnu::noinline]] void Diagnose(FailureRecord* record) {
  const Evidence evidence =
      map_failure.Explain(record->os_request, record->error, record->os_bytes);
  record->subcause = evidence.subcause;
  record->evidence_used = evidence.used;
  record->evidence_limit = evidence.limit;
}

// The evidence of a refusal that is told of, for the same one a moment later: a
// program that asks again and again is told as often.
class KeptEvidence {
 public:
  // Fills `*record` in when it is of the refusal that was kept.
  bool Get(uint64_t now, FailureRecord* record) {
    if (!Enter()) return false;
    const bool is_same =
        now < until_ && kept_.os_request == record->os_request &&
        kept_.error == record->error && kept_.os_bytes == record->os_bytes;
    if (is_same) {
      record->subcause = kept_.subcause;
      record->evidence_used = kept_.evidence_used;
      record->evidence_limit = kept_.evidence_limit;
    }
    Leave();
    return is_same;
  }

  void Keep(uint64_t now, const FailureRecord& record) {
    if (!Enter()) return;
    kept_ = record;
    until_ = now + kMilliseconds;
    Leave();
  }

 private:
  static constexpr uint64_t kMilliseconds = 100;

  // Nobody waits: who finds it entered looks for himself, also for ever in a
  // child that was forked meanwhile.
  bool Enter() {
    // acquire: pairs with the release in Leave.
    return !entered_.exchange(true, std::memory_order_acquire);
  }
  void Leave() { entered_.store(false, std::memory_order_release); }

  std::atomic<bool> entered_{false};
  uint64_t until_ = 0;
  FailureRecord kept_{};
};

constinit KeptEvidence kept_evidence;

void DiagnoseOrRepeat(FailureRecord* record) {
  const uint64_t now = CoarseMilliseconds();
  if (kept_evidence.Get(now, record)) return;
  Diagnose(record);
  kept_evidence.Keep(now, *record);
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

bool IsPrinted() { return options::Get(options::k_ace_trace) != 0; }

// Keeps the record, prints it and calls the hook.
[[gnu::cold, gnu::noinline]] void Tell(FailureRecord* record,
                                       const void* caller) {
  if (recording || IsStackShort()) return ring.Add(record);
  recording = true;
  // Handlers of this thread must see it set before anything below happens.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const bool prints = IsPrinted() && rate_limit.Pass(CoarseMilliseconds());
  // acquire: pairs with the release in SetFailureHook.
  const auto hook = failure_hook.load(std::memory_order_acquire);
  if (record->subcause == SubCause::kNotLookedUp &&
      (prints || hook != nullptr)) {
    DiagnoseOrRepeat(record);
  }
  ring.Add(record);
  if (prints) {
    PrintRecord(*record);
    if (options::Get(options::k_ace_trace_stack) != 0) {
      PrintStack(options::k_ace_trace, caller);
    }
  }
  if (hook != nullptr) hook(*record);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  recording = false;
}

// Looks up the evidence of a record that was kept without.
void Complete(FailureRecord* record) {
  if (record->subcause != SubCause::kNotLookedUp) return;
  const int saved_errno = errno;
  if (!IsStackShort()) {
    Diagnose(record);
    ring.Amend(*record);
  }
  errno = saved_errno;
}

}  // namespace

void internal::RecordFailureSlow(const FailedRequest& request) {
  const int saved_errno = errno;
  FailureRecord record = MakeRecord(request);
  if (record.cause != Cause::kThreshold) {
    // relaxed: a total orders nothing.
    totals[static_cast<size_t>(record.cause)].fetch_add(
        1, std::memory_order_relaxed);
  }
  // relaxed: whether to call it is decided in Tell.
  if (IsPrinted() || failure_hook.load(std::memory_order_relaxed) != nullptr)
      [[unlikely]] {
    Tell(&record, request.caller);
  } else {
    ring.Add(&record, IsSingleThreaded());
  }
  errno = saved_errno;
}

void SetFailureHook(void (*hook)(const FailureRecord&)) {
  // release: pairs with the acquire in RecordFailureSlow.
  failure_hook.store(hook, std::memory_order_release);
}

bool LastFailure(FailureRecord* record) {
  if (!ring.Last(record)) return false;
  Complete(record);
  return true;
}

size_t ForEachFailure(void (*visit)(const FailureRecord&, void*),
                      void* argument) {
  return ring.ForEach([=](FailureRecord& record) {
    Complete(&record);
    visit(record, argument);
  });
}

uint64_t FailuresOf(Cause cause) {
  const auto total = [](Cause c) {
    return totals[static_cast<size_t>(c)].load(std::memory_order_relaxed);
  };
  if (cause != Cause::kThreshold) return total(cause);
  const uint64_t others =
      total(Cause::kNone) + total(Cause::kExhaustion) + total(Cause::kMapFail);
  const uint64_t all = ring.added();
  // Others may have been counted and not be kept yet.
  return all > others ? all - others : 0;
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
