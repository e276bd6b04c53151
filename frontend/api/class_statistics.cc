#include "frontend/api/class_statistics.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ace/ace.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

struct Field {
  const char* name;
  uint64_t hakmem_class_stats_t::*value;
  const char* doc;
};

constexpr Field kFields[] = {
    {"live_blocks", &hakmem_class_stats_t::live_blocks,
     "Blocks that the program holds."},
    {"cached_blocks", &hakmem_class_stats_t::cached_blocks,
     "Free blocks in bins of threads."},
    {"free_blocks", &hakmem_class_stats_t::free_blocks,
     "Free blocks in slabs."},
    {"slabs", &hakmem_class_stats_t::slabs, "Slabs of the class."},
    {"committed_bytes", &hakmem_class_stats_t::committed_bytes,
     "Touched pages of these slabs."},
};

// `live_blocks` are those not free in the slab: the bins' are among them.
void AddSlab(const Slab& slab, uint64_t committed_bytes, void* classes) {
  hakmem_class_stats_t& sum =
      static_cast<hakmem_class_stats_t*>(classes)[Index(slab.size_class)];
  ++sum.slabs;
  sum.free_blocks += slab.free_count;
  sum.live_blocks += slab.block_count - slab.free_count;
  sum.committed_bytes += committed_bytes;
}

struct ThreadText {
  TextBuffer& out;
  const char* before;
};

void WriteThread(uint32_t thread, uint64_t cached_bytes, void* argument) {
  auto& text = *static_cast<ThreadText*>(argument);
  text.out.Text(text.before)
      .Text("{\"thread\":")
      .Decimal(thread)
      .Text(",\"cached_bytes\":")
      .Decimal(cached_bytes)
      .Text("}");
  text.before = ",";
}

}  // namespace

ClassList GatherClasses() {
  ClassList list = {};
  // Before the slabs: the bins may hold less by then, never more than a slab
  // has handed out.
  uint64_t cached[kClassCount] = {};
  ThreadCache::AddCachedBlocks(cached);
  LinkedBackend::VisitSlabs(&AddSlab, list.classes);
  Ace::VisitSlabs(&AddSlab, list.classes);
  for (size_t c = 0; c < kClassCount; ++c) {
    hakmem_class_stats_t sum = list.classes[c];
    if (sum.slabs == 0) continue;
    sum.block_bytes = ClassBytes(SizeClass{static_cast<uint8_t>(c)});
    sum.cached_blocks = std::min(cached[c], sum.live_blocks);
    sum.live_blocks -= sum.cached_blocks;
    list.classes[list.count++] = sum;
  }
  return list;
}

void WriteJsonClasses(TextBuffer& out) {
  const ClassList list = GatherClasses();
  out.Text(",\"classes\":[");
  for (size_t i = 0; i < list.count; ++i) {
    out.Text(i == 0 ? "{\"block_bytes\":" : ",{\"block_bytes\":")
        .Decimal(list.classes[i].block_bytes);
    for (const Field& field : kFields) {
      out.Text(",\"").Text(field.name).Text("\":");
      out.Decimal(list.classes[i].*field.value);
    }
    out.Text("}");
  }
  out.Text("]");
}

void WriteJsonThreads(TextBuffer& out) {
  out.Text(",\"thread_caches\":[");
  ThreadText text = {out, ""};
  ThreadCache::VisitCaches(&WriteThread, &text);
  out.Text("]");
}

void WriteMetricHead(const char* name, bool counts, const char* doc,
                     TextBuffer& out) {
  const char* const end = counts ? "_total " : " ";
  out.Text("# HELP hakmem_").Text(name).Text(end).Text(doc);
  out.Text("\n# TYPE hakmem_").Text(name).Text(end);
  out.Text(counts ? "counter\n" : "gauge\n");
}

void WritePrometheusClasses(TextBuffer& out) {
  const ClassList list = GatherClasses();
  for (const Field& field : kFields) {
    char name[32];
    TextBuffer text(name, sizeof(name) - 1);
    text.Text("class_").Text(field.name);
    name[text.length()] = '\0';
    WriteMetricHead(name, /*counts=*/false, field.doc, out);
    for (size_t i = 0; i < list.count; ++i) {
      out.Text("hakmem_").Text(name).Text("{block_bytes=\"");
      out.Decimal(list.classes[i].block_bytes).Text("\"} ");
      out.Decimal(list.classes[i].*field.value).Text("\n");
    }
  }
}

}  // namespace hakmem

namespace {

// Copies `count` elements into an array whose elements are `size` bytes.
template <typename T>
void CopyElements(const T* from, size_t count, void* to, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    memcpy(static_cast<char*>(to) + i * size, from + i,
           std::min(size, sizeof(T)));
  }
}

}  // namespace

size_t hakmem_class_stats(hakmem_class_stats_t* classes, size_t capacity,
                          size_t size) noexcept {
  const hakmem::ClassList list = hakmem::GatherClasses();
  CopyElements(list.classes, std::min(capacity, list.count), classes, size);
  return list.count;
}

size_t hakmem_thread_stats(hakmem_thread_stats_t* threads, size_t capacity,
                           size_t size) noexcept {
  struct Output {
    char* next;
    size_t left;
    size_t size;
    size_t count;
  } output = {reinterpret_cast<char*>(threads), capacity, size, 0};
  hakmem::ThreadCache::VisitCaches(
      [](uint32_t thread, uint64_t cached_bytes, void* argument) {
        auto& out = *static_cast<Output*>(argument);
        ++out.count;
        if (out.left == 0) return;
        --out.left;
        const hakmem_thread_stats_t stats = {thread, cached_bytes};
        CopyElements(&stats, 1, out.next, out.size);
        out.next += out.size;
      },
      &output);
  return output.count;
}
