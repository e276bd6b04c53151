/* Keeps the program's malloc, and takes some blocks from HAKMEM beside it: the
   library is opened for its hakmem_ names alone. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hakmem/hakmem.h"

/* Their types are those of hakmem.h. */
static __typeof__(hakmem_malloc)* block_of;
static __typeof__(hakmem_free)* free_block;
static __typeof__(hakmem_stats)* statistics;

static int open_hakmem(const char* file) {
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "beside: %s\n", dlerror());
    return 0;
  }
  *(void**)&block_of = dlsym(library, "hakmem_malloc");
  *(void**)&free_block = dlsym(library, "hakmem_free");
  *(void**)&statistics = dlsym(library, "hakmem_stats");
  return block_of != NULL && free_block != NULL && statistics != NULL;
}

static unsigned long long bytes_of_hakmem(void) {
  hakmem_stats_t stats;
  statistics(&stats, sizeof(stats));
  return stats.live_bytes;
}

int main(int argc, char** argv) {
  if (!open_hakmem(argc > 1 ? argv[1] : "libhakmem.so.1")) return 1;
  const unsigned long long at_first = bytes_of_hakmem();
  char* const mine = malloc(1000000);
  const unsigned long long after_malloc = bytes_of_hakmem();
  char* const theirs = block_of(1000000);
  const unsigned long long after_both = bytes_of_hakmem();
  if (mine == NULL || theirs == NULL) return 1;
  memset(mine, 1, 1000000);
  memset(theirs, 2, 1000000);
  printf("malloc took %s of HAKMEM, hakmem_malloc %s\n",
         after_malloc == at_first ? "nothing" : "something",
         after_both >= after_malloc + 1000000 ? "a block" : "nothing");
  free_block(theirs);
  free(mine);
  return 0;
}
