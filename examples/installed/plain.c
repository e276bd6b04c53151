/* A program that knows nothing of HAKMEM but, to say whether it runs on it, a
   name. It is built
     plain     as ever, and runs on HAKMEM with LD_PRELOAD=libhakmem.so.1
     dynamic   with the shared library
     static    with the library inside the program */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char* hakmem_version(void) __attribute__((weak));

int main(void) {
  enum { kTexts = 1000 };
  char* texts[kTexts];
  size_t total = 0;
  for (int i = 0; i < kTexts; ++i) {
    texts[i] = malloc((size_t)i + 2);
    if (texts[i] == NULL) return 1;
    memset(texts[i], 'x', (size_t)i + 1);
    texts[i][i + 1] = '\0';
  }
  for (int i = 0; i < kTexts; ++i) {
    total += strlen(texts[i]);
    free(texts[i]);
  }
  printf("%zu letters on %s\n", total,
         hakmem_version != NULL ? hakmem_version() : "the system's malloc");
  return 0;
}
