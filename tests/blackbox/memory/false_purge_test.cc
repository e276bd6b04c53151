// calloc's blocks are zero even where the advice to purge memory
// (MADV_DONTNEED) reports success without effect, as in user-space emulators
// and sandboxes.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// From here on every madvise returns `error` (0: success) without effect. False
// where no filter can be set.
bool MakeAdviceVain(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 1),
      BPF_STMT(BPF_RET | BPF_K,
               SECCOMP_RET_ERRNO |
                   (static_cast<unsigned>(error) & SECCOMP_RET_DATA)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter = {std::size(program), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Longer than the decay time, with calls that purge what is due.
void LetDecay() {
  std::this_thread::sleep_for(std::chrono::milliseconds(350));
  for (size_t i = 0; i < 2000; ++i) free(Opaque(malloc(33000 + i)));
}

// Blocks of each size are filled, purged without effect, and allocated by
// calloc.
int CallocIsZero() {
  constexpr size_t kSizes[] = {24,     1000,    3000,    20000,   40000,
                               200000, 1000000, 1100000, 3000000, 40000000};
  for (const size_t size : kSizes) {
    std::vector<char*> blocks(std::clamp<size_t>((16 * kMiB) / size, 1, 4000));
    for (int round = 0; round < 2; ++round) {
      for (char*& block : blocks) {
        block = static_cast<char*>(malloc(size));
        memset(block, 0xa5, size);
      }
      for (char* block : blocks) free(block);
      LetDecay();
      if (round == 1) malloc_trim(0);
      for (char*& block : blocks) {
        block = static_cast<char*>(calloc(1, size));
        EXPECT_TRUE(IsZero(block, size)) << size;
      }
      for (char* block : blocks) free(block);
    }
  }
  return testing::Test::HasFailure() ? 1 : 0;
}

const ChildProgram calloc_is_zero("calloc_is_zero", CallocIsZero);

struct Answer {
  const char* name;
  int error;
};

class FalsePurgeTest : public testing::TestWithParam<Answer> {};

TEST_P(FalsePurgeTest, CallocIsZeroWhenThatBeginsLate) {
  free(Opaque(malloc(100)));
  const ChildResult result = RunForked([] {
    if (MakeAdviceVain(GetParam().error)) CallocIsZero();
  });
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_P(FalsePurgeTest, CallocIsZeroWhenItWasSoFromTheStart) {
  const ChildResult result = RunForked([] {
    if (!MakeAdviceVain(GetParam().error)) return;
    const ChildResult program = RunChildProgram("calloc_is_zero");
    EXPECT_EQ(program.exit_code, 0) << program.err;
  });
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

INSTANTIATE_TEST_SUITE_P(Answers, FalsePurgeTest,
                         testing::Values(Answer{"Done", 0},
                                         Answer{"Invalid", EINVAL}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hakmem_test
