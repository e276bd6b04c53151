#include "base/os/thread_id.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace hakmem {
namespace {

uint32_t Asked() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

TEST(ThreadIdTest, IsTheKernelsInEveryThread) {
  errno = 77;
  EXPECT_EQ(ThreadId(), Asked());
  EXPECT_EQ(errno, 77);
  std::thread([] { EXPECT_EQ(ThreadId(), Asked()); }).join();
}

TEST(ThreadIdTest, IsTheKernelsInAChild) {
  std::thread([] {
    const pid_t child = fork();
    if (child == 0) _exit(ThreadId() == Asked() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }).join();
}

TEST(ThreadHasEndedTest, NotWhileItRuns) {
  std::atomic<uint32_t> id{0};
  std::atomic<bool> done{false};
  std::thread other([&] {
    id = ThreadId();
    while (!done) std::this_thread::yield();
  });
  while (id == 0) std::this_thread::yield();
  errno = 77;
  EXPECT_FALSE(ThreadHasEnded(id));
  EXPECT_FALSE(ThreadHasEnded(ThreadId()));
  done = true;
  other.join();
  EXPECT_TRUE(ThreadHasEnded(id));
  EXPECT_EQ(errno, 77);
}

// The thread ends without the C library's knowledge.
TEST(ThreadHasEndedTest, OnceItLeftByASystemCall) {
  static std::atomic<uint32_t> id;
  id = 0;
  pthread_t other;
  ASSERT_EQ(pthread_create(
                &other, nullptr,
                [](void*) -> void* {
                  id = ThreadId();
                  syscall(SYS_exit, 0);
                  return nullptr;
                },
                nullptr),
            0);
  ASSERT_EQ(pthread_join(other, nullptr), 0);
  EXPECT_TRUE(ThreadHasEnded(id));
}

// None of the parent's threads runs here, but the child cannot know that.
TEST(ThreadHasEndedTest, NeverInAProcessMadeBehindTheLibrarysBack) {
  uint32_t ended = 0;
  std::thread([&] { ended = ThreadId(); }).join();
  ASSERT_TRUE(ThreadHasEnded(ended));
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(ThreadHasEnded(ended) ? 1 : 0);
  int status = -1;
  ASSERT_EQ(waitpid(static_cast<pid_t>(child), &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(IsThreadOfThisLibraryTest, TheFirstAndThoseThatItMade) {
  EXPECT_TRUE(IsThreadOfThisLibrary());
  std::thread([] { EXPECT_TRUE(IsThreadOfThisLibrary()); }).join();
}

}  // namespace
}  // namespace hakmem
