#include "base/text/raw_write.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

namespace hakmem {
namespace {

iovec Part(std::string& text) { return {text.data(), text.size()}; }

TEST(RawWrite, WritesEveryPartAndKeepsErrno) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string a = "one ", empty, b = "two";
  iovec parts[] = {Part(empty), Part(a), Part(empty), Part(b), Part(empty)};
  errno = 7;
  RawWrite(ends[1], parts, 5);
  EXPECT_EQ(errno, 7);
  close(ends[1]);
  char text[32];
  const ssize_t length = read(ends[0], text, sizeof(text));
  EXPECT_EQ(std::string(text, static_cast<size_t>(length)), "one two");
  close(ends[0]);
}

TEST(RawWrite, AnUnreadPipeRaisesNoSignal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  std::string text = "nobody reads this";
  iovec part = Part(text);
  errno = 7;
  RawWrite(ends[1], &part, 1);  // otherwise SIGPIPE would kill this test
  EXPECT_EQ(errno, 7);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  close(ends[1]);
}

TEST(RawWrite, ACancelledThreadIsNotEndedInIt) {
  // An unread pipe exercises every path through RawWrite.
  bool came_back = false;
  std::thread thread([&came_back] {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    std::string text = "nobody reads this";
    iovec part = Part(text);
    pthread_cancel(pthread_self());
    RawWrite(ends[1], &part, 1);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    came_back = true;
    close(ends[1]);
  });
  thread.join();
  EXPECT_TRUE(came_back);
}

TEST(RawWrite, AClosedFileIsHarmless) {
  const int file = open("/dev/null", O_WRONLY);
  close(file);
  std::string text = "x";
  iovec part = Part(text);
  RawWrite(file, &part, 1);
}

}  // namespace
}  // namespace hakmem
