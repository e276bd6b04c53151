#include "benchmarks/ace_suite.h"

namespace hakmem::bench {
namespace {

constexpr char kSummary[] =
    "ace: runs HAKMEM with its adaptive pool on, fixed and off, and every\n"
    "other allocator installed, on sizes above tiny, and reports who costs\n"
    "what.\n";

constexpr char kIntroduction[] = R"html(
<p>HAKMEM is a memory allocator (what a program calls for malloc and free) with
two back-ends, <i>segment</i> and <i>superslab</i>. Sizes above 2 KiB are
served by its adaptive pool, ACE: how much it caches, and which sizes have a
class of their own, follow what the program asks for. This page sets it beside
the same pool with adaptation frozen (<i>ace_fixed</i>), beside no pool at all
(<i>ace_off</i>), and beside the other allocators of one machine.</p>
<p>In every workload a program also uses what it allocates: it writes a word to
each page of a fresh block and to both ends, and finds them unchanged when the
block is freed. That is part of the time, and the same for all. Every run is a
process of its own on its own allocator; runs of all allocators are
interleaved, and the figures are medians. Thin lines on bars span the quartiles
(the middle half of the runs). One thread is measured in CPU time, several in
wall time.</p>
<p class="key"><span><i style="background:var(--ours)"></i>HAKMEM</span>
<span><i style="background:var(--peer)"></i>other allocators</span></p>
)html";

}  // namespace

WorkloadSuite AceSuite() {
  WorkloadSuite suite;
  suite.name = "ACE";
  suite.summary = kSummary;
  suite.worker = "benchmarks/workloads/large/ace_worker";
  suite.variants = {"segment",   "segment-ace_fixed",   "segment-ace_off",
                    "superslab", "superslab-ace_fixed", "superslab-ace_off"};
  suite.workloads = {
      {0, 1, "steady-64",
       "a block of 1 to 256 KiB freed and another made, in 64 slots"},
      {0, 1, "steady-4096",
       "a block of 1 to 256 KiB freed and another made, in 4096 slots"},
      {0, 1, "phase-shift",
       "a block made and freed: 33 KiB, then 100 KiB, then small, and again"},
      // Mostly sleeps, and its memory hardly varies.
      {0, 1, "bursts",
       "a block made and freed: 64 MiB of them at a time, and pauses",
       /*every=*/3},
      {0, 2, "messages",
       "a block of 64 KiB made by one thread and freed by another"},
      {0, 1, "realloc",
       "a vector grown by half or to the double, up to 64 MiB"},
  };
  suite.defaults = {"ace",
                    9,
                    3,
                    250,
                    "only these allocators",
                    "3 repeats of a quarter of the work: a look, not a result"};
  suite.quick_effort = 25;
  suite.judge = JudgeAce;
  suite.page = {"ACE: what an adaptive pool earns", kIntroduction};
  return suite;
}

}  // namespace hakmem::bench
