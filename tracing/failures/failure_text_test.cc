#include "tracing/failures/failure_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include "tracing/failures/failure_names.h"

namespace hakmem {
namespace {

constexpr uint64_t kMiB = 1 << 20;

std::string Line(const hakmem_failure_t& record) {
  char line[kFailureTextBytes];
  TextBuffer text(line, sizeof(line));
  WriteFailureLine(record, text);
  return std::string(line, std::min(text.length(), sizeof(line)));
}

std::string Size(uint64_t bytes) {
  char line[64];
  TextBuffer text(line, sizeof(line));
  WriteBytes(bytes, text);
  return std::string(line, text.length());
}

hakmem_failure_t Failed(hakmem_failure_cause_t cause, uint64_t bytes) {
  hakmem_failure_t record = {};
  record.sequence = 12;
  record.thread = 345;
  record.size = bytes;
  record.entry = HAKMEM_ENTRY_MALLOC;
  record.layer = HAKMEM_LAYER_FRONTEND;
  record.cause = cause;
  record.error = ENOMEM;
  return record;
}

hakmem_failure_t Refused(hakmem_failure_subcause_t subcause, uint64_t used,
                         uint64_t limit) {
  hakmem_failure_t record = Failed(HAKMEM_CAUSE_MAPFAIL, 100 * kMiB);
  record.layer = HAKMEM_LAYER_LARGE;
  record.os_request = HAKMEM_OS_REQUEST_MAP_LARGE;
  record.os_bytes = 100 * kMiB;
  record.subcause = subcause;
  record.evidence_used = used;
  record.evidence_limit = limit;
  return record;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST(FailureText, ResourceLimitsNameTheOptionOfUlimit) {
  EXPECT_TRUE(EndsWith(
      Line(Refused(HAKMEM_SUBCAUSE_RLIMIT_AS, 47 * kMiB, 50 * kMiB)),
      "the system refused 100 MiB for a large block; 47 MiB of address space "
      "are used: raise RLIMIT_AS (ulimit -v) from 50 MiB"));
  EXPECT_TRUE(EndsWith(
      Line(Refused(HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK, 7 * kMiB, 8 * kMiB)),
      "MapFail in large, RLIMIT_MEMLOCK, ENOMEM: the system refused 100 MiB "
      "for a large block; 7 MiB of memory are locked: raise RLIMIT_MEMLOCK "
      "(ulimit -l) from 8 MiB, or lock less (mlockall locks all that is "
      "mapped)"));
}

TEST(FailureText, WhatIsUsedMayBeUnknown) {
  EXPECT_TRUE(EndsWith(
      Line(Refused(HAKMEM_SUBCAUSE_RLIMIT_AS, 0, 50 * kMiB)),
      "the system refused 100 MiB for a large block; that alone is more than "
      "the limit: raise RLIMIT_AS (ulimit -v) from 50 MiB"));
  EXPECT_TRUE(EndsWith(Line(Refused(HAKMEM_SUBCAUSE_NOT_LOOKED_UP, 0, 0)),
                       "which limit explains it was not looked up"));
}

TEST(FailureText, SizesReadWell) {
  EXPECT_EQ(Size(0), "0 bytes");
  EXPECT_EQ(Size(1023), "1023 bytes");
  EXPECT_EQ(Size(1024), "1 KiB");
  EXPECT_EQ(Size(1536), "1.5 KiB");
  EXPECT_EQ(Size(512 * kMiB - 1), "511.9 MiB");  // never rounded up
  EXPECT_EQ(Size(UINT64_MAX), "15.9 EiB");
}

TEST(FailureText, AWholeLine) {
  EXPECT_EQ(Line(Refused(HAKMEM_SUBCAUSE_RLIMIT_AS, 300 * kMiB, 320 * kMiB)),
            "failure 12, thread 345: malloc of 100 MiB: MapFail in large, "
            "RLIMIT_AS, ENOMEM: the system refused 100 MiB for a large block; "
            "300 MiB of address space are used: raise RLIMIT_AS (ulimit -v) "
            "from 320 MiB");
}

TEST(FailureText, EverySubCauseEndsInItsRemedy) {
  const struct {
    hakmem_failure_subcause_t subcause;
    uint64_t used;
    uint64_t limit;
    const char* end;
  } cases[] = {
      {HAKMEM_SUBCAUSE_RLIMIT_DATA, kMiB, 2 * kMiB,
       "raise RLIMIT_DATA (ulimit -d) from 2 MiB"},
      {HAKMEM_SUBCAUSE_ADDRESS_SPACE, kMiB, uint64_t{1} << 47,
       "a process has 128 TiB of address space, whatever the memory: ask for "
       "less"},
      {HAKMEM_SUBCAUSE_COMMIT_LIMIT, 15 * kMiB, 16 * kMiB,
       "15 MiB are promised of the CommitLimit of 16 MiB: raise "
       "vm.overcommit_ratio, add swap, or set vm.overcommit_memory to 0"},
      {HAKMEM_SUBCAUSE_MAX_MAP_COUNT, 65531, 65530,
       "the process has 65531 mappings: raise vm.max_map_count from 65530"},
      {HAKMEM_SUBCAUSE_MEMORY_MAX, 511 * kMiB, 512 * kMiB,
       "the container's memory.max is 512 MiB and 511 MiB are used: raise it"},
      {HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES, 511 * kMiB, 512 * kMiB,
       "the container's memory.limit_in_bytes is 512 MiB and 511 MiB are used: "
       "raise it"},
      {HAKMEM_SUBCAUSE_OVERCOMMIT, 100 * kMiB, 10 * kMiB,
       "add swap, or set vm.overcommit_memory to 1"},
      {HAKMEM_SUBCAUSE_HUGE_PAGES, 0, 0, "or unset HAKMEM_HUGE_PAGES"},
      {HAKMEM_SUBCAUSE_UNKNOWN, 0, 0,
       "what seccomp or a security module forbids"},
  };
  for (const auto& c : cases) {
    const std::string line = Line(Refused(c.subcause, c.used, c.limit));
    EXPECT_TRUE(EndsWith(line, c.end)) << line;
    EXPECT_NE(line.find(NameOf(c.subcause)), std::string::npos) << line;
    EXPECT_LT(line.size(), 512u);
  }
}

TEST(FailureText, Exhaustion) {
  hakmem_failure_t record = Failed(HAKMEM_CAUSE_EXHAUSTION, 40'000);
  record.layer = HAKMEM_LAYER_ACE;
  record.live_bytes = 60 * kMiB;
  record.cached_bytes = 4 * kMiB;
  record.limit_bytes = 64 * kMiB;
  record.class_bytes = 40'960;
  EXPECT_EQ(Line(record),
            "failure 12, thread 345: malloc of 39 KiB (40000 bytes): "
            "Exhaustion in ace, ENOMEM, class of 40 KiB: the pool holds 60 MiB "
            "in use and 4 MiB cached of the 64 MiB it may: raise "
            "HAKMEM_ACE_LIMIT_MB from 64");
}

TEST(FailureText, ImpossibleSizes) {
  EXPECT_TRUE(EndsWith(
      Line(Failed(HAKMEM_CAUSE_THRESHOLD, uint64_t{1} << 63)),
      "a request of 9223372036854775808 bytes can never be served: PTRDIFF_MAX "
      "is 9223372036854775807"));
  hakmem_failure_t record = Failed(HAKMEM_CAUSE_THRESHOLD, SIZE_MAX);
  record.entry = HAKMEM_ENTRY_CALLOC;
  const std::string line = Line(record);
  EXPECT_NE(line.find("calloc of a size that overflows"), std::string::npos)
      << line;
  EXPECT_TRUE(EndsWith(line, "check where the count comes from")) << line;
}

TEST(FailureText, ImpossibleAlignments) {
  hakmem_failure_t record = Failed(HAKMEM_CAUSE_THRESHOLD, 100);
  record.entry = HAKMEM_ENTRY_POSIX_MEMALIGN;
  record.alignment = 3;
  record.error = EINVAL;
  EXPECT_EQ(Line(record),
            "failure 12, thread 345: posix_memalign of 100 bytes aligned to 3 "
            "bytes: Threshold in frontend, EINVAL: no block can have this "
            "alignment: pass a power of two and a multiple of 8");
  record.alignment = uint64_t{1} << 63;
  record.error = ENOMEM;
  EXPECT_TRUE(EndsWith(Line(record), "PTRDIFF_MAX is 9223372036854775807"));
}

TEST(FailureText, TheClassAndItsOccupancyAreTold) {
  hakmem_failure_t record = Refused(HAKMEM_SUBCAUSE_UNKNOWN, 0, 0);
  record.class_bytes = 2048;
  record.live_bytes = 3 * kMiB;
  record.cached_bytes = kMiB;
  EXPECT_NE(
      Line(record).find("class of 2 KiB with 3 MiB in use and 1 MiB cached"),
      std::string::npos);
}

TEST(FailureText, AnErrnoWithoutANameIsANumber) {
  hakmem_failure_t record = Refused(HAKMEM_SUBCAUSE_UNKNOWN, 0, 0);
  record.error = 523;
  EXPECT_NE(Line(record).find("errno 523"), std::string::npos);
}

TEST(FailureText, TheSentenceIsTheLineWithoutItsNumbers) {
  const hakmem_failure_t failure =
      Refused(HAKMEM_SUBCAUSE_RLIMIT_AS, 300 * kMiB, 320 * kMiB);
  char buffer[kFailureTextBytes];
  TextBuffer text(buffer, sizeof(buffer));
  WriteFailureText(failure, text);
  EXPECT_EQ("failure 12, thread 345: " + std::string(buffer, text.length()),
            Line(failure));
  TextBuffer end(buffer, sizeof(buffer));
  WriteFailureExplanation(failure, end);
  EXPECT_EQ(std::string(buffer, end.length()),
            "the system refused 100 MiB for a large block; 300 MiB of address "
            "space are used: raise RLIMIT_AS (ulimit -v) from 320 MiB");
}

TEST(FailureNames, AreThoseOfTheirCodes) {
  EXPECT_STREQ(NameOf(HAKMEM_ENTRY_NONE), "none");
  EXPECT_STREQ(NameOf(HAKMEM_ENTRY_NEW_ALIGNED), "aligned operator new");
  EXPECT_STREQ(NameOf(HAKMEM_LAYER_LARGE), "large");
  EXPECT_STREQ(NameOf(HAKMEM_CAUSE_MAPFAIL), "MapFail");
  EXPECT_STREQ(NameOf(HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES),
               "memory.limit_in_bytes");
  EXPECT_STREQ(NameOf(HAKMEM_OS_REQUEST_GROW_LARGE), "grow_large");
}

TEST(FailureNames, OfAnUnknownCodeIsAQuestionMark) {
  // A code from a newer library.
  EXPECT_STREQ(NameOf(static_cast<hakmem_failure_cause_t>(4)), "?");
  hakmem_failure_t failure = Refused(HAKMEM_SUBCAUSE_UNKNOWN, 0, 0);
  failure.os_request = static_cast<hakmem_failure_os_request_t>(7);
  EXPECT_NE(Line(failure).find("100 MiB for ?"), std::string::npos);
}

}  // namespace
}  // namespace hakmem
