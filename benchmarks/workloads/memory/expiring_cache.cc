#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/sleep.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

// The cache works in ticks: requests come in, then what is too old goes.
constexpr uint64_t kTickNanoseconds = 10'000'000;
constexpr uint64_t kTicks = 12'000;  // two minutes

// By turns it is busy and quiet, so that most of the memory falls free and is
// wanted again.
constexpr uint64_t kPhaseTicks = 300;
constexpr uint64_t kBusyRequests = 1'000;  // a tick
constexpr uint64_t kQuietRequests = 50;

// Some keys are asked for far more often than others: the number is the product
// of two that are uniform.
constexpr uint32_t kKeys = 1 << 17;
constexpr LogUniform kKeySizes(16, 128);
constexpr LogUniform kValueSizes(64, size_t{16} << 10);

// An entry lives for so many ticks, and some more.
constexpr uint64_t kLeastTicks = 100;
constexpr uint64_t kMoreTicks = 100;
constexpr uint64_t kWheel = 256;  // more than any entry has to live

constexpr uint64_t kMostBytes = uint64_t{256} << 20;

// By key: an entry's two blocks, and the next key whose entry expires in the
// same tick.
class Cache {
 public:
  explicit Cache(uint64_t seed)
      : random_(seed),
        keys_(kKeys),
        values_(kKeys, uint64_t{1} << 40),
        next_(static_cast<uint32_t*>(MapMemory(kKeys * sizeof(uint32_t)))) {
    if (next_ == nullptr) Die(kCannotRun, "no memory for the index");
    for (uint32_t& first : wheel_) first = kNone;
  }
  ~Cache() { UnmapMemory(next_, kKeys * sizeof(uint32_t)); }
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Looks a key up and puts an entry there if there is none.
  void Request(uint64_t tick) {
    const auto key =
        static_cast<uint32_t>(random_.Below(1 + random_.Below(kKeys)));
    if (values_[key].data != nullptr) {
      keys_[key].CheckEnds();
      values_[key].CheckEnds();
      return;
    }
    keys_.Replace(key, kKeySizes.Draw(random_));
    values_.Replace(key, kValueSizes.Draw(random_));
    const uint64_t end = tick + kLeastTicks + random_.Below(kMoreTicks);
    next_[key] = wheel_[end % kWheel];
    wheel_[end % kWheel] = key;
  }

  void Expire(uint64_t tick) {
    uint32_t key = wheel_[tick % kWheel];
    wheel_[tick % kWheel] = kNone;
    for (; key != kNone; key = next_[key]) {
      keys_.Free(key);
      values_.Free(key);
    }
  }

  uint64_t live_bytes() const {
    return keys_.live_bytes() + values_.live_bytes();
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static_assert(kLeastTicks + kMoreTicks < kWheel);

  Random random_;
  BlockArray keys_;
  BlockArray values_;
  uint32_t* const next_;
  uint32_t wheel_[kWheel];
};

uint64_t RequestsOf(uint64_t tick) {
  return tick / kPhaseTicks % 2 == 0 ? kBusyRequests : kQuietRequests;
}

}  // namespace

void ExpiringCache(Run& run) {
  RequireAvailable(kMostBytes);
  Cache cache(run.seed());
  const uint64_t ticks = run.Scaled(kTicks);
  const auto resident_before = static_cast<double>(ResidentKib());
  double resident_sum = 0;
  double live_sum = 0;
  uint64_t due = ClockNanoseconds(CLOCK_MONOTONIC);
  for (uint64_t tick = 0; tick < ticks; ++tick) {
    run.Start();
    for (uint64_t i = RequestsOf(tick); i != 0; --i) cache.Request(tick);
    cache.Expire(tick);
    run.Stop();
    run.Count(RequestsOf(tick));
    const uint64_t resident = ResidentKib();
    run.AddPoint(cache.live_bytes() / 1024, resident);
    resident_sum += static_cast<double>(resident);
    live_sum += static_cast<double>(cache.live_bytes()) / 1024;
    // A machine that cannot keep up gets no rest, but the ticks stay as many.
    due += kTickNanoseconds;
    const uint64_t now = ClockNanoseconds(CLOCK_MONOTONIC);
    if (due > now) Sleep(due - now);
  }
  const auto resident_after = static_cast<double>(ResidentKib());
  run.Finish();
  const auto count = static_cast<double>(ticks);
  run.Report("resident_before_kib", resident_before);
  run.Report("resident_after_kib", resident_after);
  run.Report("live_after_kib", static_cast<double>(cache.live_bytes()) / 1024);
  run.Report("resident_mean_kib", resident_sum / count);
  run.Report("live_mean_kib", live_sum / count);
}

}  // namespace hakmem::bench
