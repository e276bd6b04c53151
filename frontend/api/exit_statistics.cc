// The line of statistics that a process writes at exit if the option
// stats_at_exit is set: the fields of hakmem_stats_json that are numbers or
// names, preceded by
//   pid, program, peak_resident_bytes (of the process, from the kernel)
// which tell the lines of several processes in one file apart. With
// stats_at_begin, a line with the first two when the process begins.

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/sync/lock.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "base/text/output.h"
#include "frontend/api/statistics.h"
#include "tracing/failures/text_reader.h"

namespace hakmem {
namespace {

constexpr size_t kLongestProgram = 64;

// The program's name; characters that JSON would escape become '?'.
void WriteProgram(TextBuffer& out) {
  const char* name = program_invocation_short_name;
  for (size_t i = 0; i < kLongestProgram && name[i] != '\0'; ++i) {
    const bool is_plain =
        name[i] >= ' ' && name[i] <= '~' && name[i] != '"' && name[i] != '\\';
    out.Text(is_plain ? &name[i] : "?", 1);
  }
}

uint64_t PeakResidentBytes() {
  // Not getrusage: its peak includes the program that called exec.
  uint64_t kilobytes = 0;
  ReadField("", "/proc/self/status", "", "VmHWM", &kilobytes);
  return kilobytes * 1024;
}

// The fields that every line begins with.
void BeginLine(TextBuffer& out) {
  out.Text("{\"pid\":").Decimal(static_cast<uint64_t>(getpid()));
  out.Text(",\"program\":\"");
  WriteProgram(out);
  out.Text("\"");
}

void WriteThatItBegins() {
  char text[kLongestProgram + 64];
  TextBuffer out(text, sizeof(text));
  BeginLine(out);
  out.Text(",\"begins\":true}");
  SendData(options::k_stats_at_exit, text, out.length());
}

// After the constructor that reads the options.
__attribute__((constructor)) void WriteThatItBeginsIfAsked() {
  if (options::Get(options::k_stats_at_exit) == 0 ||
      options::Get(options::k_stats_at_begin) == 0) {
    return;
  }
  WriteThatItBegins();
  // Without memory for the handler, children are not told of.
  (void)pthread_atfork(nullptr, nullptr, WriteThatItBegins);
}

__attribute__((destructor)) void WriteStatisticsIfAsked() {
  if (options::Get(options::k_stats_at_exit) == 0) return;
  // exit in a SIGABRT handler may interrupt a critical section of this thread.
  if (ThreadMayHoldLocks()) return;
  char text[kMaxJsonBytes + kLongestProgram + 128];
  TextBuffer out(text, sizeof(text));
  BeginLine(out);
  out.Text(",\"peak_resident_bytes\":").Decimal(PeakResidentBytes());
  out.Text(",");
  WriteJsonFields(GatherStatistics(), out);
  out.Text("}");
  SendData(options::k_stats_at_exit, text, out.length());
}

}  // namespace
}  // namespace hakmem
