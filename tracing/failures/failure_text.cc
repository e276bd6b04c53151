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

// Adds texts and sizes in a row, so that a sentence reads as one.
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

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kMost = PTRDIFF_MAX;

// What was asked for: "malloc of 1.5 MiB (1572867 bytes) aligned to 4 KiB".
void WriteRequest(const FailureRecord& r, Sentence& out) {
  if (r.entry == EntryPoint::kNone) {
    out << "advice to the system on " << Bytes{r.os_bytes};
    return;
  }
  out << NameOf(r.entry);
  if (r.bytes == SIZE_MAX) {
    out << " of a size that overflows";
  } else {
    out << " of " << Bytes{r.bytes};
    if (r.bytes >= 1024 && r.bytes % 1024 != 0) {
      out << " (" << r.bytes << " bytes)";
    }
  }
  if (r.alignment != 0) out << " aligned to " << Bytes{r.alignment};
}

void WriteErrno(const FailureRecord& r, Sentence& out) {
  if (r.error == 0) return;
  const char* name = ErrnoName(r.error);
  if (name != nullptr) {
    out << ", " << name;
  } else {
    out << ", errno " << static_cast<uint64_t>(r.error);
  }
}

void WriteThreshold(const FailureRecord& r, Sentence& out) {
  if (r.error == EINVAL ||
      !(r.alignment == 0 || std::has_single_bit(r.alignment))) {
    out << "no block can have this alignment: pass a power of two";
    if (r.entry == EntryPoint::kPosixMemalign) {
      out << " and a multiple of " << sizeof(void*);
    }
  } else if (r.bytes == SIZE_MAX) {
    out << "count times size is more than size_t holds: check where the count "
           "comes from";
  } else if (r.bytes > kMost) {
    out << "a request of " << r.bytes
        << " bytes can never be served: PTRDIFF_MAX is " << kMost;
  } else if (r.alignment > kMost) {
    out << "an alignment of " << r.alignment
        << " can never be served: PTRDIFF_MAX is " << kMost;
  } else {
    out << "no class serves this within the waste cap: raise "
           "HAKMEM_ACE_WASTE_PERCENT, or ask for a size nearer to a class";
  }
}

void WriteExhaustion(const FailureRecord& r, Sentence& out) {
  out << "the pool holds " << Bytes{r.live} << " in use and " << Bytes{r.cached}
      << " cached of the " << Bytes{r.limit} << " it may: ";
  if (r.layer == Layer::kAce) {
    out << "raise HAKMEM_ACE_LIMIT_MB from " << r.limit / kMiB;
  } else {
    out << "raise its limit";
  }
}

// The figures of a resource limit: "47 MiB of address space are used: raise
// RLIMIT_AS (ulimit -v) from 50 MiB".
void WriteResourceLimit(const FailureRecord& r, const char* of,
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
void WriteEvidence(const FailureRecord& r, Sentence& out) {
  const Bytes used = {r.evidence_used};
  const Bytes limit = {r.evidence_limit};
  switch (r.subcause) {
    case SubCause::kAddressSpace:
      return WriteResourceLimit(r, " of address space are used", "-v", out);
    case SubCause::kDataSegment:
      return WriteResourceLimit(r, " of data are used", "-d", out);
    case SubCause::kMemlock:
      WriteResourceLimit(r, " of memory are locked", "-l", out);
      out << ", or lock less (mlockall locks all that is mapped)";
      return;
    case SubCause::kAddressBits:
      out << "a process has " << limit
          << " of address space, whatever the memory: ask for less";
      return;
    case SubCause::kCommitLimit:
      out << "vm.overcommit_memory is 2, and " << used
          << " are promised of the CommitLimit of " << limit
          << ": raise vm.overcommit_ratio, add swap, or set "
             "vm.overcommit_memory to 0";
      return;
    case SubCause::kMapCount:
      out << "the process has " << r.evidence_used
          << " mappings: raise vm.max_map_count from " << r.evidence_limit;
      return;
    case SubCause::kCgroup2:
    case SubCause::kCgroup1:
      out << "the container's " << NameOf(r.subcause) << " is " << limit
          << " and " << used << " are used: raise it";
      return;
    case SubCause::kOvercommit:
      out << "vm.overcommit_memory is 0, and memory and swap are " << limit
          << " together: ask for less, add swap, or set vm.overcommit_memory "
             "to 1";
      return;
    case SubCause::kNoHugePages:
      out << "the kernel gives no huge pages: switch them on in "
             "/sys/kernel/mm/transparent_hugepage/enabled, or unset "
             "HAKMEM_HUGE_PAGES";
      return;
    case SubCause::kNotLookedUp:
      out << "which limit explains it was not looked up";
      return;
    case SubCause::kNone:
    case SubCause::kUnknown:
      out << "no limit that explains it was found: see the errno, the kernel's "
             "log (dmesg), and what seccomp or a security module forbids";
      return;
  }
}

void WriteCause(const FailureRecord& r, Sentence& out) {
  switch (r.cause) {
    case Cause::kThreshold:
      return WriteThreshold(r, out);
    case Cause::kExhaustion:
      return WriteExhaustion(r, out);
    case Cause::kMapFail:
      out << "the system refused " << Bytes{r.os_bytes} << " for "
          << NameOf(r.os_request) << "; ";
      return WriteEvidence(r, out);
    case Cause::kNone:
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
    // The first decimal, cut rather than rounded: what is used must not look
    // like more than the limit.
    const uint64_t part = (bytes >> (10 * (unit - 1))) & 1023;
    const uint64_t tenth = part * 10 / 1024;
    if (tenth != 0) out.Text(".").Decimal(tenth);
  }
  out.Text(kUnits[unit]);
}

void WriteFailure(const FailureRecord& record, TextBuffer& text) {
  Sentence out(text);
  out << "failure " << record.sequence << ", thread " << uint64_t{record.thread}
      << ": ";
  WriteRequest(record, out);
  out << ": " << NameOf(record.cause) << " in " << NameOf(record.layer);
  if (record.subcause != SubCause::kNone) {
    out << ", " << NameOf(record.subcause);
  }
  WriteErrno(record, out);
  if (record.class_bytes != 0) {
    out << ", class of " << Bytes{record.class_bytes};
    // Of a pool at its limit, the occupancy is told below.
    if (record.cause != Cause::kExhaustion &&
        (record.live != 0 || record.cached != 0)) {
      out << " with " << Bytes{record.live} << " in use and "
          << Bytes{record.cached} << " cached";
    }
  }
  out << ": ";
  WriteCause(record, out);
}

}  // namespace hakmem
