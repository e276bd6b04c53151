// Forks while threads allocate with locks of the C library and the dynamic
// loader held: of open objects, locales, time zones, the name databases,
// character sets, fork handlers. (Of streams: fork_and_streams_test.) Fork must
// not deadlock with a thread that waits for the allocator, and the child must
// be able to allocate.
#include <dlfcn.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kForks = 100;
// Far longer than a run takes; SIGALRM ends a deadlock.
constexpr unsigned kPatienceSeconds = 90;

// Forks while a thread calls `use(round)` repeatedly.
void ForkBeside(void (*use)(int round)) {
  const ChildResult child = RunForked([use] {
    alarm(kPatienceSeconds);
    std::atomic<bool> stop = false;
    std::thread user([&] {
      for (int round = 0; !stop; ++round) use(round);
    });
    for (int i = 0; i < kForks; ++i) {
      const pid_t forked = fork();
      if (forked == 0) {
        alarm(kPatienceSeconds);
        _exit(AllocateAndFree(i, 100) ? 0 : 1);
      }
      int status = -1;
      ASSERT_EQ(waitpid(forked, &status, 0), forked);
      ASSERT_EQ(status, 0);
    }
    stop = true;
    user.join();
  });
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

TEST(ForkAndLibcLocksTest, OpenObjects) {
  ForkBeside([](int) {
    void* object = dlopen("libutil.so.1", RTLD_NOW);
    if (object != nullptr) dlclose(object);
    // Fails, and allocates the error message.
    dlopen("libthere_is_none.so", RTLD_NOW);
    dlerror();
  });
}

TEST(ForkAndLibcLocksTest, Locales) {
  ForkBeside([](int round) {
    setlocale(LC_ALL, round % 2 == 0 ? "C.UTF-8" : "C");
    const locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
    if (locale != nullptr) freelocale(locale);
  });
}

TEST(ForkAndLibcLocksTest, TimeZones) {
  ForkBeside([](int round) {
    setenv("TZ", round % 2 == 0 ? "Europe/Berlin" : "XXX3YYY", 1);
    tzset();
    const time_t now = time(nullptr);
    tm broken_down;
    localtime_r(&now, &broken_down);
  });
}

TEST(ForkAndLibcLocksTest, DatabasesOfNames) {
  ForkBeside([](int) {
    passwd entry;
    passwd* found;
    char buffer[4096];
    getpwnam_r("root", &entry, buffer, sizeof(buffer), &found);
    addrinfo hints = {};
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* addresses = nullptr;
    if (getaddrinfo("127.0.0.1", "80", &hints, &addresses) == 0) {
      freeaddrinfo(addresses);
    }
  });
}

TEST(ForkAndLibcLocksTest, CharacterSets) {
  ForkBeside([](int) {
    const iconv_t converter = iconv_open("UTF-16", "ISO-8859-1");
    if (converter != reinterpret_cast<iconv_t>(-1)) iconv_close(converter);
  });
}

// Keys, the environment, and exit functions.
TEST(ForkAndLibcLocksTest, SmallLists) {
  ForkBeside([](int round) {
    pthread_key_t key;
    if (pthread_key_create(&key, free) == 0) {
      pthread_setspecific(key, malloc(10));
      free(pthread_getspecific(key));
      pthread_key_delete(key);
    }
    setenv("HAKMEM_TEST_A_VARIABLE", round % 2 == 0 ? "a" : "bcdefghi", 1);
    if (round < 2000) atexit([] {});
  });
}

}  // namespace
}  // namespace hakmem_test
