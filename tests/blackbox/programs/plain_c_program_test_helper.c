/* A C program for plain_c_test.cc. Allocates, then checks which libraries are
   mapped. Its exit status is the result. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kFine = 0, kNotPreloaded = 3, kWrongContents = 4, kHasCxxRuntime = 5 };

int main(void) {
  if (dlsym(RTLD_DEFAULT, "hakmem_version") == NULL) return kNotPreloaded;

  char* blocks[1000];
  for (int i = 0; i < 1000; ++i) {
    blocks[i] = malloc((size_t)i * 100 + 1);
    if (blocks[i] == NULL) return kWrongContents;
    memset(blocks[i], i, (size_t)i * 100 + 1);
  }
  for (int i = 0; i < 1000; ++i) {
    if (blocks[i][0] != (char)i || blocks[i][i * 100] != (char)i) {
      return kWrongContents;
    }
    free(blocks[i]);
  }

  // UBSan's runtime, if this program is built with it, needs the C++ runtime.
  if (getenv("HAKMEM_TEST_HAS_CXX_RUNTIME") != NULL) return kFine;
  FILE* maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return kHasCxxRuntime;
  char line[4096];
  while (fgets(line, sizeof(line), maps) != NULL) {
    if (strstr(line, "libstdc++") != NULL || strstr(line, "libc++") != NULL ||
        strstr(line, "libgcc_s") != NULL || strstr(line, "libm.so") != NULL) {
      fputs(line, stderr);
      return kHasCxxRuntime;
    }
  }
  fclose(maps);
  return kFine;
}
