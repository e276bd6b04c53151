/* A statically linked C program that contains the allocator. It runs with the
   build's C library: glibc by default, musl with --config=musl. Exits with 1
   after printing the first error. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hakmem/hakmem.h"

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                       \
    }                                                                 \
  } while (0)

enum { kThreads = 4, kRounds = 40000, kBlocks = 256 };

/* Hides a block from the compiler, which knows what malloc and free do. */
static void* Opaque(void* block) {
  __asm__ volatile("" : "+r"(block) : : "memory");
  return block;
}

static hakmem_stats_t Stats(void) {
  hakmem_stats_t stats;
  CHECK(hakmem_stats(&stats, sizeof(stats)) == sizeof(stats));
  return stats;
}

/* --- malloc's family ------------------------------------------------------ */

static void TestItIsOurs(void) {
  void* block = Opaque(malloc(5000000));
  const uint64_t live = Stats().live_bytes;
  CHECK(block != NULL && live >= 5000000);
  free(block);
  CHECK(Stats().live_bytes <= live - 5000000 + 4096);
  /* The C library's own allocations use it too. */
  const uint64_t before = Stats().live_bytes;
  char* copy = strdup("text");
  CHECK(Stats().live_bytes > before);
  free(copy);
}

static void TestEverySizeHoldsItsBytes(void) {
  for (size_t size = 1; size < 8000000; size += 1 + size / 7) {
    unsigned char* block = Opaque(malloc(size));
    CHECK(block != NULL && malloc_usable_size(block) >= size);
    CHECK((uintptr_t)block % (size < 16 ? 8 : 16) == 0);
    memset(block, 0xA5, size);
    block = Opaque(realloc(block, size + size / 2 + 1));
    CHECK(block != NULL && block[0] == 0xA5 && block[size - 1] == 0xA5);
    free(block);
    block = Opaque(calloc(size, 1));
    CHECK(block != NULL);
    for (size_t i = 0; i < size; i += 61) CHECK(block[i] == 0);
    CHECK(block[size - 1] == 0);
    free(block);
  }
}

static void TestAlignment(void) {
  for (size_t alignment = 8; alignment <= (8u << 20); alignment *= 2) {
    void* block = NULL;
    CHECK(posix_memalign(&block, alignment, 100) == 0);
    CHECK((uintptr_t)Opaque(block) % alignment == 0);
    free(block);
    block = Opaque(aligned_alloc(alignment, alignment));
    CHECK(block != NULL && (uintptr_t)block % alignment == 0);
    free(block);
    block = Opaque(memalign(alignment, 3));
    CHECK(block != NULL && (uintptr_t)block % alignment == 0);
    free(block);
  }
}

static void TestImpossibleRequests(void) {
  volatile size_t huge = SIZE_MAX / 2;
  void* block = NULL;
  errno = 0;
  CHECK(malloc(huge) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(calloc(huge, 3) == NULL && errno == ENOMEM);
  CHECK(posix_memalign(&block, 3, 8) == EINVAL);
  hakmem_failure_t failure;
  CHECK(hakmem_last_failure(&failure, sizeof(failure)) == 1);
  CHECK(failure.cause == HAKMEM_CAUSE_THRESHOLD);
}

/* --- Threads -------------------------------------------------------------- */

static void* handed_on[kBlocks];

/* Swaps its own blocks for those that others left in the slots. */
static void* SwapBlocks(void* argument) {
  uint64_t random = (uintptr_t)argument * 0x9E3779B97F4A7C15u + 1;
  for (int i = 0; i < kRounds; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const size_t size = 16 + (random >> 33) % ((random >> 60) ? 500 : 70000);
    size_t* mine = malloc(size);
    CHECK(mine != NULL);
    mine[0] = size;
    ((char*)mine)[size - 1] = (char)size;
    size_t* other = __atomic_exchange_n(&handed_on[(random >> 40) % kBlocks],
                                        mine, __ATOMIC_ACQ_REL);
    if (other != NULL) {
      CHECK(((char*)other)[other[0] - 1] == (char)other[0]);
      free(other);
    }
  }
  return NULL;
}

static void JoinAll(pthread_t* threads) {
  for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void StartAll(pthread_t* threads) {
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_create(&threads[i], NULL, SwapBlocks,
                         (void*)(uintptr_t)(i + 1)) == 0);
  }
}

static void TestThreadsFreeWhatOthersAllocated(void) {
  pthread_t threads[kThreads];
  hakmem_collect();
  const uint64_t before = Stats().live_bytes;
  StartAll(threads);
  JoinAll(threads);
  for (int i = 0; i < kBlocks; ++i) {
    free(handed_on[i]);
    handed_on[i] = NULL;
  }
  hakmem_collect();
  /* The C library may keep some memory of a thread. */
  CHECK(Stats().live_bytes <= before + 4096);
}

/* --- fork ----------------------------------------------------------------- */

static void TestForkWhileThreadsAllocate(void) {
  pthread_t threads[kThreads];
  StartAll(threads);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);
      for (size_t size = 1; size < 3000000; size += 1 + size / 3) {
        char* block = Opaque(malloc(size));
        CHECK(block != NULL);
        block[size - 1] = 1;
        free(block);
      }
      hakmem_collect();
      _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  JoinAll(threads);
}

/* --- Misuse --------------------------------------------------------------- */

static void TestABadFreeEndsTheProcess(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    void* block = Opaque(malloc(3000000));
    free(block);
    free(Opaque(block));
    _exit(0);
  }
  close(ends[1]);
  char text[2000];
  size_t length = 0;
  for (ssize_t n;
       (n = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0;) {
    length += (size_t)n;
  }
  text[length] = '\0';
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK(strncmp(text, "hakmem[", 7) == 0);
  close(ends[0]);
}

/* --- Stack walking -------------------------------------------------------- */

/* The unwinder of a static program allocates, and takes a lock. */
static void TestStacksDoNoHarm(const char* program) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    setenv("HAKMEM_ACE_TRACE", "1", 1);
    setenv("HAKMEM_ACE_TRACE_STACK", "1", 1);
    setenv("HAKMEM_GUARD_SAMPLE", "1", 1);
    /* See run.sh in third_party/toolchains/aarch64. */
    const char* emulator = getenv("HAKMEM_TEST_EMULATOR");
    if (emulator != NULL) {
      execl(emulator, emulator, program, "with stacks", (char*)NULL);
    }
    execl(program, program, "with stacks", (char*)NULL);
    _exit(1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char** argv) {
  TestItIsOurs();
  TestEverySizeHoldsItsBytes();
  TestAlignment();
  TestImpossibleRequests();
  TestThreadsFreeWhatOthersAllocated();
  TestForkWhileThreadsAllocate();
  TestABadFreeEndsTheProcess();
  if (argc == 1) TestStacksDoNoHarm(argv[0]);
  return 0;
}
