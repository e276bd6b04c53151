// An allocator for LD_PRELOAD that is right but for one bit: the environment
// variable DAMAGE="SIZE,OFFSET,NUMBER" says which. Of the NUMBERth block of
// SIZE bytes it flips the lowest bit of the byte at OFFSET, a few blocks of
// that size later, when the program has written to it. Memory is never used
// twice.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace {

constexpr size_t kAlignment = 16;
constexpr size_t kBytes = size_t{1} << 32;  // of address space

char* next = nullptr;
char* end = nullptr;

size_t damaged_size = 0;  // 0: none
size_t damaged_offset = 0;
unsigned long damaged_number = 0;
char* damaged = nullptr;
unsigned long count = 0;

// Not at the first malloc, which may come before there is an environment.
__attribute__((constructor)) void ReadDamage() {
  const char* const text = getenv("DAMAGE");
  if (text == nullptr || sscanf(text, "%zu,%zu,%lu", &damaged_size,
                                &damaged_offset, &damaged_number) != 3) {
    damaged_size = 0;
  }
}

void Watch(char* block) {
  ++count;
  if (count == damaged_number) damaged = block + damaged_offset;
  if (count == damaged_number + 1) {
    *damaged = static_cast<char>(*damaged ^ 1);
  }
}

// The size lies before the block, for realloc.
char* Take(size_t size) {
  if (next == nullptr) {
    void* const memory =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    next = static_cast<char*>(memory);
    end = next + kBytes;
  }
  const auto left = static_cast<size_t>(end - next);
  if (size > left || left - size < 2 * kAlignment) return nullptr;
  char* const block = next + kAlignment;
  memcpy(next, &size, sizeof(size));
  next = block + (size + kAlignment - 1) / kAlignment * kAlignment;
  if (size == damaged_size && size != 0) Watch(block);
  return block;
}

}  // namespace

extern "C" {

void* malloc(size_t size) { return Take(size); }
void free(void*) {}
// Fresh memory is zero.
void* calloc(size_t count, size_t size) { return Take(count * size); }
void* realloc(void* old, size_t size) {
  char* const block = Take(size);
  if (old == nullptr || block == nullptr) return block;
  size_t old_size;
  memcpy(&old_size, static_cast<char*>(old) - kAlignment, sizeof(old_size));
  return memcpy(block, old, old_size < size ? old_size : size);
}

}  // extern "C"
