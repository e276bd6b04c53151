// What hakmem_test.cc runs: does as its arguments say, and exits.
//
//   option NAME   prints the value of an option of the preloaded library
//   refuse N      asks N times for more than can be mapped
//   hold [more]   holds 30 MiB at one site and 10 at another; 20 MiB more

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hakmem/hakmem.h"

namespace {

int PrintOption(const char* name) {
  auto* get = reinterpret_cast<decltype(&::hakmem_option)>(
      dlsym(RTLD_DEFAULT, "hakmem_option"));
  auto* version = reinterpret_cast<decltype(&::hakmem_version)>(
      dlsym(RTLD_DEFAULT, "hakmem_version"));
  if (get == nullptr || version == nullptr) return 3;
  hakmem_option_t option;
  for (size_t i = 0; get(i, &option) == 1; ++i) {
    if (strcmp(option.name, name) != 0) continue;
    printf("%llu %s\n", static_cast<unsigned long long>(option.value),
           version());
    return 0;
  }
  return 4;
}

int AskForTooMuch(int times) {
  for (int i = 0; i < times; ++i) {
    // More than a process's addresses. Through a volatile pointer: a compiler
    // may drop an allocation that nobody uses.
    void* volatile block = malloc(size_t{1} << 50);
    if (block != nullptr) return 5;
  }
  return 0;
}

// Blocks that the program still holds when it ends.
void* held[1 << 16];
size_t held_count = 0;

}  // namespace

// Not inlined, and with plain names: sites for a profile to name.
extern "C" {

[[gnu::noinline]] void HoldMuch(size_t mebibytes) {
  for (size_t i = 0; i < mebibytes << 10; ++i) {
    held[held_count++] = malloc(1024);
  }
}

[[gnu::noinline]] void HoldLittle(size_t mebibytes) {
  for (size_t i = 0; i < mebibytes << 3; ++i) {
    held[held_count++] = malloc(128 << 10);
  }
}

}  // extern "C"

int main(int argc, char** argv) {
  if (argc >= 2 && strcmp(argv[1], "hold") == 0) {
    HoldMuch(argc > 2 ? 50 : 30);
    HoldLittle(10);
    return held[0] == nullptr;
  }
  if (argc != 3) return 2;
  if (strcmp(argv[1], "option") == 0) return PrintOption(argv[2]);
  if (strcmp(argv[1], "refuse") == 0) return AskForTooMuch(atoi(argv[2]));
  return 2;
}
