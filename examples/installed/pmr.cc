// std::pmr containers on HAKMEM, whatever malloc the program has.
#include <cstdio>
#include <memory_resource>
#include <string>
#include <vector>

#include "hakmem/hakmem.hpp"

int main() {
  // For all containers of the program that name no resource.
  std::pmr::set_default_resource(hakmem::memory_resource());
  std::pmr::vector<std::pmr::string> texts;
  for (int i = 0; i < 1000; ++i) texts.emplace_back(100, 'x');

  // A phase of its own: freed as a whole.
  std::size_t letters = 0;
  {
    std::pmr::monotonic_buffer_resource arena(hakmem::memory_resource());
    const std::pmr::vector<std::pmr::string> copies(texts, &arena);
    for (const std::pmr::string& copy : copies) letters += copy.size();
  }
  std::printf("%zu letters in %s blocks\n", letters,
              hakmem_malloc_usable_size(texts.data()) >=
                      texts.capacity() * sizeof(texts[0])
                  ? "HAKMEM's"
                  : "others'");
}
