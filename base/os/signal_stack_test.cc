#include "base/os/signal_stack.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <cstdint>

namespace hakmem {
namespace {

constexpr size_t kBytes = 64 << 10;

volatile size_t seen_in_handler = 0;

void Handle(int) { seen_in_handler = SignalStackBytesLeft(); }

TEST(SignalStack, IsNoneOutsideOfHandlers) {
  errno = 7;
  EXPECT_EQ(SignalStackBytesLeft(), SIZE_MAX);
  EXPECT_EQ(errno, 7);
}

TEST(SignalStack, IsWhatIsLeftOfTheAlternateOne) {
  static char memory[kBytes];
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kBytes;
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
  struct sigaction action = {};
  action.sa_handler = Handle;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  raise(SIGUSR1);  // on the thread's own stack
  EXPECT_EQ(seen_in_handler, SIZE_MAX);
  action.sa_flags = SA_ONSTACK;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  raise(SIGUSR1);
  EXPECT_LT(seen_in_handler, kBytes);
  EXPECT_GT(seen_in_handler, kBytes / 2);
  stack.ss_flags = SS_DISABLE;
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
}

}  // namespace
}  // namespace hakmem
