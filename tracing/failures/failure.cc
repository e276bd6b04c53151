#include "tracing/failures/failure.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "base/os/clock.h"
#include "base/os/read_clock.h"
#include "base/os/signal_stack.h"
#include "base/os/thread_id.h"
#include "base/sync/single_thread.h"
#include "base/text/json_line.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "base/text/output.h"
#include "tracing/failures/failure_json.h"
#include "tracing/failures/failure_ring.h"
#include "tracing/failures/failure_text.h"
#include "tracing/failures/map_failure.h"
#include "tracing/failures/rate_limit.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {

constinit thread_local hakmem_failure_t internal::failure_note{};

namespace {

constexpr uint32_t kLinesPerSecond = 10;
// Stack needed for lookups and printing.
constexpr size_t kStackBytes = 8192;

// The last 128 failures.
constinit FailureRing ring;
constinit MapFailure map_failure(kRealSystem);
constinit RateLimit rate_limit(kLinesPerSecond);
constinit std::atomic<void (*)(const hakmem_failure_t&)> failure_hook{nullptr};
// By cause. Threshold, which should cost next to nothing, is not counted: it is
// what the ring counts beyond the others.
constinit std::atomic<uint64_t> totals[HAKMEM_CAUSE_MAPFAIL + 1] = {};

// Set while this thread reports a failure: nested ones, in the hook or in a
// signal handler, go to the ring only.
constinit thread_local bool recording = false;

// Whether this runs on a signal stack that is nearly used up. Thread stacks are
// large enough, even the smallest.
bool IsStackShort() { return SignalStackBytesLeft() < kStackBytes; }

// In ticks: an exact clock would cost as much as all the rest.
uint64_t RealNanoseconds() {
  const timespec t = ReadClock(CLOCK_REALTIME_COARSE);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

// Completes `failure` from the note of the layer that refused.
void TakeNote(hakmem_failure_t* failure) {
  hakmem_failure_t& note = internal::failure_note;
  failure->cause = note.cause;
  if (note.cause == HAKMEM_CAUSE_EXHAUSTION) {
    failure->live_bytes = note.live_bytes;
    failure->cached_bytes = note.cached_bytes;
    failure->limit_bytes = note.limit_bytes;
  } else if (note.cause == HAKMEM_CAUSE_MAPFAIL) {
    failure->subcause = HAKMEM_SUBCAUSE_NOT_LOOKED_UP;
    failure->os_request = note.os_request;
    failure->os_bytes = note.os_bytes;
    if (note.error != 0) failure->error = note.error;
  }
  note.cause = HAKMEM_CAUSE_NONE;
}

// Each step has its own frame: together they would be large for a small stack.

[[gnu::noinline]] void Diagnose(hakmem_failure_t* failure) {
  map_failure.Explain(failure);
}

// The evidence of the last reported refusal, reused for the same refusal a
// moment later: a program that retries is reported each time.
class KeptEvidence {
 public:
  // Fills in the evidence of `*failure` if the cached refusal is the same.
  bool Get(uint64_t now, hakmem_failure_t* failure) {
    if (!Enter()) return false;
    const bool is_same =
        now < until_ && kept_.os_request == failure->os_request &&
        kept_.error == failure->error && kept_.os_bytes == failure->os_bytes;
    if (is_same) {
      failure->subcause = kept_.subcause;
      failure->evidence_used = kept_.evidence_used;
      failure->evidence_limit = kept_.evidence_limit;
    }
    Leave();
    return is_same;
  }

  void Keep(uint64_t now, const hakmem_failure_t& failure) {
    if (!Enter()) return;
    kept_ = failure;
    until_ = now + kMilliseconds;
    Leave();
  }

 private:
  static constexpr uint64_t kMilliseconds = 100;

  // Never waits: a thread that finds it entered makes its own lookup. In a
  // child forked meanwhile that is permanent.
  bool Enter() {
    // acquire: pairs with the release in Leave.
    return !entered_.exchange(true, std::memory_order_acquire);
  }
  void Leave() { entered_.store(false, std::memory_order_release); }

  std::atomic<bool> entered_{false};
  uint64_t until_ = 0;
  hakmem_failure_t kept_{};
};

constinit KeptEvidence kept_evidence;

void DiagnoseOrRepeat(hakmem_failure_t* failure) {
  const uint64_t now = CoarseMilliseconds();
  if (kept_evidence.Get(now, failure)) return;
  Diagnose(failure);
  kept_evidence.Keep(now, *failure);
}

bool LogsJson() {
  return options::WritesJson(options::k_ace_trace, options::k_ace_trace_format);
}

[[gnu::noinline]] void LogText(const hakmem_failure_t& failure,
                               uint64_t dropped) {
  char line[kFailureTextBytes];
  TextBuffer text(line, sizeof(line));
  if (dropped != 0) {
    text.Text("(").Decimal(dropped).Text(" more were not printed) ");
  }
  WriteFailureLine(failure, text);
  SendLine(options::k_ace_trace, line, std::min(text.length(), sizeof(line)));
}

[[gnu::noinline]] void LogJson(const hakmem_failure_t& failure,
                               uint64_t dropped) {
  char line[kFailureJsonBytes];
  TextBuffer text(line, sizeof(line));
  BeginJsonLine("failure", text);
  text.Text(",\"dropped\":").Decimal(dropped).Text(",");
  WriteFailureJsonFields(failure, text);
  text.Text("}");
  SendBare(options::k_ace_trace, line, std::min(text.length(), sizeof(line)));
}

void Log(const hakmem_failure_t& failure, const void* caller) {
  const bool json = LogsJson();
  const uint64_t dropped = rate_limit.TakeLeftOut();
  json ? LogJson(failure, dropped) : LogText(failure, dropped);
  if (options::Get(options::k_ace_trace_stack) == 0) return;
  json ? PrintStackJson(options::k_ace_trace, failure.sequence, caller)
       : PrintStack(options::k_ace_trace, caller);
}

bool IsLogged() { return options::Get(options::k_ace_trace) != 0; }

// Whether failures are reported as they happen. relaxed: Report decides which
// hook to call.
bool IsWatched() {
  return IsLogged() || failure_hook.load(std::memory_order_relaxed) != nullptr;
}

// Stores the record, logs it and calls the hook.
[[gnu::cold, gnu::noinline]] void Report(hakmem_failure_t* failure,
                                         const void* caller) {
  if (recording || IsStackShort()) return ring.Add(failure);
  recording = true;
  // Handlers of this thread must see it set before anything below happens.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const bool logs = IsLogged() && rate_limit.Pass(CoarseMilliseconds());
  // acquire: pairs with the release in SetFailureHook.
  const auto hook = failure_hook.load(std::memory_order_acquire);
  if (failure->subcause == HAKMEM_SUBCAUSE_NOT_LOOKED_UP &&
      (logs || hook != nullptr)) {
    DiagnoseOrRepeat(failure);
  }
  ring.Add(failure);
  if (logs) Log(*failure, caller);
  if (hook != nullptr) hook(*failure);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  recording = false;
}

// Looks up the evidence of a record stored without it.
void Complete(hakmem_failure_t* failure) {
  if (failure->subcause != HAKMEM_SUBCAUSE_NOT_LOOKED_UP) return;
  const int saved_errno = errno;
  if (!IsStackShort()) {
    Diagnose(failure);
    ring.Amend(*failure);
  }
  errno = saved_errno;
}

}  // namespace

void internal::RecordFailureSlow(hakmem_failure_t* failure,
                                 const void* caller) {
  const int saved_errno = errno;
  failure->struct_size = sizeof(*failure);
  failure->thread = ThreadId();
  failure->time_ns = RealNanoseconds();
  TakeNote(failure);
  // relaxed: a counter that orders nothing.
  totals[failure->cause].fetch_add(1, std::memory_order_relaxed);
  if (IsWatched()) [[unlikely]] {
    Report(failure, caller);
  } else {
    ring.Add(failure, IsSingleThreaded());
  }
  errno = saved_errno;
}

namespace {

// A request that could never be served.
struct ImpossibleRequest {
  hakmem_failure_entry_t entry;
  size_t size;
  size_t alignment;
  int error;
};

[[gnu::always_inline]] inline hakmem_failure_t MakeFailure(
    const ImpossibleRequest& request, uint32_t thread, uint64_t sequence,
    uint64_t time_ns) {
  return {
      .struct_size = sizeof(hakmem_failure_t),
      .thread = thread,
      .sequence = sequence,
      .time_ns = time_ns,
      .entry = request.entry,
      .layer = HAKMEM_LAYER_FRONTEND,
      .cause = HAKMEM_CAUSE_THRESHOLD,
      .subcause = HAKMEM_SUBCAUSE_NONE,
      .os_request = HAKMEM_OS_REQUEST_NONE,
      .error = request.error,
      .size = request.size,
      .alignment = request.alignment,
      .class_bytes = 0,
      .live_bytes = 0,
      .cached_bytes = 0,
      .limit_bytes = 0,
      .os_bytes = 0,
      .evidence_used = 0,
      .evidence_limit = 0,
  };
}

using Words = std::array<uint64_t, sizeof(hakmem_failure_t) / sizeof(uint64_t)>;

[[gnu::always_inline]] constexpr uint64_t Pair(uint64_t first,
                                               uint32_t second) {
  return std::endian::native == std::endian::little
             ? first | uint64_t{second} << 32
             : first << 32 | second;
}

// The struct's memory as words, by arithmetic: the compiler would assemble them
// from halves on the stack, and stall on store forwarding.
[[gnu::always_inline]] constexpr Words WordsOf(const hakmem_failure_t& f) {
  return {Pair(f.struct_size, f.thread),
          f.sequence,
          f.time_ns,
          Pair(f.entry, static_cast<uint32_t>(f.layer)),
          Pair(f.cause, static_cast<uint32_t>(f.subcause)),
          Pair(f.os_request, static_cast<uint32_t>(f.error)),
          f.size,
          f.alignment,
          f.class_bytes,
          f.live_bytes,
          f.cached_bytes,
          f.limit_bytes,
          f.os_bytes,
          f.evidence_used,
          f.evidence_limit};
}

constexpr hakmem_failure_t kAnyFailure = {1,
                                          2,
                                          3,
                                          4,
                                          HAKMEM_ENTRY_CALLOC,
                                          HAKMEM_LAYER_ACE,
                                          HAKMEM_CAUSE_MAPFAIL,
                                          HAKMEM_SUBCAUSE_OVERCOMMIT,
                                          HAKMEM_OS_REQUEST_COMMIT,
                                          -5,
                                          6,
                                          7,
                                          8,
                                          9,
                                          10,
                                          11,
                                          12,
                                          13,
                                          14};
static_assert(WordsOf(kAnyFailure) == std::bit_cast<Words>(kAnyFailure));

[[gnu::cold, gnu::noinline]] void ReportImpossible(
    const ImpossibleRequest& request, const void* caller) {
  const int saved_errno = errno;
  hakmem_failure_t failure =
      MakeFailure(request, ThreadId(), 0, RealNanoseconds());
  Report(&failure, caller);
  errno = saved_errno;
}

}  // namespace

// Programs that try sizes come here in loops. So it reads no clock, which would
// be a third of the cost, and writes the ring from registers.
void internal::RecordImpossibleSlow(hakmem_failure_entry_t entry, size_t size,
                                    size_t alignment, int error,
                                    const void* caller) {
  if (IsWatched()) [[unlikely]] {
    return ReportImpossible({entry, size, alignment, error}, caller);
  }
  const uint32_t thread = ThreadId();
  ring.AddMade(
      [=](uint64_t sequence) {
        return WordsOf(MakeFailure({entry, size, alignment, error}, thread,
                                   sequence, /*time_ns=*/0));
      },
      IsSingleThreaded());
}

void SetFailureHook(void (*hook)(const hakmem_failure_t&)) {
  // release: pairs with the acquire in Report.
  failure_hook.store(hook, std::memory_order_release);
}

bool LastFailure(hakmem_failure_t* failure) {
  if (!ring.Last(failure)) return false;
  Complete(failure);
  return true;
}

size_t ForEachFailure(void (*visit)(const hakmem_failure_t*, void*),
                      void* argument) {
  return ring.ForEach([=](hakmem_failure_t& failure) {
    Complete(&failure);
    visit(&failure, argument);
  });
}

uint64_t FailuresOf(hakmem_failure_cause_t cause) {
  const auto total = [](hakmem_failure_cause_t c) {
    return totals[c].load(std::memory_order_relaxed);
  };
  if (cause != HAKMEM_CAUSE_THRESHOLD) return total(cause);
  const uint64_t others = total(HAKMEM_CAUSE_NONE) +
                          total(HAKMEM_CAUSE_EXHAUSTION) +
                          total(HAKMEM_CAUSE_MAPFAIL);
  const uint64_t all = ring.added();
  // Others may be counted before they are in the ring.
  return all > others ? all - others : 0;
}

uint64_t FailuresForgotten() { return ring.lost(); }

void PrintFailuresLeftOut() {
  const uint64_t dropped = rate_limit.TakeLeftOut();
  if (dropped == 0) return;
  char line[128];
  TextBuffer text(line, sizeof(line));
  if (LogsJson()) {
    BeginJsonLine("dropped", text);
    text.Text(",\"dropped\":").Decimal(dropped).Text("}");
    SendBare(options::k_ace_trace, line, text.length());
  } else {
    text.Decimal(dropped).Text(" more failures were not printed");
    SendLine(options::k_ace_trace, line, text.length());
  }
}

}  // namespace hakmem
