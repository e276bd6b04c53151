// Says which allocator the program has. hakmem_version is weak here because
// :client is also built without HAKMEM; a program that always has it includes
// hakmem/hakmem.h.
#include <cstdio>
#include <string>
#include <vector>

extern "C" const char* hakmem_version() __attribute__((weak));

int main() {
  const std::vector<std::string> texts(1000, std::string(100, 'x'));
  std::printf(
      "%zu texts on %s\n", texts.size(),
      hakmem_version == nullptr ? "the system's malloc" : hakmem_version());
}
