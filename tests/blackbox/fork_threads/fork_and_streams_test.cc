// Forks while threads allocate with locks of the C library's streams held, and
// during fflush(NULL), which waits for those while it holds the list of
// streams.
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kForkers = 3;
constexpr int kReaders = 6;
constexpr int kForksEach = 40;
// Far longer than a run takes; SIGALRM ends a deadlock.
constexpr unsigned kPatienceSeconds = 90;

// A file of one long line.
class LongLine {
 public:
  LongLine() {
    const int file = mkstemp(name_.data());
    FILE* stream = fdopen(file, "w");
    for (int i = 0; i < 50'000; ++i) fputc('x', stream);
    fputc('\n', stream);
    fclose(stream);
  }
  ~LongLine() { unlink(name_.c_str()); }
  const char* name() const { return name_.c_str(); }

 private:
  std::string name_ = testing::TempDir() + "/streams_XXXXXX";
};

// Allocates with the stream's lock held.
bool ReadLine(FILE* stream) {
  rewind(stream);
  char* line = nullptr;
  size_t size = 0;
  const bool right = getline(&line, &size, stream) > 0;
  free(line);
  return right;
}

// Whether streams work, old and new.
bool UseStreams(const char* name) {
  FILE* stream = fopen(name, "r");
  if (stream == nullptr) return false;
  const bool right = ReadLine(stream);
  return fclose(stream) == 0 && fflush(nullptr) == 0 && right;
}

int ForkBesideStreams() {
  alarm(kPatienceSeconds);
  const LongLine file;
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> others;
  others.emplace_back([&] {
    while (!stop) {
      fflush(nullptr);
      usleep(20);
    }
  });
  for (int i = 0; i < kReaders; ++i) {
    others.emplace_back([&] {
      FILE* stream = fopen(file.name(), "r");
      while (!stop) {
        if (!ReadLine(stream)) ++failed;
        // Locks of streams are unfair: without a pause no other thread gets
        // one.
        usleep(50);
      }
      fclose(stream);
    });
  }
  std::vector<std::thread> forkers;
  for (int i = 0; i < kForkers; ++i) {
    forkers.emplace_back([&] {
      for (int n = 0; n < kForksEach; ++n) {
        const pid_t child = fork();
        if (child == 0) {
          alarm(kPatienceSeconds);
          // A thread of the child, which could not take an unbalanced lock.
          bool right = UseStreams(file.name());
          std::thread([&] { right = UseStreams(file.name()) && right; }).join();
          _exit(right && AllocateAndFree(n, 50) ? 0 : 1);
        }
        int status = -1;
        if (waitpid(child, &status, 0) != child || status != 0) ++failed;
      }
    });
  }
  for (std::thread& thread : forkers) thread.join();
  // The list's lock is free again, for this thread and for others.
  if (!UseStreams(file.name())) ++failed;
  stop = true;
  for (std::thread& thread : others) thread.join();
  return failed == 0 ? 0 : 1;
}
const ChildProgram fork_beside_streams("fork_beside_streams",
                                       ForkBesideStreams);

TEST(ForkAndStreamsTest, NobodyWaitsForEver) {
  const ChildResult child = RunChildProgram("fork_beside_streams");
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

std::atomic<int> forks{0};
std::atomic<int> bad_children{0};

void ForkInSignalHandler(int) {
  const int saved_errno = errno;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) ++bad_children;
  ++forks;
  errno = saved_errno;
}

// One thread that a timer interrupts anywhere in streams, including the
// critical sections of the list.
int ForkAmidStreams() {
  alarm(kPatienceSeconds);
  const LongLine file;
  struct sigaction act = {};
  act.sa_handler = ForkInSignalHandler;
  act.sa_flags = SA_RESTART;
  sigaction(SIGVTALRM, &act, nullptr);
  const itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_VIRTUAL, &often, nullptr);
  bool right = true;
  while (forks < 100 && right) right = UseStreams(file.name());
  const itimerval never = {};
  setitimer(ITIMER_VIRTUAL, &never, nullptr);
  std::thread([&] { right = UseStreams(file.name()) && right; }).join();
  return right && bad_children == 0 ? 0 : 1;
}
const ChildProgram fork_amid_streams("fork_amid_streams", ForkAmidStreams);

TEST(ForkAndStreamsTest, AHandlerThatInterruptsStreamsMayFork) {
  const ChildResult child = RunChildProgram("fork_amid_streams");
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

}  // namespace
}  // namespace hakmem_test
