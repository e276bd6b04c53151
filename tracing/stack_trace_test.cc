#include "tracing/stack_trace.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace hakmem {
namespace {

[[gnu::noinline]] void PrintFromHere() {
  PrintStack(options::k_ace_trace);  // the option is off: to stderr
  asm volatile("");                  // no tail call
}

TEST(StackTrace, HasALineForEachFrame) {
  testing::internal::CaptureStderr();
  errno = 7;
  PrintFromHere();
  EXPECT_EQ(errno, 7);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("hakmem:   #0 0x", 0), 0u) << text;
  EXPECT_NE(text.find("\nhakmem:   #1 0x"), std::string::npos) << text;
  // Functions of this program, whose file names them; the C library exports
  // its own.
  EXPECT_NE(text.find("stack_trace_test+0x"), std::string::npos) << text;
  EXPECT_NE(text.find("PrintFromHere"), std::string::npos) << text;
  EXPECT_NE(text.find("__libc_start_main"), std::string::npos) << text;
}

void* PrintInThread(void*) {
  PrintFromHere();
  return nullptr;
}

TEST(StackTrace, TheSmallestStackIsEnough) {
  testing::internal::CaptureStderr();
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(
      pthread_attr_setstacksize(
          &attributes, static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN))),
      0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, PrintInThread, nullptr), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("#0 0x"),
            std::string::npos);
}

}  // namespace
}  // namespace hakmem
