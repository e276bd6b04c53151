// The public interface to allocation events (hakmem/hakmem.h).

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/text/log.h"
#include "base/text/options.h"
#include "frontend/thread_cache/thread_cache.h"
#include "hakmem/hakmem.h"
#include "os_calls.h"
#include "tracing/events/events.h"

namespace {

using hakmem::AllocationEvent;
using hakmem::Operation;

constexpr hakmem_operation_t PublicOperation(Operation operation) {
  return static_cast<hakmem_operation_t>(operation);
}
static_assert(PublicOperation(Operation::kAllocate) == HAKMEM_OPERATION_MALLOC);
static_assert(PublicOperation(Operation::kFree) == HAKMEM_OPERATION_FREE);
static_assert(PublicOperation(Operation::kReallocate) ==
              HAKMEM_OPERATION_REALLOC);

const char* NameOf(Operation operation) {
  switch (operation) {
    case Operation::kAllocate:
      return "malloc";
    case Operation::kFree:
      return "free";
    case Operation::kReallocate:
      return "realloc";
  }
  return "?";
}

// Makes children of fork begin with their own events. False when the C library
// has no memory for the handler; may allocate.
bool HandleForks() {
  static constinit std::atomic<bool> handled{false};
  // relaxed: only one of several first callers should do it, and none of them
  // has an event yet that a child could inherit.
  if (handled.exchange(true, std::memory_order_relaxed)) return true;
  if (!hakmem::os::ShouldInjectFault(hakmem::os::Call::kAtFork) &&
      pthread_atfork(nullptr, nullptr, hakmem::BeginEventsInChild) == 0) {
    return true;
  }
  handled.store(false, std::memory_order_relaxed);
  return false;
}

struct PublicVisitor {
  void (*visit)(const hakmem_event_t* event, void* argument);
  void* argument;
};

void VisitAsPublic(const AllocationEvent& event, void* visitor) {
  const hakmem_event_t shown = {.time_ns = event.time_ns,
                                .thread = event.thread,
                                .operation = PublicOperation(event.operation),
                                .address = event.address,
                                .size = event.bytes,
                                .class_bytes = event.class_bytes,
                                .caller = event.caller};
  const auto* as = static_cast<const PublicVisitor*>(visitor);
  as->visit(&shown, as->argument);
}

// Writes events as lines of text, a few at a time: the buffer may lie on a
// signal handler's stack.
class Dump {
 public:
  explicit Dump(int file) : file_(file) {}

  void Add(const AllocationEvent& event) {
    if (sizeof(buffer_) - length_ < kLongestLine) Flush();
    hakmem::TextBuffer line(buffer_ + length_, sizeof(buffer_) - length_);
    line.Decimal(event.time_ns)
        .Text(" ")
        .Decimal(event.thread)
        .Text(" ")
        .Text(NameOf(event.operation))
        .Text(" ")
        .Hex(reinterpret_cast<uintptr_t>(event.address))
        .Text(" ")
        .Decimal(event.bytes)
        .Text(" ")
        .Decimal(event.class_bytes)
        .Text(" ")
        .Hex(reinterpret_cast<uintptr_t>(event.caller))
        .Text("\n");
    length_ += line.length();
  }

  // Writes the rest. Returns 0 or the errno of the first failed write.
  int Finish() {
    Flush();
    return error_;
  }

 private:
  // Up to four numbers of 20 digits, two addresses of 18, an operation.
  static constexpr size_t kLongestLine = 4 * 21 + 2 * 19 + 8;

  void Flush() {
    const int saved_errno = errno;
    for (size_t sent = 0; sent < length_ && error_ == 0;) {
      const ssize_t n = write(file_, buffer_ + sent, length_ - sent);
      if (n > 0) {
        sent += static_cast<size_t>(n);
      } else if (n == 0 || errno != EINTR) {
        error_ = n == 0 ? EIO : errno;
      }
    }
    length_ = 0;
    errno = saved_errno;
  }

  const int file_;
  int error_ = 0;
  size_t length_ = 0;
  char buffer_[1024];
};

__attribute__((constructor)) void StartEventsIfAsked() {
  hakmem::options::Read();
  if (hakmem::options::Get(hakmem::options::k_events) == 0) return;
  const int error = hakmem_events_start();
  if (error == 0) return;
  hakmem::LogLine()
      .Text("HAKMEM_EVENTS is ignored: ")
      .Text(error == ENOSYS ? "built with --//tracing=off" : "out of memory")
      .Send();
}

}  // namespace

int hakmem_events_start() noexcept {
  if constexpr (!hakmem::kTracing) return ENOSYS;
  if (!HandleForks()) return ENOMEM;
  const int error = hakmem::StartEvents();
  if (error == 0) hakmem::ThreadCache::DisableFastPathOnAllThreads();
  return error;
}

void hakmem_events_stop() noexcept { hakmem::StopEvents(); }

size_t hakmem_events(void (*visit)(const hakmem_event_t* event, void* argument),
                     void* argument) noexcept {
  PublicVisitor visitor = {visit, argument};
  return hakmem::VisitEvents(VisitAsPublic, &visitor);
}

size_t hakmem_event_counts(hakmem_event_counts_t* counts,
                           size_t size) noexcept {
  const hakmem::EventCounts all = hakmem::CountEvents();
  const hakmem_event_counts_t shown = {all.recorded, all.overwritten,
                                       all.dropped};
  const size_t filled = std::min(size, sizeof(shown));
  memcpy(counts, &shown, filled);
  return filled;
}

int hakmem_events_dump(int fd) noexcept {
  Dump dump(fd);
  hakmem::VisitEvents([](const AllocationEvent& event,
                         void* to) { static_cast<Dump*>(to)->Add(event); },
                      &dump);
  return dump.Finish();
}
