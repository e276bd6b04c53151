// An allocator for LD_PRELOAD: glibc's, but broken in the way that SOAK_BREAK
// names, now and then, once a process has come to work. The soak must notice
// each way; with "nothing" there is nothing to notice.
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hakmem/hakmem.h"

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);
}

namespace {

// While a process starts, all is well.
constexpr uint64_t kHonestCalls = 2000;
constexpr size_t kBigBytes = size_t{128} << 10;

std::atomic<uint64_t> calls = 0;
std::atomic<uint64_t> live = 0;

bool Breaks(const char* way) {
  const char* const chosen = getenv("SOAK_BREAK");
  return chosen != nullptr && strcmp(chosen, way) == 0;
}

// Once in `times`.
bool Now(const char* way, uint64_t times) {
  const uint64_t call = ++calls;
  return call > kHonestCalls && call % times == 0 && Breaks(way);
}

// A block in use that is harmed: overwritten, or handed out a second time.
class Victim {
 public:
  // Harms the victim, if there is one, or makes `block` the next one. Returns
  // the block to hand out.
  void* Handle(void* block, size_t size, bool big) {
    if (size < 64 || (size >= kBigBytes) != big) return block;
    const Guard guard(*this);
    if (block_ == nullptr) {
      block_ = block;
      size_ = size;
    } else if (Breaks("corrupt")) {
      static_cast<char*>(block_)[size_ - 1] ^= 1;
      block_ = nullptr;
    } else if (!shared_ && size <= size_) {
      __libc_free(block);
      shared_ = true;
      return block_;
    }
    return block;
  }

  // True when two had the block and one of them has it still.
  bool IsSharedAtEnd(void* block) {
    const Guard guard(*this);
    if (block == nullptr || block != block_) return false;
    if (!shared_) block_ = nullptr;
    const bool was_shared = shared_;
    shared_ = false;
    return was_shared;
  }

 private:
  class Guard {
   public:
    explicit Guard(Victim& victim) : victim_(victim) {
      while (victim_.busy_.exchange(true)) {
      }
    }
    ~Guard() { victim_.busy_ = false; }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Victim& victim_;
  };

  std::atomic<bool> busy_ = false;
  void* block_ = nullptr;
  size_t size_ = 0;
  bool shared_ = false;
};

constinit Victim victim;

void* Count(void* block) {
  live += malloc_usable_size(block);
  return block;
}

// A block that is aligned half as well as it should be. Half of those that come
// out are aligned nonetheless: then `tries` more are asked for.
void* Misaligned(size_t alignment, size_t size, int tries) {
  void* const block = __libc_memalign(alignment / 2, size);
  if (tries == 0 || reinterpret_cast<uintptr_t>(block) % alignment != 0) {
    return block;
  }
  void* const other = Misaligned(alignment, size, tries - 1);
  __libc_free(block);
  return other;
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  if (Now("refuse", 5000)) {
    errno = 0;
    return nullptr;
  }
  if (Now("crash", 20000)) abort();
  void* block = __libc_malloc(size);
  if (Now("corrupt", 100) || Now("overlap", 100)) {
    block = victim.Handle(block, size, false);
  }
  if (size >= kBigBytes && calls > kHonestCalls && Breaks("big_overlap")) {
    block = victim.Handle(block, size, true);
  }
  return Count(block);
}

void* calloc(size_t count, size_t size) {
  void* const block = __libc_calloc(count, size);
  const size_t bytes = count * size;
  if (bytes != 0 && Now("unzeroed", 10)) {
    static_cast<char*>(block)[bytes - 1] = 1;
  }
  return Count(block);
}

void free(void* block) {
  if (Now("errno", 1000)) errno = EINVAL;
  if (Now("leak", 5000)) return;
  live -= malloc_usable_size(block);
  if (!victim.IsSharedAtEnd(block)) __libc_free(block);
}

void* realloc(void* block, size_t size) {
  live -= malloc_usable_size(block);
  if (victim.IsSharedAtEnd(block)) {
    void* const other = __libc_malloc(size);
    const size_t usable = malloc_usable_size(block);
    return Count(memcpy(other, block, size < usable ? size : usable));
  }
  void* const moved = __libc_realloc(block, size);
  if (moved == nullptr) {
    live += malloc_usable_size(block);
    return nullptr;
  }
  if (size > 64 && Now("truncate", 20)) memset(moved, 0, 8);
  return Count(moved);
}

void* memalign(size_t alignment, size_t size) {
  return Count(Breaks("misalign") ? Misaligned(alignment, size, 8)
                                  : __libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

size_t hakmem_stats(hakmem_stats_t* stats, size_t size) noexcept {
  memset(static_cast<void*>(stats), 0, size);
  stats->live_bytes = live;
  return size;
}

int hakmem_check_heap() { return Breaks("metadata") ? 1 : 0; }

}  // extern "C"
