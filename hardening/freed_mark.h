// FreedMark: the word that a freed block of a slab begins with in hardened
// builds: the block's address, made unguessable by the process's secret.
//
// A block that bears its mark is free: a program can write the mark only by
// copying it from the very block while that is free. So a block that is freed
// and bears it is freed twice, whichever threads do it and wherever it lies by
// now; and one that is taken for reuse and does not has been written to. (glibc
// keeps such a word in its tcache entries, for the first purpose.)
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

  // What is handed out must not look freed.
  static void Remove(void* block) { SetFirst(block, 0); }

  // Whether the mark of a free block may have been lost without a fault: with
  // the page, which has been purged and reads as zeros.
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
