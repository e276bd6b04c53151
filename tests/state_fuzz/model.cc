#include "tests/state_fuzz/model.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace hakmem::fuzz {

void Check(bool holds, const char* what, ...) {
  if (holds) return;
  char text[512];
  va_list arguments;
  va_start(arguments, what);
  vsnprintf(text, sizeof(text), what, arguments);
  va_end(arguments);
  fprintf(stderr, "fuzz: %s\n", text);
  abort();
}

}  // namespace hakmem::fuzz
