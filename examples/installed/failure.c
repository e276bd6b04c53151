/* Says why an allocation failed, when it does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "hakmem/hakmem.h"

static void say_why(const hakmem_failure_t* failure, void* stream) {
  char text[1000];
  hakmem_failure_text(failure, text, sizeof(text));
  fprintf(stream, "%s: %s\n", hakmem_failure_cause_name(failure->cause), text);
}

int main(void) {
  const struct rlimit limit = {1 << 30, 1 << 30};
  setrlimit(RLIMIT_AS, &limit);
  hakmem_set_failure_callback(say_why, stdout);
  void* const block = malloc((size_t)2 << 30);
  if (block == NULL) puts("malloc returned NULL, and the program goes on");
  free(block);
  return 0;
}
