#include "frontend/api/statistics.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "ace/ace.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/metadata.h"
#include "base/build_config.h"
#include "base/text/options.h"
#include "frontend/api/class_statistics.h"
#include "frontend/guard/guard.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"
#include "tracing/counters/counters.h"
#include "tracing/counters/unclassified_sizes.h"
#include "tracing/failures/failure.h"

namespace hakmem {
namespace {

enum class FieldType : uint8_t { kGauge, kCounter };

struct Field {
  const char* name;
  uint64_t hakmem_stats_t::*value;
  FieldType type;
  const char* doc;
};

constexpr Field kFields[] = {
#define HAKMEM_STATISTIC(name, type, doc) \
  {#name, &hakmem_stats_t::name, FieldType::k##type, doc},
#include "hakmem/statistics.def"
#undef HAKMEM_STATISTIC
};

constexpr size_t LongestName() {
  size_t longest = 0;
  for (const Field& field : kFields) {
    longest = std::max(longest, std::char_traits<char>::length(field.name));
  }
  return longest;
}
static_assert(LongestName() <= kLongestJsonName);

// The list has every field except the name of the back-end.
static_assert(sizeof(hakmem_stats_t) ==
              sizeof(const char*) + std::size(kFields) * sizeof(uint64_t));

}  // namespace

hakmem_stats_t GatherStatistics() {
  hakmem_stats_t s = {};
  s.backend = LinkedBackend::kName;
  const ThreadCache::Totals caches = ThreadCache::SumAll();
  const SlabTotals slabs = LinkedBackend::Totals();
  const Ace::Totals ace = Ace::Sum();
  s.threads = caches.threads;
  const uint64_t span_cached = caches.spans_cached + ace.shared_cached;
  s.cached_bytes =
      caches.tiny_cached + caches.mid_cached + span_cached + ace.large_cached;
  s.chunks = slabs.chunks;
  s.slabs = slabs.slabs;
  // Other threads run between the sums: the bins may hold more by now.
  const auto without = [](uint64_t all, uint64_t cached) {
    return all > cached ? all - cached : 0;
  };
  s.slab_live_bytes = without(slabs.block_bytes, caches.tiny_cached);
  s.slab_committed_bytes = slabs.committed_bytes;
  s.span_live_bytes = without(ace.span_bytes, span_cached);
  s.large_live_bytes = ace.large_bytes;
  s.large_live_blocks = ace.large_blocks;
  s.mid_live_bytes = without(ace.slabs.block_bytes, caches.mid_cached);
  s.ace_cached_bytes = caches.mid_cached + span_cached;
  s.large_cached_bytes = ace.large_cached;
  s.ace_limit_bytes = options::Get(options::k_ace_limit_mb) << 20;
  s.ace_span_classes = caches.span_classes;
  const GuardedPool::Totals guarded = Guard::Sum();
  s.guarded_sampled = guarded.sampled;
  s.guarded_live = guarded.live;
  s.guarded_live_bytes = guarded.live_bytes;
  s.live_bytes = s.slab_live_bytes + s.mid_live_bytes + s.span_live_bytes +
                 s.large_live_bytes + s.guarded_live_bytes;
  s.committed_bytes = slabs.committed_bytes + ace.slabs.committed_bytes +
                      ace.committed + s.large_live_bytes + ace.large_cached +
                      guarded.committed_bytes;
  s.metadata_bytes = Metadata::BytesInUse();
  s.reserved_bytes = ChunkSource::BytesReserved() + s.large_live_bytes +
                     ace.large_cached + Metadata::BytesReserved() +
                     Guard::BytesReserved();
  s.refills = CountOf(Event::kRefill);
  s.refilled_blocks = CountOf(Event::kRefilledBlock);
  s.drains = CountOf(Event::kDrain);
  s.drained_blocks = CountOf(Event::kDrainedBlock);
  s.remote_frees = CountOf(Event::kRemoteFree);
  s.purges = CountOf(Event::kPurge);
  s.purged_bytes = CountOf(Event::kPurgedByte);
  s.map_calls = CountOf(Event::kMapCall);
  s.map_failures = CountOf(Event::kMapFailure);
  s.ace_classes_begun = CountOf(Event::kClassBegun);
  s.ace_classes_retired = CountOf(Event::kClassRetired);
  s.bins_grown = CountOf(Event::kBinGrown);
  s.bins_emptied = CountOf(Event::kFlushOnGrowth);
  if constexpr (kTracing) {
    s.failures_threshold = FailuresOf(HAKMEM_CAUSE_THRESHOLD);
    s.failures_exhaustion = FailuresOf(HAKMEM_CAUSE_EXHAUSTION);
    s.failures_mapfail = FailuresOf(HAKMEM_CAUSE_MAPFAIL);
    s.failures_forgotten = FailuresForgotten();
    for (size_t i = 0; i < UnclassifiedRange::kCount; ++i) {
      s.routings += RoutingOf(i).requests;
    }
  }
  return s;
}

void WriteJsonFields(const hakmem_stats_t& stats, TextBuffer& out) {
  out.Text("\"format\":1,\"version\":\"" HAKMEM_VERSION "\",\"backend\":\"")
      .Text(stats.backend)
      .Text("\",\"ace\":\"")
      .Text(kAceModeName)
      .Text("\",\"hardening\":\"")
      .Text(kHardeningModeName)
      .Text("\",\"tracing\":")
      .Text(kTracing ? "true" : "false");
  for (const Field& field : kFields) {
    out.Text(",\"").Text(field.name).Text("\":").Decimal(stats.*field.value);
  }
}

void WriteJson(const hakmem_stats_t& stats, TextBuffer& out) {
  out.Text("{");
  WriteJsonFields(stats, out);
  WriteJsonClasses(out);
  WriteJsonThreads(out);
  out.Text("}");
}

void WritePrometheus(const hakmem_stats_t& stats, TextBuffer& out) {
  for (const Field& field : kFields) {
    const bool counts = field.type == FieldType::kCounter;
    WriteMetricHead(field.name, counts, field.doc, out);
    out.Text("hakmem_")
        .Text(field.name)
        .Text(counts ? "_total " : " ")
        .Decimal(stats.*field.value)
        .Text("\n");
  }
  WritePrometheusClasses(out);
}

}  // namespace hakmem
