#include "tracing/stacks/stack_trace.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace hakmem {
namespace {

// The prefix of each line.
std::string Prefix() { return "hakmem[" + std::to_string(getpid()) + "]: "; }

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
  EXPECT_EQ(text.rfind(Prefix() + "  #0 0x", 0), 0u) << text;
  EXPECT_NE(text.find("\n" + Prefix() + "  #1 0x"), std::string::npos) << text;
  // Functions of this program are named by its file; the C library exports its
  // own.
  EXPECT_NE(text.find("stack_trace_test+0x"), std::string::npos) << text;
  EXPECT_NE(text.find("PrintFromHere"), std::string::npos) << text;
  EXPECT_NE(text.find("__libc_start_main"), std::string::npos) << text;
}

// Captures its stack from its caller on.
[[gnu::noinline]] void NoteFromCaller(StackTrace* stack) {
  NoteStack(__builtin_return_address(0), stack);
  asm volatile("");  // no tail call
}

TEST(StackTrace, NotedFromAFrameOnIsPrintedLater) {
  StackTrace stack;
  NoteFromCaller(&stack);
  ASSERT_GT(stack.count, 1u);
  testing::internal::CaptureStderr();
  PrintNotedStack(stack);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind(Prefix() + "  #0 0x", 0), 0u) << text;
  EXPECT_EQ(text.find("NoteFromCaller"), std::string::npos) << text;
  EXPECT_NE(text.find("NotedFromAFrameOn"), std::string::npos) << text;
  EXPECT_LT(text.find("NotedFromAFrameOn"), text.find('\n')) << text;
}

TEST(StackTrace, NotedFromNoSuchFrameIsWhole) {
  StackTrace stack;
  NoteStack(nullptr, &stack);
  testing::internal::CaptureStderr();
  PrintNotedStack(stack);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_LT(text.find("NotedFromNoSuchFrame"), text.find('\n')) << text;
}

[[gnu::noinline]] size_t NoteDeep(int depth) {
  if (depth == 0) {
    StackTrace stack;
    NoteStack(nullptr, &stack);
    return stack.count;
  }
  const size_t count = NoteDeep(depth - 1);
  asm volatile("");  // no tail call
  return count;
}

TEST(StackTrace, NotesTheInnermostFramesOfADeepStack) {
  EXPECT_EQ(NoteDeep(1000), StackTrace::kMaxFrames);
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
