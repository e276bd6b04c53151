// glibc's malloc extensions: mallinfo, malloc_stats, malloc_info, malloc_trim,
// mallopt.

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/text/log.h"
#include "frontend/api/statistics.h"
#include "frontend/dispatch/allocator.h"
#include "hakmem/hakmem.h"

namespace {

int Saturate(size_t value) {
  return static_cast<int>(std::min<size_t>(value, INT_MAX));
}

}  // namespace

extern "C" {

// glibc's fields for our sums: "arena" is committed memory except separate
// mappings ("hblkhd"); "ordblks" counts slabs.
HAKMEM_API struct mallinfo2 mallinfo2() noexcept {
  const hakmem_stats_t s = hakmem::GatherStatistics();
  struct mallinfo2 info = {};
  info.arena = s.committed_bytes - s.large_live_bytes - s.large_cached_bytes;
  info.ordblks = s.slabs;
  info.hblkhd = s.large_live_bytes + s.large_cached_bytes;
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
  info.hblkhd = Saturate(wide.hblkhd);
  info.uordblks = Saturate(wide.uordblks);
  info.fordblks = Saturate(wide.fordblks);
  info.keepcost = Saturate(wide.keepcost);
  return info;
}

HAKMEM_API void malloc_stats() noexcept {
  const hakmem_stats_t s = hakmem::GatherStatistics();
  const auto line = [](const char* name, uint64_t value) {
    hakmem::LogLine().Text(name).Text(" = ").Decimal(value).Send();
  };
  hakmem::LogLine().Text(hakmem_version()).Send();
  line("live bytes", s.live_bytes);
  line("cached bytes", s.cached_bytes);
  line("committed bytes", s.committed_bytes);
  line("reserved bytes", s.reserved_bytes);
  line("metadata bytes", s.metadata_bytes);
}

HAKMEM_API int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  const hakmem_stats_t s = hakmem::GatherStatistics();
  const int written = fprintf(stream,
                              "<malloc version=\"1\">\n"
                              "<allocator name=\"hakmem\" backend=\"%s\"/>\n"
                              "<total type=\"live\" size=\"%zu\"/>\n"
                              "<total type=\"cached\" size=\"%zu\"/>\n"
                              "<total type=\"mmap\" size=\"%zu\"/>\n"
                              "<total type=\"guarded\" size=\"%zu\"/>\n"
                              "<system type=\"current\" size=\"%zu\"/>\n"
                              "<aspace type=\"total\" size=\"%zu\"/>\n"
                              "</malloc>\n",
                              s.backend, static_cast<size_t>(s.live_bytes),
                              static_cast<size_t>(s.cached_bytes),
                              static_cast<size_t>(s.large_live_bytes),
                              static_cast<size_t>(s.guarded_live_bytes),
                              static_cast<size_t>(s.committed_bytes),
                              static_cast<size_t>(s.reserved_bytes));
  return written < 0 ? -1 : 0;
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
