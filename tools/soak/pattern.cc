#include "tools/soak/pattern.h"

#include <algorithm>
#include <cstring>

#include "tools/soak/random.h"

namespace hakmem::soak {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kSamples = 16;
constexpr size_t kSampleBytes = 64;
constexpr size_t kZeroBytes = size_t{1} << 20;

// The eight bytes at `offset`, a multiple of eight.
uint64_t Word(uint64_t seed, size_t offset) {
  return (seed + offset) * 0x9e3779b97f4a7c15u ^ seed;
}

// Calls piece(offset, length) for each part of a block that is written, the
// offsets multiples of eight, until one returns false.
template <typename Piece>
void ForEachPiece(size_t size, uint64_t seed, const Piece& piece) {
  if (size <= kWholeBytes) {
    piece(size_t{0}, size);
    return;
  }
  if (!piece(size_t{0}, kEndBytes)) return;
  Random random(seed);
  const size_t pages = (size - kEndBytes) / kPageBytes;
  for (size_t i = 0; i < kSamples; ++i) {
    const size_t page = random.Between(1, pages - 1);
    if (!piece(page * kPageBytes, kSampleBytes)) return;
  }
  const size_t tail = (size - kEndBytes) & ~size_t{7};
  piece(tail, size - tail);
}

size_t FirstNonZero(const char* block, size_t begin, size_t end) {
  if (begin == end) return kIntact;
  // Each byte equals the one before it, and the first is 0.
  const char* const from = block + begin;
  if (*from == 0 && memcmp(from, from + 1, end - begin - 1) == 0) {
    return kIntact;
  }
  return static_cast<size_t>(
      std::find_if(from, block + end, [](char c) { return c != 0; }) - block);
}

}  // namespace

void FillBlock(char* block, size_t size, uint64_t seed) {
  ForEachPiece(size, seed, [=](size_t offset, size_t length) {
    const size_t end = offset + length;
    for (; offset + 8 <= end; offset += 8) {
      const uint64_t word = Word(seed, offset);
      memcpy(block + offset, &word, 8);
    }
    const uint64_t word = Word(seed, offset);
    memcpy(block + offset, &word, end - offset);
    return true;
  });
}

size_t FindDamage(const char* block, size_t size, uint64_t seed,
                  size_t prefix) {
  size_t damage = kIntact;
  ForEachPiece(size, seed, [&](size_t offset, size_t length) {
    const size_t end = std::min(offset + length, prefix);
    for (; offset < end; offset += 8) {
      const uint64_t word = Word(seed, offset);
      if (memcmp(block + offset, &word, std::min(end - offset, size_t{8})) !=
          0) {
        damage = offset;
        return false;
      }
    }
    return true;
  });
  return damage;
}

size_t FindNonZero(const char* block, size_t size) {
  if (size <= kZeroBytes) return FirstNonZero(block, 0, size);
  size_t found = FirstNonZero(block, 0, kEndBytes);
  for (size_t at = kEndBytes; found == kIntact && at + 8 <= size;
       at += kPageBytes) {
    found = FirstNonZero(block, at, at + 8);
  }
  return found != kIntact ? found : FirstNonZero(block, size - kEndBytes, size);
}

}  // namespace hakmem::soak
