// The workloads that are real programs: how fast one starts and what it has
// resident when it does nothing, and how much time and memory a server,
// interpreters, compilers and tools take for a given piece of work.
//
// A program runs in the environment that the worker has, so on the allocator
// that is preloaded into both, with fixed inputs that are made here. The
// figures are the program's: CPU time and page faults of the process and all
// that it waited for, peak memory of the largest of them. What it answers is
// checked against what this process works out by itself. A program that is not
// installed ends the worker with kCannotRun. All take about a second.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_

#include "benchmarks/worker/workload.h"

namespace hakmem::bench {

// /bin/true, which is the start of a process and its end. Peak memory is the
// average of some starts.
void StartTrue(Run& run);

// Processes that sleep: what is resident then, on average, as peak memory and
// as resident_after_kib.
void Idle(Run& run);

// redis-server, asked by this process over a Unix socket, 64 requests at a
// time. An operation is a request.
void Redis(Run& run);

// Scripts on python3. PYTHONMALLOC=malloc takes Python's own allocator of small
// objects out of the way: all of them are malloc's. Documents to JSON and back;
// steps of work on dicts; chunks of bytes that threads pass on.
void PythonJson(Run& run);
void PythonDict(Run& run);
void PythonThreads(Run& run);

// A C++ file that uses much of the standard library is compiled, and what comes
// out is linked and run. An operation is a function in the file.
void Gxx(Run& run);
void Clang(Run& run);

// The command-line shell of SQLite on a database in memory. An operation is a
// row inserted.
void Sqlite(Run& run);

// A script on tables, strings and coroutines. An operation is a step of it.
void Lua(Run& run);

// A PostScript program that draws pages and keeps dictionaries. An operation is
// a page.
void Ghostscript(Run& run);

// A repository is packed anew, as git gc --aggressive does it. An operation is
// a commit.
void GitGc(Run& run);

// A file is compressed at level 9 by two threads. An operation is a KiB of it.
void Zstd(Run& run);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_PROGRAMS_H_
