#include "benchmarks/process_meter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hakmem::bench {

uint64_t PeakResidentKib() {
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[4096];
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = '\0';
  static constexpr char kLabel[] = "\nVmHWM:";
  const char* const line = strstr(text, kLabel);
  return line == nullptr ? 0 : strtoull(line + sizeof(kLabel) - 1, nullptr, 10);
}

uint64_t MinorFaults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_minflt);
}

}  // namespace hakmem::bench
