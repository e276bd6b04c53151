/* A program whose malloc and free forward to __libc_malloc and __libc_free,
   like wrappers of glibc's allocator, while the rest of the family is the
   preloaded library's. Exits with 0 if all blocks are correct. */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void* __libc_malloc(size_t);
extern void __libc_free(void*);

static size_t calls;

void* malloc(size_t size) {
  ++calls;
  return __libc_malloc(size);
}

void free(void* block) {
  ++calls;
  __libc_free(block);
}

int main(void) {
  for (size_t size = 1; size < 5000000; size += size / 2 + 1) {
    char* block = calloc(size, 1);
    if (block == NULL || block[size - 1] != 0) return 1;
    free(block);
    block = memalign(64, size);
    if ((uintptr_t)block % 64 != 0) return 2;
    memset(block, 1, size);
    block = realloc(block, size + 1000);
    if (block == NULL || block[size - 1] != 1) return 3;
    free(block);
    block = malloc(size);
    if (malloc_usable_size(block) < size) return 4;
    free(block);
  }
  return calls == 0;
}
