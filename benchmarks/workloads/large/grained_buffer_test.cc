// A buffer that grows and shrinks, and what it notices.
#include "benchmarks/workloads/large/grained_buffer.h"

#include <cstdlib>
#include <cstring>

#include "benchmarks/worker/random.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(GrainedBuffer, KeepsWhatItHoldsInAllSizes) {
  Random random(3);
  for (const size_t grain : {16, 48, 4096}) {
    GrainedBuffer buffer;
    buffer.Allocate(grain, 77);
    for (const size_t grains : {2, 3, 100, 101, 50, 7, 1, 64}) {
      buffer.Resize(grains * grain, random);
      EXPECT_EQ(buffer.size(), grains * grain);
      buffer.CheckAll();
    }
    buffer.Free();
  }
}

// What CheckAll must notice, done to a buffer of 10 grains of 16 bytes.
void CheckAfter(void (*damage)(unsigned char* data)) {
  Random random(3);
  GrainedBuffer buffer;
  buffer.Allocate(16, 77);
  buffer.Resize(160, random);
  damage(buffer.data());
  buffer.CheckAll();
}

TEST(GrainedBuffer, NoticesDamage) {
  EXPECT_EXIT(CheckAfter([](unsigned char* data) { ++data[3 * 16 + 8]; }),
              testing::ExitedWithCode(1),
              "the buffer of 160 bytes at .* no longer holds what was written "
              "to it, 64 bytes from its start");
}

TEST(GrainedBuffer, NoticesContentInTheWrongPlace) {
  EXPECT_EXIT(CheckAfter([](unsigned char* data) {
                memmove(data + 80, data + 64, 80);
              }),
              testing::ExitedWithCode(1), "no longer holds");
}

}  // namespace
}  // namespace hakmem::bench
