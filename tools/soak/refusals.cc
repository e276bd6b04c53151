#include "tools/soak/refusals.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "tools/soak/counters.h"
#include "tools/soak/statm.h"

namespace hakmem::soak {
namespace {

// Odd while a limit is lowered.
std::atomic<uint64_t> epoch = 0;
std::atomic<bool> always = false;

struct KnownLimit {
  decltype(RLIMIT_AS) which;
  rlimit former;
};
KnownLimit known_limits[] = {{RLIMIT_AS, {}}, {RLIMIT_DATA, {}}};

}  // namespace

void AlwaysAllowRefusals() { always = true; }

uint64_t LimitEpoch() { return epoch.load(); }

bool MayBeRefused(uint64_t before) {
  return always || before % 2 != 0 || epoch.load() != before;
}

void RememberLimits() {
  for (KnownLimit& limit : known_limits) {
    if (getrlimit(limit.which, &limit.former) != 0) {
      ReportError("cannot read a limit");
    }
  }
}

void RestoreLimits() {
  for (const KnownLimit& limit : known_limits) {
    if (setrlimit(limit.which, &limit.former) != 0) {
      ReportError("cannot set a limit back");
    }
  }
  epoch = 0;
}

void LowerALimit(Random& random) {
  const bool data = random.OneIn(2);
  const KnownLimit& limit = known_limits[data ? 1 : 0];
  const rlim_t used = StatmBytes(data ? kDataField : kAddressSpaceField);
  if (used == 0) return;
  // One in three leaves nothing.
  const rlim_t left =
      random.OneIn(3) ? 0 : random.LogUniform(1 << 16, size_t{256} << 20);
  rlimit low = limit.former;
  low.rlim_cur = std::min(low.rlim_cur, used + left);
  ++epoch;
  if (setrlimit(limit.which, &low) != 0) {
    ReportError("cannot lower a limit");
  } else {
    ++Shared().limits;
    usleep(static_cast<useconds_t>(random.Between(20'000, 400'000)));
    if (setrlimit(limit.which, &limit.former) != 0) {
      ReportError("cannot set a limit back");
    }
  }
  ++epoch;
}

}  // namespace hakmem::soak
