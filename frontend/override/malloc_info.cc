// glibc's malloc extensions: mallinfo, malloc_stats, malloc_info, malloc_trim,
// mallopt.

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/text/log.h"
#include "frontend/api/class_statistics.h"
#include "frontend/api/statistics.h"
#include "frontend/dispatch/allocator.h"
#include "hakmem/hakmem.h"

namespace {

int Saturate(size_t value) {
  return static_cast<int>(std::min<size_t>(value, INT_MAX));
}

}  // namespace

extern "C" {

// The most threads that malloc_info lists.
constexpr size_t kMaxThreads = 64;

// The classes with the most touched pages that malloc_stats lists.
constexpr size_t kClassesShown = 8;

// Aligns `value` right in a column of `width`.
void WriteColumn(uint64_t value, int width, hakmem::LogLine& line) {
  uint64_t power = 10;
  int digits = 1;
  for (; digits < width && value >= power; power *= 10) ++digits;
  for (; digits < width; ++digits) line.Text(" ");
  line.Decimal(value);
}

void LogBytes(const char* name, uint64_t bytes) {
  hakmem::LogLine line;
  WriteColumn(bytes, 16, line);
  line.Text(" bytes ").Text(name).Send();
}

void LogClass(const hakmem_class_stats_t& c) {
  hakmem::LogLine line;
  for (const uint64_t value : {c.block_bytes, c.live_blocks, c.cached_blocks,
                               c.free_blocks, c.slabs, c.committed_bytes}) {
    WriteColumn(value, 12, line);
  }
  line.Send();
}

// The classes with the most touched pages.
void LogLargestClasses() {
  hakmem::ClassList list = hakmem::GatherClasses();
  hakmem_class_stats_t* const end = list.classes + list.count;
  std::sort(list.classes, end, [](const auto& a, const auto& b) {
    return a.committed_bytes > b.committed_bytes;
  });
  hakmem::LogLine()
      .Text(
          "  block size        live     in bins     in slabs       slabs"
          "  bytes committed")
      .Send();
  const size_t shown = std::min(list.count, kClassesShown);
  for (size_t i = 0; i < shown; ++i) LogClass(list.classes[i]);
  if (list.count > shown) {
    hakmem::LogLine()
        .Text("and ")
        .Decimal(list.count - shown)
        .Text(" classes with less")
        .Send();
  }
}

// glibc's fields for our sums: "arena" is committed memory except large blocks
// in use ("hblks", "hblkhd"); "ordblks" counts slabs.
HAKMEM_API struct mallinfo2 mallinfo2() noexcept {
  const hakmem_stats_t s = hakmem::GatherStatistics();
  struct mallinfo2 info = {};
  info.arena = s.committed_bytes - s.large_live_bytes;
  info.ordblks = s.slabs;
  info.hblks = s.large_live_blocks;
  info.hblkhd = s.large_live_bytes;
  info.uordblks = s.live_bytes - s.large_live_bytes;
  info.fordblks =
      info.arena > info.uordblks ? info.arena - info.uordblks : size_t{0};
  info.keepcost = info.fordblks;
  return info;
}

HAKMEM_API struct mallinfo mallinfo() noexcept {
  const struct mallinfo2 wide = mallinfo2();
  struct mallinfo info = {};
  info.arena = Saturate(wide.arena);
  info.ordblks = Saturate(wide.ordblks);
  info.hblks = Saturate(wide.hblks);
  info.hblkhd = Saturate(wide.hblkhd);
  info.uordblks = Saturate(wide.uordblks);
  info.fordblks = Saturate(wide.fordblks);
  info.keepcost = Saturate(wide.keepcost);
  return info;
}

HAKMEM_API void malloc_stats() noexcept {
  const hakmem_stats_t s = hakmem::GatherStatistics();
  hakmem::LogLine().Text(hakmem_version()).Send();
  LogBytes("live, in blocks that the program holds", s.live_bytes);
  LogBytes("cached, in free blocks of bins and caches", s.cached_bytes);
  LogBytes("committed, touched and not given back", s.committed_bytes);
  LogBytes("reserved, address space", s.reserved_bytes);
  LogBytes("of metadata", s.metadata_bytes);
  LogLargestClasses();
}

HAKMEM_API int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  const hakmem_stats_t s = hakmem::GatherStatistics();
  fprintf(stream,
          "<malloc version=\"1\">\n"
          "<allocator name=\"hakmem\" backend=\"%s\"/>\n",
          s.backend);
  const hakmem::ClassList list = hakmem::GatherClasses();
  for (size_t i = 0; i < list.count; ++i) {
    const hakmem_class_stats_t& c = list.classes[i];
    fprintf(stream,
            "<class size=\"%zu\" live=\"%zu\" cached=\"%zu\" free=\"%zu\" "
            "slabs=\"%zu\" committed=\"%zu\"/>\n",
            size_t{c.block_bytes}, size_t{c.live_blocks},
            size_t{c.cached_blocks}, size_t{c.free_blocks}, size_t{c.slabs},
            size_t{c.committed_bytes});
  }
  hakmem_thread_stats_t threads[kMaxThreads];
  const size_t count =
      hakmem_thread_stats(threads, kMaxThreads, sizeof(threads[0]));
  fprintf(stream, "<threads count=\"%zu\">\n", count);
  for (size_t i = 0; i < std::min(count, kMaxThreads); ++i) {
    fprintf(stream, "<thread id=\"%zu\" cached=\"%zu\"/>\n",
            size_t{threads[i].thread}, size_t{threads[i].cached_bytes});
  }
  fprintf(stream,
          "</threads>\n"
          "<total type=\"live\" size=\"%zu\"/>\n"
          "<total type=\"cached\" size=\"%zu\"/>\n"
          "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
          "<total type=\"guarded\" size=\"%zu\"/>\n"
          "<system type=\"current\" size=\"%zu\"/>\n"
          "<aspace type=\"total\" size=\"%zu\"/>\n"
          "</malloc>\n",
          size_t{s.live_bytes}, size_t{s.cached_bytes},
          size_t{s.large_live_blocks}, size_t{s.large_live_bytes},
          size_t{s.guarded_live_bytes}, size_t{s.committed_bytes},
          size_t{s.reserved_bytes});
  return ferror(stream) == 0 ? 0 : -1;
}

// Retains nothing: `pad` is for glibc's single heap. 1 when memory was
// returned.
HAKMEM_API int malloc_trim(size_t) noexcept {
  return hakmem::CollectAll() != 0 ? 1 : 0;
}

// The parameters tune glibc's arenas. They are accepted, so that programs that
// check do not give up, and have no effect.
HAKMEM_API int mallopt(int parameter, int) noexcept {
  switch (parameter) {
    case M_MXFAST:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
      return 1;
    default:
      return 0;
  }
}

}  // extern "C"
