#include "benchmarks/worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

#include "benchmarks/worker/allocator_probe.h"

namespace hakmem::bench {
namespace {

void PrintString(const char* text) {
  putchar('"');
  for (; *text != '\0'; ++text) {
    const auto c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') putchar('\\');
    if (c < 0x20) {
      printf("\\u%04x", c);
    } else {
      putchar(c);
    }
  }
  putchar('"');
}

}  // namespace

void Die(int status, const char* format, ...) {
  // Of threads that die at once the first one tells why.
  static std::atomic_flag has_died;
  while (has_died.test_and_set()) pause();
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", program_invocation_short_name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  // Not exit(): other threads may still be running.
  _Exit(status);
}

bool ParseNumberFlag(const char* argument, const char* name, uint64_t low,
                     uint64_t high, uint64_t* value) {
  const size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0 || argument[length] != '=') {
    return false;
  }
  const char* const text = argument + length + 1;
  char* end;
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
      number < low || number > high) {
    Die(kBadFlags, "%s: not a number of %" PRIu64 " to %" PRIu64, argument, low,
        high);
  }
  *value = number;
  return true;
}

AllocatorFacts ReadAllocatorFacts() {
  return {AllocatorStatistics(), AllocatorVersion()};
}

JsonLine::JsonLine() { putchar('{'); }

void JsonLine::Key(const char* key) {
  printf(first_ ? "\"%s\": " : ", \"%s\": ", key);
  first_ = false;
}

void JsonLine::Add(const char* key, uint64_t value) {
  Key(key);
  printf("%" PRIu64, value);
}

void JsonLine::Add(const char* key, double value) {
  Key(key);
  if (value < 0) {
    fputs("null", stdout);
  } else {
    printf("%.15g", value);
  }
}

void JsonLine::AddText(const char* key, const char* text) {
  Key(key);
  if (text == nullptr) {
    fputs("null", stdout);
  } else {
    PrintString(text);
  }
}

void JsonLine::AddPoints(const char* key, const Point* points, size_t count) {
  Key(key);
  putchar('[');
  for (size_t i = 0; i < count; ++i) {
    printf(
        i == 0 ? "[%" PRIu64 ", %" PRIu64 "]" : ", [%" PRIu64 ", %" PRIu64 "]",
        points[i].x, points[i].y);
  }
  putchar(']');
}

void JsonLine::AddAllocator(const AllocatorFacts& facts) {
  Add("libc_malloc_bytes", static_cast<double>(LibcMallocBytes()));
  AddText("malloc_library", MallocLibrary());
  AddText("version", facts.version);
  Key("statistics");
  fputs(facts.statistics == nullptr ? "null" : facts.statistics, stdout);
}

void JsonLine::Close() {
  puts("}");
  if (fflush(stdout) != 0) {
    Die(kAllocatorFailed, "cannot write: %s", strerror(errno));
  }
}

}  // namespace hakmem::bench
