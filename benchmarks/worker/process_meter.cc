#include "benchmarks/worker/process_meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hakmem::bench {
namespace {

// Room for a small file of /proc, and a NUL.
constexpr size_t kText = 4096;

// Reads the file's beginning; empty when it is not there.
void ReadText(const char* path, char (&text)[kText]) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? 0 : read(file, text, kText - 1);
  text[length < 0 ? 0 : length] = '\0';
  if (file >= 0) close(file);
}

// 0 when the file is not there, or does not have the label.
uint64_t NumberAfter(const char* label, const char* path) {
  char text[kText];
  ReadText(path, text);
  const char* const line = strstr(text, label);
  return line == nullptr ? 0 : strtoull(line + strlen(label), nullptr, 10);
}

}  // namespace

uint64_t PeakResidentKib() {
  return NumberAfter("\nVmHWM:", "/proc/self/status");
}

uint64_t ProportionalKib(pid_t process) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", process);
  return NumberAfter("\nPss:", path);
}

uint64_t ResidentKib() {
  char text[kText];
  ReadText("/proc/self/statm", text);
  // The second number: resident pages.
  const char* const second = strchr(text, ' ');
  return second == nullptr
             ? 0
             : strtoull(second, nullptr, 10) *
                   (static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 1024);
}

uint64_t MinorFaults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_minflt);
}

}  // namespace hakmem::bench
