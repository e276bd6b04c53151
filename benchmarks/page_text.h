// The fixed parts of the HTML reports: their style (html_parts.h), and what the
// one on random-mixed (report_html.h) tells a reader who has never heard of the
// project.
#ifndef HAKMEM_BENCHMARKS_PAGE_TEXT_H_
#define HAKMEM_BENCHMARKS_PAGE_TEXT_H_

namespace hakmem::bench {

// What comes before the title.
inline constexpr char kPageStart[] = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>)html";

// What comes between the title and the first heading. Classes `ours`, `peer`
// and `floor` colour bars and rows.
inline constexpr char kPageStyle[] = R"html(</title>
<style>
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2430; --soft: #5b6676; --line: #d9dee6;
  --ours: #1f6feb; --peer: #98a4b5; --floor: #d5dbe4; --yes: #1a7f37;
  --no: #b3261e; --panel: #f6f8fa;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141b; --ink: #e4e9f0; --soft: #9aa7b8; --line: #2c3644;
    --ours: #4c93ff; --peer: #66748a; --floor: #3a4556; --yes: #4ac26b;
    --no: #ff7b72; --panel: #161d27;
  }
}
body {
  margin: 0 auto; padding: 24px 20px 64px; max-width: 1040px;
  background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; padding-top: 12px;
     border-top: 1px solid var(--line); }
p { margin: 8px 0; max-width: 75ch; }
.soft { color: var(--soft); }
.charts { display: grid; gap: 12px 40px;
          grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); }
svg { display: block; width: 100%; height: auto; margin: 12px 0; }
svg text { font-family: inherit; font-size: 13px; fill: var(--ink); }
svg .chart-title { font-weight: 600; font-size: 14px; }
svg .chart-note { fill: var(--soft); font-size: 12px; }
svg .label { text-anchor: end; }
svg .value { font-variant-numeric: tabular-nums; }
svg .ours { fill: var(--ours); }
svg .peer { fill: var(--peer); }
svg .floor { fill: var(--floor); }
svg .axis { stroke: var(--line); fill: none; }
svg .mark { font-size: 11px; fill: var(--soft); }
svg .middle { text-anchor: middle; }
svg .curve { stroke: currentColor; stroke-width: 1.6; fill: none; }
svg .thick .curve { stroke-width: 3; }
svg g circle, svg g rect { fill: currentColor; }
.c0 { color: #1f6feb; } .c1 { color: #17a2a2; } .c2 { color: #8a94a3; }
.c3 { color: #d9822b; } .c4 { color: #c0392b; } .c5 { color: #7d5fc4; }
.c6 { color: #3d9a50; } .c7 { color: #b5527f; } .c8 { color: #8d6e42; }
.c9 { color: #b0a000; } .c10 { color: #5d7f9c; } .c11 { color: #de7fa8; }
svg .whisker { stroke: var(--ink); stroke-width: 1.3; fill: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
        font-size: 14px; margin: 8px 0; }
th, td { padding: 4px 12px 4px 0; text-align: right; white-space: nowrap;
         border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; }
td:first-child { white-space: normal; min-width: 8em; }
tr.ours td:first-child { color: var(--ours); font-weight: 600; }
.yes { color: var(--yes); }
.no { color: var(--no); font-weight: 600; }
.key span { display: inline-block; margin-right: 20px; }
.key i { display: inline-block; width: 12px; height: 12px; margin-right: 6px;
         border-radius: 2px; vertical-align: -1px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px;
     margin: 8px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
</style>
</head>
<body>
)html";

// What is measured and how to read it.
inline constexpr char kPageIntroduction[] = R"html(
<p>HAKMEM is a memory allocator (what a program calls for malloc and free) with
two back-ends, <i>segment</i> and <i>superslab</i>. This page sets both beside
the other allocators of one machine, on one small workload.</p>
<p>Each step of the workload picks one of a number of slots at random. If the
slot holds a block, the block is freed; otherwise 16 to 1040 bytes are
allocated into it and their first and last byte are written. Every run is a
process of its own on its own allocator; runs of all allocators are
interleaved, and the figures are medians. Thin lines on bars span the quartiles
(the middle half of the runs).</p>
<p><b>Throughput</b> counts steps per second: higher is better. It includes the
loop itself. <b>Above the floor</b> leaves the loop out: the time per step
minus that of the <i>floor</i>, the same loop with an inlined list of blocks
per size. That is what the allocator costs: lower is better. One thread is
measured in CPU time, several in wall time.</p>
<p class="key"><span><i style="background:var(--ours)"></i>HAKMEM</span>
<span><i style="background:var(--peer)"></i>other allocators</span>
<span><i style="background:var(--floor)"></i>the floor (no allocator)</span></p>
)html";

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_PAGE_TEXT_H_
