#include "tools/soak/refusals.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "tools/soak/tally.h"

namespace hakmem::soak {
namespace {

// Odd while a limit is lowered.
std::atomic<uint64_t> moment = 0;
std::atomic<bool> always = false;

struct KnownLimit {
  decltype(RLIMIT_AS) which;
  rlimit former;
};
KnownLimit known_limits[] = {{RLIMIT_AS, {}}, {RLIMIT_DATA, {}}};

// Bytes of this process as /proc/self/statm has them; 0 when it cannot be read.
rlim_t Statm(int field) {
  char text[256] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return 0;
  char* next = text;
  rlim_t pages = 0;
  for (int i = 0; i <= field; ++i) pages = strtoull(next, &next, 10);
  return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

constexpr int kAddressSpaceField = 0;
constexpr int kDataField = 5;

}  // namespace

void ExpectRefusals() { always = true; }

uint64_t RequestMoment() { return moment.load(); }

bool MayBeRefused(uint64_t before) {
  return always || before % 2 != 0 || moment.load() != before;
}

void RememberLimits() {
  for (KnownLimit& limit : known_limits) {
    if (getrlimit(limit.which, &limit.former) != 0) {
      Fault("cannot read a limit");
    }
  }
}

void RestoreLimits() {
  for (const KnownLimit& limit : known_limits) {
    if (setrlimit(limit.which, &limit.former) != 0) {
      Fault("cannot set a limit back");
    }
  }
  moment = 0;
}

void LowerALimit(Random& random) {
  const bool data = random.OneIn(2);
  const KnownLimit& limit = known_limits[data ? 1 : 0];
  const rlim_t used = Statm(data ? kDataField : kAddressSpaceField);
  if (used == 0) return;
  // Now and then all is refused at once.
  const rlim_t left =
      random.OneIn(3) ? 0 : random.LogUniform(1 << 16, size_t{256} << 20);
  rlimit low = limit.former;
  low.rlim_cur = std::min(low.rlim_cur, used + left);
  ++moment;
  if (setrlimit(limit.which, &low) != 0) {
    Fault("cannot lower a limit");
  } else {
    ++TheTally().limits;
    usleep(static_cast<useconds_t>(random.Between(20'000, 400'000)));
    if (setrlimit(limit.which, &limit.former) != 0) {
      Fault("cannot set a limit back");
    }
  }
  ++moment;
}

}  // namespace hakmem::soak
