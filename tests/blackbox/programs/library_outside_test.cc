// The interface of the shared library: it exports the malloc family, operator
// new and delete and hakmem_*, nothing else, and depends only on libc.
//
// Reads the file itself, which is mapped here but never run.
#include <elf.h>

#include <cstddef>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/elf_file_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

const char* const kMallocFamily[] = {
    "malloc",
    "free",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "free_sized",
    "free_aligned_sized",
    "malloc_trim",
    "mallopt",
    "mallinfo",
    "mallinfo2",
    "malloc_info",
    "malloc_stats",
};

// glibc's alternative names for the malloc family.
const char* const kSecondNames[] = {
    "__libc_malloc",   "__libc_free",   "__libc_calloc",  "__libc_realloc",
    "__libc_memalign", "__libc_valloc", "__libc_pvalloc", "__posix_memalign",
};

const char* const kHakmem[] = {
    "hakmem_malloc",
    "hakmem_calloc",
    "hakmem_realloc",
    "hakmem_reallocarray",
    "hakmem_memalign",
    "hakmem_aligned_alloc",
    "hakmem_posix_memalign",
    "hakmem_valloc",
    "hakmem_pvalloc",
    "hakmem_free",
    "hakmem_free_sized",
    "hakmem_free_aligned_sized",
    "hakmem_malloc_usable_size",
    "hakmem_collect",
    "hakmem_version",
    "hakmem_option",
    "hakmem_events_start",
    "hakmem_events_stop",
    "hakmem_events",
    "hakmem_event_counts",
    "hakmem_events_dump",
    "hakmem_profile_start",
    "hakmem_profile_stop",
    "hakmem_profile_write",
    "hakmem_stats",
    "hakmem_class_stats",
    "hakmem_thread_stats",
    "hakmem_stats_json",
    "hakmem_stats_prometheus",
    "hakmem_last_failure",
    "hakmem_failures",
    "hakmem_set_failure_callback",
    "hakmem_failure_text",
    "hakmem_failure_json",
    "hakmem_failure_entry_name",
    "hakmem_failure_layer_name",
    "hakmem_failure_cause_name",
    "hakmem_failure_subcause_name",
    "hakmem_failure_os_request_name",
    "hakmem_routings",
};

// operator new and delete, single and array, in all forms of C++20.
const char* const kOperators[] = {
    "_Znwm",
    "_ZnwmRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_Znam",
    "_ZnamRKSt9nothrow_t",
    "_ZnamSt11align_val_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdlPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPv",
    "_ZdaPvm",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdaPvSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};

// The layout of the interface's structs in version HAKMEM_1. A program built
// with a later header runs on this library and the other way round, so members
// are only ever added at the end of a struct whose size is passed.
static_assert(sizeof(hakmem_option_t) == 40);
static_assert(sizeof(hakmem_event_t) == 48);
static_assert(offsetof(hakmem_stats_t, large_live_blocks) == 312);
static_assert(offsetof(hakmem_class_stats_t, committed_bytes) == 40);
static_assert(offsetof(hakmem_thread_stats_t, cached_bytes) == 8);
static_assert(offsetof(hakmem_event_counts_t, dropped) == 16);
static_assert(offsetof(hakmem_failure_t, evidence_limit) == 112);

TEST(LibraryOutsideTest, IsASharedLibrary) {
  EXPECT_TRUE(ElfFile(LibraryPath()).IsSharedLibrary());
}

TEST(LibraryOutsideTest, NeedsLibcAndTheLoaderAtMost) {
  const ElfFile library(LibraryPath());
  EXPECT_FALSE(library.needed.empty());
  for (const std::string& name : library.needed) {
    EXPECT_TRUE(name == "libc.so.6" || name.rfind("ld-linux", 0) == 0) << name;
  }
}

TEST(LibraryOutsideTest, ExportsTheWholeInterface) {
  const ElfFile library(LibraryPath());
  for (const char* name : kMallocFamily) {
    EXPECT_EQ(library.exported.count(name), 1u) << name;
  }
  for (const char* name : kSecondNames) {
    EXPECT_EQ(library.exported.count(name), 1u) << name;
  }
  for (const char* name : kHakmem) {
    EXPECT_EQ(library.exported.count(name), 1u) << name;
  }
  for (const char* name : kOperators) {
    EXPECT_EQ(library.exported.count(name), 1u) << name;
  }
}

TEST(LibraryOutsideTest, ExportsNothingElse) {
  std::set<std::string> rest = ElfFile(LibraryPath()).exported;
  for (const char* name : kMallocFamily) rest.erase(name);
  for (const char* name : kSecondNames) rest.erase(name);
  // Programs linked with an old libc may still call it, with our blocks.
  rest.erase("cfree");
  for (const char* name : kOperators) rest.erase(name);
  for (const std::string& name : rest) {
    EXPECT_EQ(name.rfind("hakmem_", 0), 0u) << name;
  }
}

// The loader takes malloc from here for a program that asks for glibc's version
// of it only if there is no version here.
TEST(LibraryOutsideTest, ItsOwnNamesAloneHaveAVersion) {
  const ElfFile library(LibraryPath());
  EXPECT_EQ(library.versions.size(), library.exported.size());
  for (const auto& [name, version] : library.versions) {
    EXPECT_EQ(version, name.rfind("hakmem_", 0) == 0 ? "HAKMEM_1" : "") << name;
  }
}

TEST(LibraryOutsideTest, HasNoRelocatedCodeAndNoExecutableStack) {
  const ElfFile library(LibraryPath());
  EXPECT_EQ(library.tags.count(DT_TEXTREL), 0u);
  for (const ElfFile::Segment& segment : library.segments) {
    if (segment.p_type == PT_GNU_STACK) {
      EXPECT_EQ(segment.p_flags & PF_X, 0u);
    }
    EXPECT_FALSE((segment.p_flags & PF_W) != 0 && (segment.p_flags & PF_X) != 0)
        << "a segment that is both written and run";
  }
}

TEST(LibraryOutsideTest, ThreadLocalStorageFitsTheLoadersReserve) {
  // glibc reserves 1664 bytes for initial-exec variables of all libraries
  // loaded by dlopen; one library should take a small part of that.
  for (const ElfFile::Segment& segment : ElfFile(LibraryPath()).segments) {
    if (segment.p_type == PT_TLS) {
      EXPECT_LE(segment.p_memsz, 256u);
    }
  }
}

}  // namespace
}  // namespace hakmem_test
