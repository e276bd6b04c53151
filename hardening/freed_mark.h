// FreedMark: the first word of a freed slab block in hardened builds: the
// block's address, made unguessable by the process's secret.
//
// A block that bears its mark is free: a program can forge the mark only by
// copying it from that very block while it is free. So freeing a block that
// bears its mark is a double free, whichever threads do it and wherever the
// block is cached; and a block that lacks it at reuse was written to after its
// free. (glibc keeps such a word in its tcache entries, for the first purpose.)
//
// Blocks are aligned to 16 bytes and at least as long. `secret` is
// Secret::Get() or a copy.
#ifndef HAKMEM_HARDENING_FREED_MARK_H_
#define HAKMEM_HARDENING_FREED_MARK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hardening/secret.h"

namespace hakmem {

class FreedMark {
 public:
  static constexpr size_t kBytes = sizeof(uint64_t);

  static bool IsOn(const void* block, uint64_t secret = Secret::Get()) {
    return First(block) == Of(block, secret);
  }

  static void Put(void* block, uint64_t secret = Secret::Get()) {
    SetFirst(block, Of(block, secret));
  }

  // An allocated block must not look freed.
  static void Remove(void* block) { SetFirst(block, 0); }

  // Whether a free block's mark may be missing without an error: its page was
  // purged and reads as zeros.
  static bool MayBeGone(const void* block) { return First(block) == 0; }

 private:
  static uint64_t Of(const void* block, uint64_t secret) {
    return secret ^ reinterpret_cast<uintptr_t>(block);
  }
  static uint64_t First(const void* block) {
    uint64_t word;
    memcpy(&word, block, sizeof(word));
    return word;
  }
  static void SetFirst(void* block, uint64_t word) {
    memcpy(block, &word, sizeof(word));
  }
};

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_FREED_MARK_H_
