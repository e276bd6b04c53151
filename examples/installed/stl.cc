// Containers with HAKMEM's allocator, and a buffer that uses all of its block.
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hakmem/hakmem.hpp"

int main() {
  using Entry = std::pair<const int, int>;
  std::map<int, int, std::less<int>, hakmem::allocator<Entry>> squares;
  for (int i = 0; i < 1000; ++i) squares[i] = i * i;

  hakmem::allocator<char> allocator;
  const auto buffer = allocator.allocate_at_least(1000);
  std::printf("999 squared is %d; asked for 1000 bytes, got %s\n", squares[999],
              buffer.count > 1000 ? "more" : "1000");
  allocator.deallocate(buffer.ptr, buffer.count);
}
