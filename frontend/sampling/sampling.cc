#include "frontend/sampling/sampling.h"

#include "base/exponential.h"
#include "base/os/clock.h"
#include "base/os/thread_id.h"
#include "frontend/guard/guard.h"
#include "tracing/profile/profile.h"

namespace hakmem {
namespace {

// Beyond this rate practically every block has an event.
constexpr double kEveryBlock = 64;

// Mixes all bits of `x` (the finalizer of MurmurHash3).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

[[gnu::noinline]] uint64_t Seed() {
  const uint64_t seed = Mix(Nanoseconds() ^ (uint64_t{ThreadId()} << 40));
  return seed != 0 ? seed : 1;
}

double GuardRate() {
  const uint64_t interval = Guard::Interval();
  if (interval == 0) return 0;
  return interval == 1 ? kEveryBlock : RateOfInterval(interval);
}

double ProfileRate() {
  return Profile::IsOn() ? 1 / static_cast<double>(Profile::Rate()) : 0;
}

// relaxed: each of the rates is valid at any time.
double Load(const std::atomic<double>& rate) {
  return rate.load(std::memory_order_relaxed);
}

}  // namespace

constinit std::atomic<uint32_t> Sampling::generation_{0};
constinit std::atomic<uint32_t> Sampling::updates_{0};
constinit std::atomic<double> Sampling::guard_rate_{0};
constinit std::atomic<double> Sampling::profile_rate_{0};
constinit thread_local uint64_t Sampling::random_ = 0;
constinit thread_local bool Sampling::paused_ = false;

void Sampling::Update() {
  // relaxed, but for the last: published by it.
  guard_rate_.store(GuardRate(), std::memory_order_relaxed);
  profile_rate_.store(ProfileRate(), std::memory_order_relaxed);
  const bool is_on = Load(guard_rate_) != 0 || Load(profile_rate_) != 0;
  const uint32_t number = updates_.fetch_add(1, std::memory_order_relaxed) + 1;
  // release: pairs with the acquire in Generation.
  generation_.store(is_on ? number : 0, std::memory_order_release);
}

// xorshift64* (Vigna, 2016): its upper bits are the best.
uint64_t Sampling::Random() {
  uint64_t x = random_ != 0 ? random_ : Seed();
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  random_ = x;
  return x * 0x2545f4914f6cdd1d;
}

uint32_t Sampling::DrawGap(SizeClass c) {
  const double rate = Load(guard_rate_) +
                      Load(profile_rate_) * static_cast<double>(ClassBytes(c));
  return rate == 0 ? UINT32_MAX : GeometricGapAtRate(rate, Random());
}

Sampling::Due Sampling::ChooseFor(SizeClass c) {
  if (IsPaused()) return Due::kNothing;
  const double guard = Load(guard_rate_);
  const double profile =
      Load(profile_rate_) * static_cast<double>(ClassBytes(c));
  if (profile == 0) return guard == 0 ? Due::kNothing : Due::kGuard;
  if (guard == 0) return Due::kProfile;
  return Uniform(Random()) * OneMinusExp(guard + profile) < OneMinusExp(profile)
             ? Due::kProfile
             : Due::kGuard;
}

Sampling::Due Sampling::DrawFor(size_t bytes) {
  if (IsPaused()) return Due::kNothing;
  const double profile = Load(profile_rate_) * static_cast<double>(bytes);
  if (profile != 0 && ExponentialGap(Random()) < profile) return Due::kProfile;
  const double guard = Load(guard_rate_);
  return guard != 0 && ExponentialGap(Random()) < guard ? Due::kGuard
                                                        : Due::kNothing;
}

}  // namespace hakmem
