// Random numbers and sizes of the soak's workers.
#ifndef HAKMEM_TOOLS_SOAK_RANDOM_H_
#define HAKMEM_TOOLS_SOAK_RANDOM_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hakmem::soak {

// Spreads the bits of `x` (the finisher of splitmix64, by Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", 2014).
inline uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A sequence that depends on the seed only. One thread at a time.
class Random {
 public:
  explicit Random(uint64_t seed = 0) : state_(Mix(seed)) {}

  uint64_t Next() { return Mix(state_++); }

  // Of [0, bound); `bound` is not 0.
  size_t Below(size_t bound) { return Next() % bound; }

  // Of [low, high].
  size_t Between(size_t low, size_t high) {
    return low + Below(high - low + 1);
  }

  // True once in `times` on average.
  bool OneIn(size_t times) { return Below(times) == 0; }

  // Of [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Every doubling of [low, high] is as likely as any other.
  size_t LogUniform(size_t low, size_t high) {
    const double ratio = static_cast<double>(high) / static_cast<double>(low);
    const double value =
        static_cast<double>(low) * std::exp(Fraction() * std::log(ratio));
    return std::clamp(static_cast<size_t>(value), low, high);
  }

  // As programs ask for small blocks: log-normal, half of them below 64 bytes,
  // one in a hundred above 2 KiB.
  size_t LogNormal() {
    // A sum of uniform numbers is normal enough.
    double normal = -6;
    for (int i = 0; i < 12; ++i) normal += Fraction();
    const double value = 64 * std::exp(1.5 * normal);
    return std::clamp(static_cast<size_t>(value), size_t{1}, size_t{1} << 20);
  }

 private:
  uint64_t state_;
};

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_RANDOM_H_
