#include "tools/soak/claims.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace hakmem::soak {
namespace {

constexpr unsigned kPageBits = 12;
// What a process has of addresses on x86-64 and AArch64; higher ones are given
// only to those who ask.
constexpr unsigned kAddressBits = 47;
constexpr size_t kPages = size_t{1} << (kAddressBits - kPageBits);

using Bits = std::atomic<uint64_t>;

Bits* table = nullptr;

// Calls visit(word, mask) for the bits of pages [begin, end).
template <typename Visit>
void ForEachWord(uintptr_t begin, uintptr_t end, const Visit& visit) {
  while (begin < end) {
    const uintptr_t word = begin / 64;
    const uintptr_t stop = std::min(end, (word + 1) * 64);
    const uint64_t ones = UINT64_MAX >> (64 - (stop - begin));
    visit(table[word], ones << (begin % 64));
    begin = stop;
  }
}

struct Pages {
  uintptr_t begin;
  uintptr_t end;
};

Pages Inside(const char* block, size_t size) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const uintptr_t page = uintptr_t{1} << kPageBits;
  return {(address + page - 1) >> kPageBits, (address + size) >> kPageBits};
}

bool IsClaimed(uintptr_t address) {
  const uintptr_t page = address >> kPageBits;
  return (table[page / 64].load(std::memory_order_relaxed) >> (page % 64)) & 1;
}

bool HasClaims(const char* block, size_t size) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  return table != nullptr && (address + size) >> kAddressBits == 0;
}

}  // namespace

void StartClaims() {
  // Read and write at once: a table that grew would need a lock.
  void* const memory = mmap(nullptr, kPages / 8, PROT_READ | PROT_WRITE,
                            MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  // A huge page of bits would be resident for one that is looked at.
  madvise(memory, kPages / 8, MADV_NOHUGEPAGE);
  table = static_cast<Bits*>(memory);
}

bool Claim(const char* block, size_t size) {
  if (!HasClaims(block, size)) return true;
  const auto address = reinterpret_cast<uintptr_t>(block);
  bool free = !IsClaimed(address) && !IsClaimed(address + size - 1);
  const Pages pages = Inside(block, size);
  ForEachWord(pages.begin, pages.end, [&](Bits& bits, uint64_t mask) {
    // The allocator orders the free of a block before it hands it out again.
    const uint64_t before = bits.fetch_or(mask, std::memory_order_relaxed);
    free = free && (before & mask) == 0;
  });
  return free;
}

void Unclaim(const char* block, size_t size) {
  if (!HasClaims(block, size)) return;
  const Pages pages = Inside(block, size);
  ForEachWord(pages.begin, pages.end, [](Bits& bits, uint64_t mask) {
    bits.fetch_and(~mask, std::memory_order_relaxed);
  });
}

}  // namespace hakmem::soak
