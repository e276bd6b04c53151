// Natural logarithm and geometric gaps for samplers, without libm, which the
// library does not link.
#ifndef HAKMEM_BASE_EXPONENTIAL_H_
#define HAKMEM_BASE_EXPONENTIAL_H_

#include <algorithm>
#include <bit>
#include <cstdint>

namespace hakmem {

// The natural logarithm of `x`, a positive normal number, to 1e-9.
constexpr double Ln(double x) {
  constexpr double kLn2 = 0.693147180559945309;
  constexpr int kMantissaBits = 52;
  constexpr uint64_t kOne = uint64_t{1023} << kMantissaBits;
  constexpr uint64_t kMantissa = (uint64_t{1} << kMantissaBits) - 1;
  const auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int64_t>(bits >> kMantissaBits) - 1023;
  double mantissa = std::bit_cast<double>((bits & kMantissa) | kOne);
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    ++exponent;
  }
  // ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …), |s| < 0.172.
  const double s = (mantissa - 1) / (mantissa + 1);
  double sum = 0;
  for (int term = 13; term > 0; term -= 2) sum = sum * s * s + 1.0 / term;
  return 2 * s * sum + static_cast<double>(exponent) * kLn2;
}

// How many failures precede the first success where one trial in `interval`
// (at least 1) succeeds, each independent of the others; at most UINT32_MAX.
// `random`: uniform in all 64 bits.
constexpr uint32_t GeometricGap(uint64_t interval, uint64_t random) {
  if (interval <= 1) return 0;
  // In (0, 1).
  const double uniform = (static_cast<double>(random >> 12) + 0.5) * 0x1p-52;
  // 1 - 1/interval would lose the digits of a long interval.
  const double chance = 1 / static_cast<double>(interval);
  const double ln_failure =
      interval < 1 << 20 ? Ln(1 - chance) : -chance - chance * chance / 2;
  return static_cast<uint32_t>(
      std::min(Ln(uniform) / ln_failure, static_cast<double>(UINT32_MAX)));
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_EXPONENTIAL_H_
