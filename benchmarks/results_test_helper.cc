#include "benchmarks/results_test_helper.h"

namespace hakmem::bench {

Results MakeResults() {
  return Results(
      {{"floor", Contender::kFloor, "", "the loop alone"},
       {"segment", Contender::kVariant, "/x/a.so", "1 (segment)"},
       {"superslab", Contender::kVariant, "/x/b.so", "1 (superslab)"},
       {"glibc", Contender::kGlibc, "", "glibc 2.36"},
       {"mimalloc", Contender::kPeer, "/x/c.so",
        "<script>\"a\" & 'b'</script>"}},
      {{256, 1}, {8192, 1}}, 2);
}

Sample MakeSample(double ns) {
  Sample sample;
  sample.threads = 1;
  sample.operations = 1e6;
  sample.cpu_ns = ns * 1e6;
  sample.wall_ns = ns * 1e6 * 3;  // a busy machine
  sample.peak_rss_kib = 2048;
  sample.minor_faults = 100;
  sample.libc_malloc_bytes = 0;
  sample.raw.Set("perf_error", "Permission <denied>");
  return sample;
}

Sample MakeVariantSample(double ns) {
  Sample sample = MakeSample(ns);
  Books books;
  books.chunks = 3;
  books.slabs = 70;
  books.slab_live = 900;
  books.slab_committed = 1000;
  books.lookup_cycles = 5;
  sample.books = books;
  return sample;
}

}  // namespace hakmem::bench
