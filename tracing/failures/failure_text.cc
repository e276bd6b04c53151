#include "tracing/failures/failure_text.h"

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/text/errno_name.h"
#include "tracing/failures/failure_names.h"

namespace hakmem {
namespace {

// Writes texts and sizes into one sentence.
class Sentence {
 public:
  explicit Sentence(TextBuffer& out) : out_(out) {}

  Sentence& operator<<(const char* text) {
    out_.Text(text);
    return *this;
  }

  struct Bytes {
    uint64_t value;
  };
  Sentence& operator<<(Bytes bytes) {
    WriteBytes(bytes.value, out_);
    return *this;
  }

  // A plain number.
  Sentence& operator<<(uint64_t value) {
    out_.Decimal(value);
    return *this;
  }

 private:
  TextBuffer& out_;
};

using Bytes = Sentence::Bytes;

// What was requested from the system.
constexpr const char* kOsRequestTexts[] = {
    "nothing",        "address space for chunks",
    "use of a chunk", "the allocator's metadata",
    "a large block",  "growing a large block",
    "huge pages"};
static_assert(std::size(kOsRequestTexts) == HAKMEM_OS_REQUEST_HUGE_PAGES + 1);

const char* TextOf(hakmem_failure_os_request_t request) {
  const auto index = static_cast<size_t>(request);
  return index < std::size(kOsRequestTexts) ? kOsRequestTexts[index] : "?";
}

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kMost = PTRDIFF_MAX;

// The request: "malloc of 1.5 MiB (1572867 bytes) aligned to 4 KiB".
void WriteRequest(const hakmem_failure_t& r, Sentence& out) {
  if (r.entry == HAKMEM_ENTRY_NONE) {
    out << "advice to the system on " << Bytes{r.os_bytes};
    return;
  }
  out << NameOf(r.entry);
  if (r.size == SIZE_MAX) {
    out << " of a size that overflows";
  } else {
    out << " of " << Bytes{r.size};
    if (r.size >= 1024 && r.size % 1024 != 0) {
      out << " (" << r.size << " bytes)";
    }
  }
  if (r.alignment != 0) out << " aligned to " << Bytes{r.alignment};
}

void WriteErrno(const hakmem_failure_t& r, Sentence& out) {
  if (r.error == 0) return;
  const char* name = ErrnoName(r.error);
  if (name != nullptr) {
    out << ", " << name;
  } else {
    out << ", errno " << static_cast<uint64_t>(r.error);
  }
}

void WriteThreshold(const hakmem_failure_t& r, Sentence& out) {
  if (r.error == EINVAL ||
      !(r.alignment == 0 || std::has_single_bit(r.alignment))) {
    out << "no block can have this alignment: pass a power of two";
    if (r.entry == HAKMEM_ENTRY_POSIX_MEMALIGN) {
      out << " and a multiple of " << sizeof(void*);
    }
  } else if (r.size == SIZE_MAX) {
    out << "count times size is more than size_t holds: check where the count "
           "comes from";
  } else if (r.size > kMost) {
    out << "a request of " << r.size
        << " bytes can never be served: PTRDIFF_MAX is " << kMost;
  } else if (r.alignment > kMost) {
    out << "an alignment of " << r.alignment
        << " can never be served: PTRDIFF_MAX is " << kMost;
  } else {
    out << "no class serves this within the waste cap: raise "
           "HAKMEM_ACE_WASTE_PERCENT, or ask for a size nearer to a class";
  }
}

void WriteExhaustion(const hakmem_failure_t& r, Sentence& out) {
  out << "the pool holds " << Bytes{r.live_bytes} << " in use and "
      << Bytes{r.cached_bytes} << " cached of the " << Bytes{r.limit_bytes}
      << " it may: ";
  if (r.layer == HAKMEM_LAYER_ACE) {
    out << "raise HAKMEM_ACE_LIMIT_MB from " << r.limit_bytes / kMiB;
  } else {
    out << "raise its limit";
  }
}

// The figures of a resource limit: "47 MiB of address space are used: raise
// RLIMIT_AS (ulimit -v) from 50 MiB".
void WriteResourceLimit(const hakmem_failure_t& r, const char* of,
                        const char* option, Sentence& out) {
  if (r.evidence_used == 0) {
    out << "that alone is more than the limit: ";
  } else {
    out << Bytes{r.evidence_used} << of << ": ";
  }
  out << "raise " << NameOf(r.subcause) << " (ulimit " << option << ") from "
      << Bytes{r.evidence_limit};
}

// The figures that show why the system refused, and what to change.
void WriteEvidence(const hakmem_failure_t& r, Sentence& out) {
  const Bytes used = {r.evidence_used};
  const Bytes limit = {r.evidence_limit};
  switch (r.subcause) {
    case HAKMEM_SUBCAUSE_RLIMIT_AS:
      return WriteResourceLimit(r, " of address space are used", "-v", out);
    case HAKMEM_SUBCAUSE_RLIMIT_DATA:
      return WriteResourceLimit(r, " of data are used", "-d", out);
    case HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK:
      WriteResourceLimit(r, " of memory are locked", "-l", out);
      out << ", or lock less (mlockall locks all that is mapped)";
      return;
    case HAKMEM_SUBCAUSE_ADDRESS_SPACE:
      out << "a process has " << limit
          << " of address space, whatever the memory: ask for less";
      return;
    case HAKMEM_SUBCAUSE_COMMIT_LIMIT:
      out << "vm.overcommit_memory is 2, and " << used
          << " are promised of the CommitLimit of " << limit
          << ": raise vm.overcommit_ratio, add swap, or set "
             "vm.overcommit_memory to 0";
      return;
    case HAKMEM_SUBCAUSE_MAX_MAP_COUNT:
      out << "the process has " << r.evidence_used
          << " mappings: raise vm.max_map_count from " << r.evidence_limit;
      return;
    case HAKMEM_SUBCAUSE_MEMORY_MAX:
    case HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES:
      out << "the container's " << NameOf(r.subcause) << " is " << limit
          << " and " << used << " are used: raise it";
      return;
    case HAKMEM_SUBCAUSE_OVERCOMMIT:
      out << "vm.overcommit_memory is 0, and memory and swap are " << limit
          << " together: ask for less, add swap, or set vm.overcommit_memory "
             "to 1";
      return;
    case HAKMEM_SUBCAUSE_HUGE_PAGES:
      out << "the kernel gives no huge pages: switch them on in "
             "/sys/kernel/mm/transparent_hugepage/enabled, or unset "
             "HAKMEM_HUGE_PAGES";
      return;
    case HAKMEM_SUBCAUSE_NOT_LOOKED_UP:
      out << "which limit explains it was not looked up";
      return;
    case HAKMEM_SUBCAUSE_NONE:
    case HAKMEM_SUBCAUSE_UNKNOWN:
      out << "no limit that explains it was found: see the errno, the kernel's "
             "log (dmesg), and what seccomp or a security module forbids";
      return;
  }
}

void WriteCause(const hakmem_failure_t& r, Sentence& out) {
  switch (r.cause) {
    case HAKMEM_CAUSE_THRESHOLD:
      return WriteThreshold(r, out);
    case HAKMEM_CAUSE_EXHAUSTION:
      return WriteExhaustion(r, out);
    case HAKMEM_CAUSE_MAPFAIL:
      out << "the system refused " << Bytes{r.os_bytes} << " for "
          << TextOf(r.os_request) << "; ";
      return WriteEvidence(r, out);
    case HAKMEM_CAUSE_NONE:
      out << "the reason was not noted: please report this";
      return;
  }
}

}  // namespace

void WriteBytes(uint64_t bytes, TextBuffer& out) {
  static constexpr const char* kUnits[] = {" bytes", " KiB", " MiB", " GiB",
                                           " TiB",   " PiB", " EiB"};
  size_t unit = 0;
  while (unit + 1 < std::size(kUnits) && bytes >> (10 * (unit + 1)) != 0) {
    ++unit;
  }
  const uint64_t whole = bytes >> (10 * unit);
  out.Decimal(whole);
  if (unit != 0) {
    // One decimal, truncated rather than rounded: usage must not look larger
    // than the limit.
    const uint64_t part = (bytes >> (10 * (unit - 1))) & 1023;
    const uint64_t tenth = part * 10 / 1024;
    if (tenth != 0) out.Text(".").Decimal(tenth);
  }
  out.Text(kUnits[unit]);
}

void WriteFailureExplanation(const hakmem_failure_t& failure,
                             TextBuffer& text) {
  Sentence out(text);
  WriteCause(failure, out);
}

void WriteFailureText(const hakmem_failure_t& failure, TextBuffer& text) {
  Sentence out(text);
  WriteRequest(failure, out);
  out << ": " << NameOf(failure.cause) << " in " << NameOf(failure.layer);
  if (failure.subcause != HAKMEM_SUBCAUSE_NONE) {
    out << ", " << NameOf(failure.subcause);
  }
  WriteErrno(failure, out);
  if (failure.class_bytes != 0) {
    out << ", class of " << Bytes{failure.class_bytes};
    // For a pool at its limit, the explanation gives the occupancy.
    if (failure.cause != HAKMEM_CAUSE_EXHAUSTION &&
        (failure.live_bytes != 0 || failure.cached_bytes != 0)) {
      out << " with " << Bytes{failure.live_bytes} << " in use and "
          << Bytes{failure.cached_bytes} << " cached";
    }
  }
  out << ": ";
  WriteCause(failure, out);
}

void WriteFailureLine(const hakmem_failure_t& failure, TextBuffer& text) {
  Sentence(text) << "failure " << failure.sequence << ", thread "
                 << uint64_t{failure.thread} << ": ";
  WriteFailureText(failure, text);
}

}  // namespace hakmem
