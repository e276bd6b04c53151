// Prints the recorded events as text, one per line, also from a signal handler.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/events/events_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

using EventsDumpTest = EventsTest;

class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("events", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(file_); }

  int descriptor() const { return file_; }

  std::string Text() const {
    std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '?');
    EXPECT_EQ(pread(file_, text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  const int file_;
};

std::string LineOf(const hakmem_event_t& event) {
  static const char* const kNames[] = {"malloc", "free", "realloc"};
  char line[200];
  snprintf(line, sizeof(line), "%llu %u %s %p %zu %zu %p\n",
           static_cast<unsigned long long>(event.time_ns), event.thread,
           kNames[event.operation], event.address, event.size,
           event.class_bytes, event.caller);
  return line;
}

std::string LinesOfAllEvents() {
  std::string lines;
  for (const hakmem_event_t& event : AllEvents()) lines += LineOf(event);
  return lines;
}

TEST_F(EventsDumpTest, TheDumpIsOneLineForEachEvent) {
  MemoryFile file;
  Calls calls;
  ASSERT_EQ(Hakmem().events_start(), 0);
  MakeCalls(&calls);
  MakeReallocCalls(&calls);
  const uint64_t before = Counts().recorded;
  EXPECT_EQ(Hakmem().events_dump(file.descriptor()), 0);
  // The dump allocated nothing.
  EXPECT_EQ(Counts().recorded, before);
  Hakmem().events_stop();
  EXPECT_EQ(file.Text(), LinesOfAllEvents());
}

TEST_F(EventsDumpTest, ASignalHandlerCanDump) {
  static int descriptor;
  static int result;
  MemoryFile file;
  descriptor = file.descriptor();
  ASSERT_EQ(Hakmem().events_start(), 0);
  Calls calls;
  MakeCalls(&calls);
  Hakmem().events_stop();
  void (*before)(int) =
      signal(SIGUSR1, [](int) { result = Hakmem().events_dump(descriptor); });
  errno = 77;
  raise(SIGUSR1);
  EXPECT_EQ(errno, 77);
  signal(SIGUSR1, before);
  EXPECT_EQ(result, 0);
  EXPECT_EQ(file.Text(), LinesOfAllEvents());
}

TEST_F(EventsDumpTest, ADumpThatCannotBeWrittenTellsWhy) {
  ASSERT_EQ(Hakmem().events_start(), 0);
  free(malloc(1));
  errno = 77;
  EXPECT_EQ(Hakmem().events_dump(-1), EBADF);
  EXPECT_EQ(errno, 77);
}

}  // namespace
}  // namespace hakmem_test
