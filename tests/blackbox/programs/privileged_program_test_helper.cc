// A program linked with the allocator, for privileged_process_test.cc. Prints
// whether the kernel treats it as privileged (AT_SECURE), and each option's
// value and default; also makes an allocation fail.
#include <sys/auxv.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "hakmem/hakmem.h"

int main() {
  volatile size_t impossible = SIZE_MAX / 2 + 1;
  if (malloc(impossible) != nullptr) return 2;
  printf("secure %d\n", getauxval(AT_SECURE) != 0 ? 1 : 0);
  hakmem_option_t option;
  for (size_t i = 0; hakmem_option(i, &option) != 0; ++i) {
    printf("%s %llu %llu\n", option.name,
           static_cast<unsigned long long>(option.value),
           static_cast<unsigned long long>(option.fallback));
  }
  return 0;
}
