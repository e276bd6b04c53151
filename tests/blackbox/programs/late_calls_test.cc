// Allocations and frees before main, and from destructors that run after the
// destruction of the thread's cache, or the program's exit, has begun.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

const size_t kSizes[] = {1, 64, 1000, 20 * kKiB, 3 * kMiB};

// How much of a block is written and checked.
size_t Checked(size_t size) { return std::min(size, size_t{4096}); }

// Blocks of every kind, allocated at one time and checked and freed at another.
class Blocks {
 public:
  void Allocate() {
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      blocks_[i] = malloc(kSizes[i]);
      if (blocks_[i] == nullptr) abort();
      Fill(blocks_[i], Checked(kSizes[i]), i);
    }
  }
  void Free() {
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      if (blocks_[i] == nullptr) continue;
      if (!Holds(blocks_[i], Checked(kSizes[i]), i)) abort();
      free(blocks_[i]);
      blocks_[i] = nullptr;
    }
  }

 private:
  void* blocks_[std::size(kSizes)] = {};
};

// Frees what was allocated early, and allocates and frees some more.
void FreeAndAllocateMore(Blocks* early) {
  early->Free();
  Blocks more;
  more.Allocate();
  more.Free();
}

// --- Before main -----------------------------------------------------------

Blocks before_constructors;

void AllocateBeforeConstructors(int, char**, char**) {
  before_constructors.Allocate();
}

// Runs before every constructor, also those of the preloaded library.
__attribute__((section(".preinit_array"),
               used)) void (*preinit)(int, char**,
                                      char**) = AllocateBeforeConstructors;

TEST(LateCallsTest, BlocksFromBeforeAnyConstructorLive) {
  before_constructors.Free();
}

// --- The end of a thread ---------------------------------------------------

// Runs `thread` two hundred times and expects that each leaves no block and no
// cache behind.
template <typename Function>
void ExpectNothingLeft(const Function& thread) {
  std::thread(thread).join();
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < 200; ++i) std::thread(thread).join();
  const hakmem_stats_t after = CollectedStats();
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.metadata_bytes, before.metadata_bytes + kMiB);
  EXPECT_LE(after.cached_bytes, before.cached_bytes + kMiB);
}

struct FreesWhenDestroyed {
  Blocks blocks;
  ~FreesWhenDestroyed() { FreeAndAllocateMore(&blocks); }
};

TEST(LateCallsTest, FromThreadLocalDestructors) {
  ExpectNothingLeft([] {
    static thread_local FreesWhenDestroyed first;
    static thread_local FreesWhenDestroyed second;
    first.blocks.Allocate();
    second.blocks.Allocate();
  });
}

struct KeyState {
  pthread_key_t key;
  int rounds_left;
  Blocks blocks;
};

void FreeFromKey(void* value) {
  KeyState* state = static_cast<KeyState*>(value);
  FreeAndAllocateMore(&state->blocks);
  if (--state->rounds_left > 0) {
    state->blocks.Allocate();
    pthread_setspecific(state->key, state);
  } else {
    free(state);
  }
}

TEST(LateCallsTest, FromPthreadKeyDestructorsInEveryRound) {
  // POSIX repeats destructors while they set values, in no given order: some of
  // these run after the library's own.
  for (int rounds = 1; rounds <= PTHREAD_DESTRUCTOR_ITERATIONS; ++rounds) {
    SCOPED_TRACE(rounds);
    pthread_key_t keys[4];
    for (pthread_key_t& key : keys) {
      ASSERT_EQ(pthread_key_create(&key, FreeFromKey), 0);
    }
    ExpectNothingLeft([&] {
      for (const pthread_key_t key : keys) {
        auto* state = static_cast<KeyState*>(calloc(1, sizeof(KeyState)));
        state->key = key;
        state->rounds_left = rounds;
        state->blocks.Allocate();
        pthread_setspecific(key, state);
      }
    });
    for (const pthread_key_t key : keys) pthread_key_delete(key);
  }
}

TEST(LateCallsTest, TheFirstCallOfAThreadMayBeALateOne) {
  // The thread itself never allocates: its cache is created in a destructor.
  static Blocks blocks;
  pthread_key_t key;
  ASSERT_EQ(
      pthread_key_create(&key, [](void*) { FreeAndAllocateMore(&blocks); }), 0);
  ExpectNothingLeft([&] { pthread_setspecific(key, &blocks); });
  pthread_key_delete(key);
}

TEST(LateCallsTest, FromACancelledThread) {
  ExpectNothingLeft([] {
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          static thread_local FreesWhenDestroyed late;
          late.blocks.Allocate();
          for (;;) pause();
        },
        nullptr);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
  });
}

// --- The end of the program ------------------------------------------------

Blocks for_atexit;
Blocks for_library_end;

void Say(const char* what) {
  if (write(STDERR_FILENO, what, strlen(what)) < 0) abort();
}

struct FreesAtExit {
  Blocks blocks;
  bool in_use = false;
  ~FreesAtExit() {
    if (!in_use) return;
    FreeAndAllocateMore(&blocks);
    Say("static destructor\n");
  }
} static_object;

struct FreesAtMainThreadsEnd {
  Blocks blocks;
  ~FreesAtMainThreadsEnd() {
    FreeAndAllocateMore(&blocks);
    Say("thread_local destructor\n");
  }
};

// Runs after all of the above.
__attribute__((destructor)) void FreeAtVeryEnd() {
  if (!static_object.in_use) return;
  FreeAndAllocateMore(&for_library_end);
  Say("destructor function\n");
}

int AllocateForTheEnd() {
  static thread_local FreesAtMainThreadsEnd main_thread;
  main_thread.blocks.Allocate();
  for_atexit.Allocate();
  for_library_end.Allocate();
  static_object.blocks.Allocate();
  static_object.in_use = true;
  // A thread that is still allocating while the program exits.
  std::thread([] {
    for (;;) {
      Blocks blocks;
      blocks.Allocate();
      blocks.Free();
    }
  }).detach();
  return atexit([] {
    FreeAndAllocateMore(&for_atexit);
    Say("atexit handler\n");
  });
}

const ChildProgram allocate_for_the_end("allocate_for_the_end",
                                        AllocateForTheEnd);

TEST(LateCallsTest, FromEveryKindOfDestructorAtExit) {
  for (int i = 0; i < 10; ++i) {
    const ChildResult child = RunChildProgram("allocate_for_the_end");
    ASSERT_EQ(child.exit_code, 0) << child.signal << child.err;
    ASSERT_EQ(child.err,
              "thread_local destructor\n"
              "atexit handler\n"
              "static destructor\n"
              "destructor function\n");
  }
}

}  // namespace
}  // namespace hakmem_test
