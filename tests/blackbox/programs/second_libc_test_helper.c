/* A library that second_libc_test opens in a separate link namespace, with its
   own C library, and threads unknown to the program's C library. It also has
   keys, whose numbers may coincide with the program's. */
#include <pthread.h>
#include <stdlib.h>

enum { kThreads = 3, kKeys = 8 };

static void (*work_of)(long);
static pthread_t threads[kThreads];

static void* Run(void* number) {
  work_of((long)number);
  return 0;
}

/* Must not run: nothing here sets a value for the key. */
static void OnKey(void* value) {
  (void)value;
  abort();
}

int StartThreads(void (*work)(long)) {
  static int begun;
  for (int i = 0; begun == 0 && i < kKeys; ++i) {
    pthread_key_t key;
    pthread_key_create(&key, OnKey);
  }
  begun = 1;
  work_of = work;
  for (long i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], 0, Run, (void*)(i + 1)) != 0) return 1;
  }
  return 0;
}

void JoinThreads(void) {
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], 0);
}
