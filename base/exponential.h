// Natural logarithm, exponential and geometric gaps for samplers, without libm,
// which the library does not link.
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

// 1 - e^-x, for x of at least 0, to a relative 1e-11.
constexpr double OneMinusExp(double x) {
  if (x > 40) return 1;
  // By f(2x) = f(x) (2 - f(x)) from an argument where few terms of the series
  // are enough.
  int doublings = 0;
  for (; x > 0x1p-6; x /= 2) ++doublings;
  double f = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
  for (; doublings > 0; --doublings) f *= 2 - f;
  return f;
}

// A number of (0, 1). `random`: uniform in all 64 bits, here and below.
constexpr double Uniform(uint64_t random) {
  return (static_cast<double>(random >> 12) + 0.5) * 0x1p-52;
}

// Exponentially distributed, with mean 1.
constexpr double ExponentialGap(uint64_t random) {
  return -Ln(Uniform(random));
}

// The rate of events, in events a trial, at which one trial in `interval` (at
// least 2) has any.
constexpr double RateOfInterval(uint64_t interval) {
  // 1 - 1/interval would lose the digits of a long interval.
  const double chance = 1 / static_cast<double>(interval);
  return interval < 1 << 20 ? -Ln(1 - chance) : chance + chance * chance / 2;
}

// How many trials without events precede the first with one, when events come
// at `rate`, above 0, a trial, each independent of the others: each trial has
// one with probability 1 - e^-rate. At most UINT32_MAX.
constexpr uint32_t GeometricGapAtRate(double rate, uint64_t random) {
  return static_cast<uint32_t>(
      std::min(ExponentialGap(random) / rate, static_cast<double>(UINT32_MAX)));
}

// The same where one trial in `interval` (at least 1) succeeds.
constexpr uint32_t GeometricGap(uint64_t interval, uint64_t random) {
  return interval <= 1 ? 0
                       : GeometricGapAtRate(RateOfInterval(interval), random);
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_EXPONENTIAL_H_
