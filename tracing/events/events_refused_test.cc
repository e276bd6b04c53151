// When the operating system refuses memory for the rings, events stay off and
// can be started later. A separate process, as rings once mapped stay.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "tracing/events/events.h"

namespace hakmem {
namespace {

TEST(EventsRefused, StartFailsWhileThereIsNoMemoryForTheRings) {
  if (!kTracing) GTEST_SKIP() << "built with --//tracing=off";
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit little = before;
  little.rlim_cur = 16 << 20;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &little), 0);
  errno = 77;
  const int result = StartEvents();
  const int kept = errno;
  const bool on = EventsOn();
  // No check before the limit is lifted: its message would need memory.
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(result, ENOMEM);
  EXPECT_EQ(kept, 77);
  EXPECT_FALSE(on);

  RecordEvent(Operation::kAllocate, nullptr, 1, 16, nullptr);
  EXPECT_EQ(CountEvents().recorded, 0u);
  EXPECT_EQ(CountEvents().dropped, 0u);

  EXPECT_EQ(StartEvents(), 0);
  EXPECT_TRUE(EventsOn());
  RecordEvent(Operation::kAllocate, nullptr, 1, 16, nullptr);
  EXPECT_EQ(CountEvents().recorded, 1u);
  StopEvents();
}

}  // namespace
}  // namespace hakmem
