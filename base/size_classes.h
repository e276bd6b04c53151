// Size classes: the block sizes that slabs are divided into.
//
//   tiny  1..128 bytes         a class every 16 bytes            1..8
//         129..2048 bytes      eight classes in each doubling    9..40
//   mid   2049..32768 bytes    eight classes in each doubling   41..72
//
// Above 128 bytes a request is rounded up by less than 12.5 %, and every block
// of a 64 KiB-aligned slab is 16-aligned, as with glibc. Tiny blocks come from
// the back-end, mid blocks from ACE. Class 0 means "no slab": larger sizes, and
// addresses outside slabs.
#ifndef HAKMEM_BASE_SIZE_CLASSES_H_
#define HAKMEM_BASE_SIZE_CLASSES_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hakmem {

enum class SizeClass : uint8_t { kNone = 0 };

constexpr size_t Index(SizeClass c) { return static_cast<size_t>(c); }

inline constexpr size_t kBlockAlignment = 16;
inline constexpr size_t kMaxTinyBytes = 2048;
inline constexpr size_t kMaxMidBytes = 32768;
inline constexpr size_t kTinyClassCount = 41;  // including class 0
inline constexpr size_t kClassCount = 73;      // including class 0 and mid

// Class of a request of at most kMaxMidBytes, indexed by UnitsOf.
using ClassOfUnits = std::array<uint8_t, kMaxMidBytes / kBlockAlignment + 1>;

// A request in 16-byte units, rounded up.
constexpr size_t UnitsOf(size_t bytes) {
  return (bytes + kBlockAlignment - 1) / kBlockAlignment;
}

namespace internal {

struct ClassTables {
  std::array<uint32_t, kClassCount> bytes{};
  ClassOfUnits of_units{};
};

constexpr ClassTables MakeClassTables() {
  ClassTables t;
  size_t bytes = 0;
  size_t unit = 0;
  for (size_t c = 1; c < kClassCount; ++c) {
    bytes += bytes < 128 ? kBlockAlignment : std::bit_floor(bytes) / 8;
    t.bytes[c] = static_cast<uint32_t>(bytes);
    for (; unit * kBlockAlignment <= bytes; ++unit) {
      t.of_units[unit] = static_cast<uint8_t>(c);
    }
  }
  return t;
}

inline constexpr ClassTables kClassTables = MakeClassTables();
static_assert(kClassTables.bytes[kTinyClassCount - 1] == kMaxTinyBytes);
static_assert(kClassTables.bytes[kClassCount - 1] == kMaxMidBytes);

}  // namespace internal

constexpr bool IsMid(SizeClass c) { return Index(c) >= kTinyClassCount; }

// The class for a request of `bytes`, at most kMaxMidBytes. 0 bytes gets the
// smallest class.
constexpr SizeClass ClassOf(size_t bytes) {
  return SizeClass{internal::kClassTables.of_units[UnitsOf(bytes)]};
}

// Bytes of a block of class `c`; 0 for SizeClass::kNone.
constexpr uint32_t ClassBytes(SizeClass c) {
  return internal::kClassTables.bytes[Index(c)];
}

// The smallest class whose blocks hold `bytes` and are all aligned to
// `alignment` (a power of two), given a slab with at least that alignment;
// kNone if none exists.
constexpr SizeClass AlignedClassOf(size_t bytes, size_t alignment) {
  if (bytes > kMaxMidBytes || alignment > kMaxMidBytes) return SizeClass::kNone;
  for (size_t c = Index(ClassOf(bytes)); c < kClassCount; ++c) {
    if (internal::kClassTables.bytes[c] % alignment == 0) {
      return SizeClass{static_cast<uint8_t>(c)};
    }
  }
  return SizeClass::kNone;
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_SIZE_CLASSES_H_
